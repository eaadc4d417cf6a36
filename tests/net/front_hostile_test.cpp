// A game that writes whatever it likes over the memory it shares, and what that is to the others.

#include <algorithm>
#include <cstdio>
#include <string>

#include <catch2/catch.hpp>

#include "counter_client.hpp"
#include "counter_game.hpp"
#include "scribbles.hpp"
#include "test_client.hpp"
#include "test_host.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/net/front.hpp"

using namespace ringside;
using namespace ringside::test;

TEST_CASE("front: whatever a game scribbles over what it may write, the others play on",
          "[net][front][crash]") {
    constexpr int inputs = 20;
    TestHost host({}, GENERATE(false, true));
    TestClient other = host.greeted();
    other.join("other");
    (void)other.expect<wire::Joined>();
    std::uint32_t number = 0;
    std::uint64_t sum = 0;
    const auto say = [&](CounterInput what) {
        other.input(++number, static_cast<std::uint8_t>(what));
        sum += static_cast<std::uint64_t>(what);
        const std::int64_t begin_ns = monotonic_ns();
        read_until_sum(other, sum);
        return monotonic_ns() - begin_ns;
    };
    const auto slowest_ms = [&] {
        std::int64_t slowest_ns = 0;
        for (int i = 0; i < inputs; ++i) {
            slowest_ns = std::max(slowest_ns, say(CounterInput::add_one));
        }
        return static_cast<double>(slowest_ns) / 1'000'000;
    };
    say(CounterInput::run);
    std::printf("another game's slowest answer of %d: %.1f ms\n", inputs, slowest_ms());
    for (std::size_t which = 0; which < scribble_count; ++which) {
        INFO(scribbles()[which].what);
        TestClient hostile = host.greeted();
        hostile.join("hostile-" + std::to_string(which));
        (void)hostile.expect<wire::Joined>();
        const auto input =
            static_cast<std::uint8_t>(static_cast<std::size_t>(CounterInput::scribble) + which);
        hostile.input(1, input);
        std::printf("%.1f ms beside one that scribbles %s\n", slowest_ms(),
                    std::string(scribbles()[which].what).c_str());
        if (which == 0) {
            read_until_sum(hostile, input);  // only the doorbells: it goes on, so it found them
        }
        TestClient next = host.greeted();  // and the host goes on making games
        next.join("next-" + std::to_string(which));
        REQUIRE(next.expect<wire::Joined>().seat() == 0);
    }
    REQUIRE(host.stop() == 0);
}
