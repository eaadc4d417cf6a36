// What a match takes on the wire, to the byte: the messages are those that a front sends.

#include <vector>

#include <catch2/catch.hpp>

#include "tests/bench/race_bytes.hpp"

using namespace ringside;
using namespace ringside::bench;

namespace {

void expect_a_tenth(const std::vector<TickBytes>& ticks) {
    for (const auto client : {&MessageBytes::terminal, &MessageBytes::browser}) {
        std::size_t whole = 0;
        std::size_t delta = 0;
        for (const TickBytes& tick : ticks) {
            REQUIRE(tick.delta_bytes > 0);  // a race is told in deltas alone
            whole += tick.whole.*client;
            delta += tick.delta.*client;
        }
        CAPTURE(whole, delta, ticks.size());
        CHECK(10 * delta <= whole);
    }
}

}  // namespace

TEST_CASE("tron: in a minute of six, deltas are a tenth of whole views at most",
          "[games][tron][bytes]") {
    constexpr std::size_t minute = 600;  // ticks, at 10 Hz
    const std::uint64_t seed = GENERATE(1u, 2u, 3u);
    SECTION("with long walls, in one match") {
        const auto ticks = RaceBytes(large_arena_of_six, seed).run(minute);
        REQUIRE(ticks.size() == minute);
        REQUIRE(ticks.back().view_bytes > 2'000);
        expect_a_tenth(ticks);
    }
    SECTION("in the usual arena, in several") {
        std::vector<TickBytes> ticks;
        for (std::uint64_t match = 0; ticks.size() < minute; ++match) {
            const auto more = RaceBytes({.seats = 6}, 100 * seed + match).run(minute);
            ticks.insert(ticks.end(), more.begin(), more.end());
        }
        expect_a_tenth(ticks);
    }
}

TEST_CASE("tron: a browser is sent what a terminal is, in a frame", "[games][tron][bytes]") {
    for (const TickBytes& tick : RaceBytes({.seats = 6}, 1).run(600)) {
        for (const MessageBytes& bytes : {tick.whole, tick.delta}) {
            REQUIRE(bytes.browser == bytes.terminal + (bytes.terminal < 126 ? 2 : 4));
        }
    }
}
