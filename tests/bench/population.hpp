#pragma once
// Population: N processes that tick, and how late they did: real games or bare ones, measured by
// the same means.

#include <chrono>
#include <cstdint>
#include <memory>

#include "ringside/core/histogram.hpp"
#include "ringside/core/result.hpp"
#include "ringside/ipc/game_segment.hpp"

namespace ringside::bench {

/// Since the processes started; the difference of two is a window.
struct Ticks {
    LatenessHistogram lateness;
    std::uint64_t missed = 0;
    std::int64_t cpu_ns = 0;
};

void add_lateness(Ticks& ticks, const TimeCounts& counts, std::int64_t sign);

struct Window {
    double lateness_ms_median;
    double lateness_ms_p99;
    double missed_share;  // of the ticks that were due
    double cpu_us_per_tick;
};

class Population {
public:
    virtual ~Population() = default;

    /// Lets them tick, and does meanwhile what keeps them going.
    [[nodiscard]] virtual Result<void> run_for(std::chrono::milliseconds time) = 0;

    /// Adds what the processes have counted so far: with sign -1 takes it out again.
    virtual void add_ticks(Ticks& ticks, std::int64_t sign) = 0;

    /// Whether all still did what they were there for.
    [[nodiscard]] virtual Result<void> check() = 0;
};

/// What the processes do in `time` from now.
[[nodiscard]] Result<Window> measure(Population& population, std::chrono::milliseconds time);

// How games are steered, and bare processes as if they were.
inline constexpr std::int64_t steer_every_ns = 5'000'000;
inline constexpr std::int64_t side_ticks = 7;  // of a square: a third of the arena's height

struct Headcount {
    std::uint32_t processes;
    std::uint32_t ticking;  // of them; the others are parked
    std::uint32_t tick_ms;
};

/// Games of tron, each with a player that steers in a square.
[[nodiscard]] Result<std::unique_ptr<Population>> start_tron(const Headcount& crowd, bool smoke);

/// Forked processes that sleep to the same deadlines, count their lateness and touch 512 bytes.
[[nodiscard]] Result<std::unique_ptr<Population>> start_bare(const Headcount& crowd);

}  // namespace ringside::bench
