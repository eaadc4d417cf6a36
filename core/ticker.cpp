#include "ringside/core/ticker.hpp"

#include <cmath>

#include "ringside/core/invariant.hpp"

namespace ringside {

Ticker::Ticker(std::int64_t period_ns, std::int64_t phase_ns) noexcept
    : period_ns_(period_ns), phase_ns_(phase_ns) {
    invariant(period_ns >= 1, "a tick lasts at least a nanosecond");
    phase_ns_ %= period_ns_;
}

void Ticker::start(std::int64_t now_ns) noexcept {
    const std::int64_t since_phase = now_ns - phase_ns_;
    const std::int64_t periods = since_phase >= 0 ? since_phase / period_ns_ + 1 : 0;
    deadline_ns_ = phase_ns_ + periods * period_ns_;
}

Ticker::Lateness Ticker::take(std::int64_t now_ns) noexcept {
    invariant(due(now_ns), "a deadline is taken only when due");
    const std::int64_t late_ns = now_ns - deadline_ns_;
    const std::int64_t missed = late_ns / period_ns_;
    deadline_ns_ += (missed + 1) * period_ns_;
    return {late_ns, static_cast<std::uint64_t>(missed)};
}

std::int64_t staggered_phase_ns(std::uint32_t slot, std::int64_t period_ns) noexcept {
    constexpr std::uint32_t golden_ratio_2_32 = 2654435769u;       // 2^32 / φ
    const std::uint32_t fraction_2_32 = slot * golden_ratio_2_32;  // wraps: the fractional part
    return static_cast<std::int64_t>(std::ldexp(static_cast<double>(fraction_2_32), -32) *
                                     static_cast<double>(period_ns));
}

}  // namespace ringside
