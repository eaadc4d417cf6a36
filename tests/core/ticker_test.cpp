#include "ringside/core/ticker.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <catch2/catch.hpp>

using ringside::staggered_phase_ns;
using ringside::Ticker;

TEST_CASE("ticker: deadlines lie on the phase whatever the start", "[core][ticker]") {
    Ticker ticker(100, 30);
    ticker.start(GENERATE(0, 29, 30, 31, 129, 1030));
    REQUIRE(ticker.deadline_ns() % 100 == 30);
}

TEST_CASE("ticker: a start on a deadline waits for the next one", "[core][ticker]") {
    Ticker ticker(100, 0);
    ticker.start(500);
    REQUIRE(ticker.deadline_ns() == 600);
    REQUIRE_FALSE(ticker.due(599));
    REQUIRE(ticker.due(600));
}

TEST_CASE("ticker: a late tick keeps the phase and counts what it skipped", "[core][ticker]") {
    Ticker ticker(100, 0);
    ticker.start(0);
    const auto taken = ticker.take(350);  // due at 100; 200 and 300 passed too
    REQUIRE(taken.late_ns == 250);
    REQUIRE(taken.missed_ticks == 2);
    REQUIRE(ticker.deadline_ns() == 400);
}

TEST_CASE("stagger: neighbours are spread over the whole period", "[core][ticker]") {
    const std::int64_t period_ns = 100'000'000;
    const std::uint32_t games = 1000;
    std::vector<std::int64_t> phases;
    for (std::uint32_t slot = 0; slot < games; ++slot) {
        phases.push_back(staggered_phase_ns(slot, period_ns));
        REQUIRE(phases.back() >= 0);
        REQUIRE(phases.back() < period_ns);
    }
    std::ranges::sort(phases);
    // The golden ratio's sequence leaves no gap wider than three times the mean one.
    for (std::size_t i = 1; i < phases.size(); ++i) {
        REQUIRE(phases[i] - phases[i - 1] <= 3 * period_ns / games);
    }
}
