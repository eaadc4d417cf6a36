#pragma once
// Watchdog: tells a process that hangs from one that sleeps, and from one that a busy machine keeps
// waiting. One for each process that is looked after; it is looked at every watch_period_ns.

#include <cstdint>

#include <sys/types.h>

namespace ringside {

inline constexpr std::int64_t watch_period_ns = 500'000'000;
inline constexpr std::int64_t hang_after_ns = 2'000'000'000;

class Watchdog {
public:
    /// `sign` changes whenever the process gets anywhere; `overdue`: it has something to do, and
    /// should have done it. True when it has been overdue without a sign for hang_after_ns, though
    /// it could have run: it sleeps, is stopped, or has used much of that time itself. A process
    /// that waits for a CPU does not hang, nor does one that somebody debugs; and the time during
    /// which nobody looked (this process was stopped, or the machine was) does not count.
    [[nodiscard]] bool hangs(pid_t pid, std::uint64_t sign, bool overdue, std::int64_t now_ns);

private:
    std::uint64_t sign_ = 0;
    std::int64_t since_ns_ = 0;  // when it was first seen overdue with this sign; 0: it is not
    std::int64_t looked_ns_ = 0;
    std::int64_t cpu_ns_ = 0;  // that it had used then
};

}  // namespace ringside
