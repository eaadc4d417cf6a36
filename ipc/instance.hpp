#pragma once
// An instance: one host's name, its directory under /dev/shm, and the files in it.

#include <string>
#include <utility>
#include <vector>

#include "ringside/core/ids.hpp"
#include "ringside/core/result.hpp"

namespace ringside {

[[nodiscard]] std::string instance_path(const std::string& root, const std::string& name);
[[nodiscard]] std::string host_segment_path(const std::string& instance_path);
[[nodiscard]] std::string doorbell_segment_path(const std::string& instance_path);
[[nodiscard]] std::string game_segment_path(const std::string& instance_path, GameId game);
[[nodiscard]] std::string supervisor_flight_path(const std::string& instance_path);
[[nodiscard]] std::string front_flight_path(const std::string& instance_path,
                                            std::uint32_t front_slot);

/// The games whose segments are in an instance's directory, by slot; none if there is none.
[[nodiscard]] Result<std::vector<GameId>> games_in(const std::string& instance_path);

/// The directory, held by a lock that the kernel drops with this process. Removed when destroyed,
/// unless games are left in it: those are for the next host of the name.
class Instance {
public:
    /// Takes the name, and with it what a host that died left there. A directory whose host lives,
    /// or that belongs to somebody else, is refused.
    /// `lock_fd`: from release(), in a program that this one has replaced; -1: none.
    [[nodiscard]] static Result<Instance> claim(const std::string& root, const std::string& name,
                                                int lock_fd = -1);

    Instance(Instance&&) noexcept;
    Instance& operator=(Instance&&) noexcept;
    ~Instance();

    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    /// Removes everything but the lock, or everything but that and the games.
    void remove_all() const;
    void remove_all_but_games() const;

    /// Lets go of it without removing anything; the lock is still held.
    [[nodiscard]] int release() noexcept { return std::exchange(lock_fd_, -1); }

    /// In a forked child: lets go of the lock without removing anything.
    void forget() noexcept;

private:
    Instance(std::string path, int lock_fd) noexcept;
    std::string path_;
    int lock_fd_ = -1;
};

}  // namespace ringside
