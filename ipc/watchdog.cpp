#include "watchdog.hpp"

#include "process.hpp"

namespace ringside {
namespace {

constexpr std::int64_t look_gap_ns_max = 3 * watch_period_ns;
constexpr std::int64_t own_part = 4;  // one that runs in vain has had this part of the time

}  // namespace

bool Watchdog::hangs(pid_t pid, std::uint64_t sign, bool overdue, std::int64_t now_ns) {
    const std::int64_t gap_ns = now_ns - looked_ns_;
    looked_ns_ = now_ns;
    if (!overdue) {
        since_ns_ = 0;
        return false;
    }
    const bool goes_on = since_ns_ != 0 && sign == sign_ && gap_ns <= look_gap_ns_max;
    if (goes_on && now_ns - since_ns_ < hang_after_ns) {
        return false;
    }
    const auto facts = look_at_process(pid);
    if (!facts) {
        since_ns_ = 0;  // it is dead: its parent will be told
        return false;
    }
    const bool runs = facts->state == 'R' || facts->state == 'D';
    const bool starves = runs && (facts->cpu_ns - cpu_ns_) * own_part < now_ns - since_ns_;
    if (goes_on && !starves && facts->state != 't') {
        return true;
    }
    sign_ = sign;
    since_ns_ = now_ns;
    cpu_ns_ = facts->cpu_ns;
    return false;
}

}  // namespace ringside
