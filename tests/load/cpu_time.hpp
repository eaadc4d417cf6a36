#pragma once
// What other processes used of the CPUs.

#include <cstdint>

#include <sys/types.h>

namespace ringside {

/// CPU time that a process has used, in ns; 0 when it is gone. Exact, unlike /proc/PID/stat, whose
/// 10 ms are more than a game uses in a minute, and of all its threads, unlike /proc/PID/schedstat.
[[nodiscard]] std::int64_t cpu_ns_of(pid_t pid) noexcept;

}  // namespace ringside
