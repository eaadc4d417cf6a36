#pragma once
// SharedRegion: one mapping of one shared-memory file, move-only, unmapped when destroyed.
//
// No descriptor is kept: after mapping, the file is closed. Pages are reserved when the file is
// made (posix_fallocate), so a full /dev/shm is an Error here and never a SIGBUS later.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "ringside/core/game.hpp"

namespace ringside {

enum class Access : std::uint8_t { read_only, read_write };

class SharedRegion {
public:
    SharedRegion() noexcept;  // empty: bytes() is empty
    SharedRegion(SharedRegion&&) noexcept;
    SharedRegion& operator=(SharedRegion&&) noexcept;
    ~SharedRegion();

    /// Makes a file of `bytes_total` (sparse, zero-filled) of which the first `bytes_reserved` have
    /// their pages, and maps it. Fails if the file exists. A failed create leaves no file.
    struct CreateOptions {
        std::string path;
        std::size_t bytes_total;
        std::size_t bytes_reserved;
        unsigned mode = 0600;
    };
    [[nodiscard]] static Result<SharedRegion> create(const CreateOptions&);

    /// Maps a whole existing file.
    [[nodiscard]] static Result<SharedRegion> open(const std::string& path, Access);

    /// Maps the whole file behind a descriptor, which stays the caller's to close.
    [[nodiscard]] static Result<SharedRegion> open(int fd, Access);

    /// Reserves pages of a file in use: [offset, offset + bytes). For a front's own event ring.
    [[nodiscard]] static Result<void> reserve(const std::string& path, std::size_t offset,
                                              std::size_t bytes);

    /// The mapping. Of a read-only one, writing faults.
    [[nodiscard]] MutableBytes bytes() const noexcept { return bytes_; }

private:
    class Mapping;
    explicit SharedRegion(std::unique_ptr<Mapping>) noexcept;
    std::unique_ptr<Mapping> mapping_;
    MutableBytes bytes_;  // of the mapping, at hand
};

}  // namespace ringside
