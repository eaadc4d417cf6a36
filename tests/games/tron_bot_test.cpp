// Bots against the rules: they survive, their races end, and foreign views do them no harm.

#include <chrono>
#include <cstdio>
#include <vector>

#include <catch2/catch.hpp>

#include "ringside/tron/bot.hpp"
#include "ringside/tron/config.hpp"
#include "ringside/tron/rules.hpp"
#include "ringside/tron/view.hpp"

using namespace ringside;
using namespace ringside::tron;

namespace {

/// Plays one race of bots; the ticks it was STARTED.
std::uint32_t race_ticks(const Config& config, std::uint64_t seed, std::uint32_t ticks_max) {
    const auto config_bytes = encode_config(config);
    const auto game = tron_type().create(config_bytes, seed);
    std::vector<std::byte> out(tron_type().shape(config_bytes)->view_bytes_max);
    std::vector<Bot> bots;
    for (std::uint8_t i = 0; i < config.seats; ++i) {
        REQUIRE(game->on_join({}).reason == RefuseReason::none);
        bots.emplace_back(seed + i);
    }
    View view;
    std::uint32_t started = 0;
    std::chrono::nanoseconds spent{};
    unsigned decisions = 0;
    for (std::uint32_t tick = 0; started < ticks_max; ++tick) {
        REQUIRE(decode_view(Bytes(out).first(game->view(out)), view));
        started += view.phase == MatchPhase::started ? 1 : 0;
        if (view.phase == MatchPhase::finished) {
            break;
        }
        const auto begin = std::chrono::steady_clock::now();
        for (std::uint8_t i = 0; i < config.seats; ++i) {
            const Keys keys = bots[i].decide(view, static_cast<std::uint8_t>(i + 1));
            for (const std::byte& key : keys.bytes()) {
                game->on_input(Seat(i), {&key, 1});
            }
        }
        decisions += config.seats;
        spent += std::chrono::steady_clock::now() - begin;
        game->tick(Tick{tick});
    }
    std::printf("%u bots: %u ticks of race, %.1f us a decision\n", unsigned{config.seats}, started,
                static_cast<double>(spent.count()) / 1000.0 / decisions);
    return started;
}

}  // namespace

TEST_CASE("bot: a match of bots ends", "[games][bot]") {
    const auto seats = GENERATE(std::uint8_t{2}, std::uint8_t{4}, std::uint8_t{6});
    const std::uint32_t ticks_max = bot_walls_forever_ticks + 80 * 22 + 20;
    for (unsigned match = 0; match < 5; ++match) {
        CHECK(race_ticks({.seats = seats}, Catch::rngSeed() + match, ticks_max) < ticks_max);
    }
}

TEST_CASE("bot: alone it survives a while, and yet the race ends", "[games][bot]") {
    const std::uint32_t ticks_max = bot_walls_forever_ticks + 80 * 22 + 20;
    for (unsigned match = 0; match < 5; ++match) {
        const auto ticks = race_ticks({.seats = 1}, Catch::rngSeed() + match, ticks_max);
        CHECK(ticks > 150);
        CHECK(ticks < ticks_max);
    }
}

TEST_CASE("bot: it gets ready where readiness is asked for", "[games][bot]") {
    Bot bot(1);
    View view{.phase = MatchPhase::waiting, .count = 3, .width = 80, .height = 22, .cycles = {}};
    CHECK(bot.decide(view, 1).empty());
    view.cycles.push_back({.number = 1, .walls = {}});
    for (const auto phase : {MatchPhase::waiting, MatchPhase::finished, MatchPhase::restarting}) {
        view.phase = phase;
        REQUIRE(bot.decide(view, 1).bytes().size() == 1);
        CHECK(bot.decide(view, 1).bytes()[0] == static_cast<std::byte>(Key::insert));
    }
    view.cycles[0].ready = true;
    CHECK(bot.decide(view, 1).empty());
}
