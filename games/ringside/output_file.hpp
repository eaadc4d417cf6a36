#pragma once
// OutputFile: a new file, which grows at its end.

#include <cstdint>
#include <string>

#include "ringside/core/game.hpp"

namespace ringside {

class OutputFile {
public:
    /// The Error names the file; one that exists is refused.
    [[nodiscard]] static Result<OutputFile> create(const std::string& path);

    OutputFile(OutputFile&& other) noexcept;
    OutputFile& operator=(OutputFile&&) = delete;
    ~OutputFile();

    /// All of them, or an Error: some may be in the file then.
    [[nodiscard]] Result<void> append(Bytes bytes);

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

private:
    OutputFile(std::string path, int fd) noexcept;
    std::string path_;
    int fd_;
    std::uint64_t bytes_ = 0;
};

}  // namespace ringside
