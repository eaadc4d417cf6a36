#pragma once
// Ticker: when a fixed-step loop is due. Pure arithmetic: the caller reads the clock.
//
// Deadlines are absolute, phase_ns + k × period_ns, so lateness never accumulates. A loop that
// wakes late runs its tick at once and keeps the phase; deadlines that passed meanwhile are
// counted as missed and skipped, because catching up would delay the next game on that core.

#include <cstdint>

namespace ringside {

class Ticker {
public:
    /// Requires period_ns ≥ 1. Of the phase only its remainder by the period matters.
    Ticker(std::int64_t period_ns, std::int64_t phase_ns) noexcept;

    /// Sets the first deadline after `now_ns`: at start, and when a parked game goes on.
    void start(std::int64_t now_ns) noexcept;

    [[nodiscard]] std::int64_t deadline_ns() const noexcept { return deadline_ns_; }
    [[nodiscard]] bool due(std::int64_t now_ns) const noexcept { return now_ns >= deadline_ns_; }

    struct Lateness {
        std::int64_t late_ns;        // of the deadline just taken
        std::uint64_t missed_ticks;  // whole periods skipped besides
    };
    /// Takes the due deadline and sets the next one after `now_ns`. Requires due(now_ns).
    [[gnu::hot]] Lateness take(std::int64_t now_ns) noexcept;

private:
    std::int64_t period_ns_;
    std::int64_t phase_ns_;
    std::int64_t deadline_ns_ = 0;
};

/// The phase of game `slot` so that games of one period are spread evenly over it, whatever their
/// number: the fractional part of slot × golden ratio (low-discrepancy additive recurrence).
[[nodiscard]] std::int64_t staggered_phase_ns(std::uint32_t slot, std::int64_t period_ns) noexcept;

}  // namespace ringside
