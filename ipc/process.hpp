#pragma once
// What every process of a host does about itself.

#include <csignal>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <sys/types.h>

#include "ringside/ipc/game_segment.hpp"
#include "ringside/ipc/process_title.hpp"

namespace ringside {

// Exit codes of a game process, as the supervisor reads them.
inline constexpr int exit_code_ended = 0;
inline constexpr int exit_code_failed = 1;
inline constexpr int exit_code_orphaned = 2;
inline constexpr int exit_code_superseded = 3;

/// Asks the kernel to signal this process when its parent dies: SIGKILL, or SIGTERM for a
/// supervisor that has to clean up. False: the parent has died already. In a game the parent is the
/// supervisor, not the nursery that forked it.
[[nodiscard]] bool die_with(pid_t parent_pid, int signal = SIGKILL) noexcept;

/// Keeps this process, and those it forks, on these CPUs. Fails only where there is none of them:
/// then it stays on any.
void run_on_cpus(std::span<const int> cpus) noexcept;

/// Has this process run before all that share the machine fairly (SCHED_FIFO, the least priority).
/// Needs CAP_SYS_NICE; without it nothing changes.
void run_first() noexcept;
/// Takes that back.
void run_in_turn() noexcept;

/// "game tron/simplistic-trail"
[[nodiscard]] std::string game_process_name(const GameSegmentPlan& plan);

/// What /proc tells of a process. A zombie counts as none: it does nothing any more.
struct ProcessFacts {
    std::string name;         // as name_process cut it for the kernel
    std::uint64_t start = 0;  // clock ticks after boot: tells it from a later one with its pid
    char state = 0;           // as in proc(5): R, S, D, T, t
    std::int64_t cpu_ns = 0;  // used so far; counted in clock ticks
};
[[nodiscard]] std::optional<ProcessFacts> look_at_process(pid_t pid);

}  // namespace ringside
