#include "cpu_time.hpp"

#include <ctime>

namespace ringside {

std::int64_t cpu_ns_of(pid_t pid) noexcept {
    clockid_t clock{};
    timespec used{};
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) {
        return 0;
    }
    return used.tv_sec * 1'000'000'000 + used.tv_nsec;
}

}  // namespace ringside
