#include "ringside/core/clock.hpp"

#include <ctime>

namespace ringside {

std::int64_t monotonic_ns() noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);  // a vDSO call; cannot fail for this clock
    return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

}  // namespace ringside
