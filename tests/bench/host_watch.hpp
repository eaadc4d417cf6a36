#pragma once
// HostWatch: what a serving host and its machine do with their time, read from outside: CPU by
// role, how long games waited for a CPU that they could have used, and the ticks they missed.

#include <cstdint>
#include <vector>

#include <sys/types.h>

#include "served.hpp"

#include "ringside/core/result.hpp"
#include "ringside/ipc/game_segment.hpp"

namespace ringside::bench {

/// Since each began; the difference of two is a window.
struct HostTimes {
    std::int64_t at_ns = 0;
    std::int64_t fronts_cpu_ns = 0;
    std::int64_t games_cpu_ns = 0;
    std::int64_t load_cpu_ns = 0;
    std::int64_t games_waited_ns = 0;  // on a run queue
    std::uint64_t games_ticks = 0;
    std::uint64_t games_missed = 0;
    std::uint64_t idle_jiffies = 0;  // of all CPUs
    std::uint64_t all_jiffies = 0;
};

class HostWatch {
public:
    /// Waits until so many games have so many players in all. The load's process is `load_pid`.
    [[nodiscard]] static Result<HostWatch> start(const Served& host, pid_t load_pid,
                                                 std::uint32_t games, std::uint32_t players,
                                                 std::int64_t timeout_ns);

    [[nodiscard]] HostTimes read() const;

private:
    HostWatch(std::vector<pid_t> front_pids, pid_t load_pid)
        : front_pids_(std::move(front_pids)), load_pid_(load_pid) {}
    Result<void> find_games(const Served& host, std::uint32_t games, std::int64_t deadline_ns);
    [[nodiscard]] std::uint32_t players() const;

    struct Game {
        pid_t pid;
        GameSegment segment;
    };
    std::vector<Game> games_;
    std::vector<pid_t> front_pids_;
    pid_t load_pid_;
};

}  // namespace ringside::bench
