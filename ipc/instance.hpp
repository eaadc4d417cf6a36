#pragma once
// An instance: one host's name, its directory under /dev/shm, and the files in it.

#include <memory>
#include <string>

#include "ringside/core/ids.hpp"
#include "ringside/core/result.hpp"

namespace ringside {

[[nodiscard]] std::string instance_path(const std::string& root, const std::string& name);
[[nodiscard]] std::string host_segment_path(const std::string& instance_path);
[[nodiscard]] std::string doorbell_segment_path(const std::string& instance_path);
[[nodiscard]] std::string game_segment_path(const std::string& instance_path, GameId game);

/// The directory, held by a lock that the kernel drops with this process. Removed, with everything
/// in it, when destroyed.
class Instance {
public:
    /// Takes the name. A directory whose host has died is emptied first; one whose host lives, or
    /// that belongs to somebody else, is refused.
    [[nodiscard]] static Result<Instance> claim(const std::string& root, const std::string& name);

    Instance(Instance&&) noexcept;
    Instance& operator=(Instance&&) noexcept;
    ~Instance();

    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    /// In a forked child: lets go of the lock without removing anything.
    void forget() noexcept;

private:
    Instance(std::string path, int lock_fd) noexcept;
    std::string path_;
    int lock_fd_ = -1;
};

}  // namespace ringside
