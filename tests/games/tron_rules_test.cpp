// The tron game type through the interface that a host uses.

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "ringside/tron/config.hpp"
#include "ringside/tron/rules.hpp"
#include "ringside/tron/types.hpp"
#include "ringside/tron/view.hpp"

using namespace ringside;
using namespace ringside::tron;

namespace {

using Buffer = std::vector<std::byte>;

Seat seat(int index) {
    return Seat(static_cast<std::uint8_t>(index));
}

/// A game with room for its bytes, as a host keeps it.
class Hosted {
public:
    Hosted(const Config& config, std::uint64_t seed, const GameType& type = tron_type())
        : config_(encode_config(config)),
          type_(type),
          shape_(type.shape(config_).value()),
          game_(type.create(config_, seed)) {}

    Game& game() { return *game_; }
    Buffer state() const {
        Buffer out(shape_.state_bytes_max);
        out.resize(game_->save(out));
        return out;
    }
    Buffer view() const {
        Buffer out(shape_.view_bytes_max);
        out.resize(game_->view(out));
        return out;
    }
    View seen() const { return decode_view(view()).value(); }
    auto restored(const Buffer& state, const Buffer& view) const {
        return type_.restore(config_, state, view);
    }
    void restore() { game_ = restored(state(), view()).value(); }
    void tick() { game_->tick(Tick{tick_++}); }
    void ask_for_bot(bool more) {
        const std::array wish{bot_marker, std::byte{more}};
        game_->on_input(seat(0), wish);
    }
    void press(int index, Key key) {
        const std::byte byte{static_cast<std::uint8_t>(key)};
        game_->on_input(seat(index), {&byte, 1});
    }

private:
    Buffer config_;
    const GameType& type_;
    GameShape shape_;
    std::unique_ptr<Game> game_;
    std::uint64_t tick_ = 0;
};

Config random_config(std::mt19937& random) {
    Config config;
    config.replay = random() % 2 == 0;
    config.width = static_cast<std::uint16_t>((config.replay ? 1 : width_min) + random() % 40);
    config.height = static_cast<std::uint16_t>((config.replay ? 1 : height_min) + random() % 20);
    config.seats = static_cast<std::uint8_t>(1 + random() % seats_limit);
    config.tick_ms = static_cast<std::uint16_t>(tick_ms_min + random() % 500);
    return config;
}

/// One random event, the same for every game of a list. Seats stay those the game gave.
class RandomEvents {
public:
    RandomEvents(const Config& config, std::uint32_t seed) : config_(config), random_(seed) {}

    void apply(std::vector<Hosted*> games) {
        const auto kind = random_() % 40;
        const auto who = seat(static_cast<int>(random_() % config_.seats));
        const Screen screen{static_cast<std::uint16_t>(config_.width - random_() % 2),
                            static_cast<std::uint16_t>(config_.height)};
        static constexpr std::array keys{27, 105, 105, 105, 104, 106, 107, 108, 0, 255};
        const std::byte key{static_cast<std::uint8_t>(keys[random_() % keys.size()])};
        const std::array bot{bot_marker, static_cast<std::byte>(random_() % 3)};
        for (Hosted* hosted : games) {
            Game& game = hosted->game();
            if (game.ended()) {
                continue;
            }
            if (kind < 4) {
                (void)game.on_join(encode_join_parameters(screen));
            } else if (kind == 4 && game.status().players > 1) {
                game.on_leave(who);
            } else if (kind == 5) {
                game.on_input(who, bot);
            } else {
                game.on_input(who, {&key, 1});
            }
        }
    }
    std::uint32_t next() { return static_cast<std::uint32_t>(random_()); }

private:
    Config config_;
    std::mt19937 random_;
};

}  // namespace

TEST_CASE("rules: a game restored at any tick goes on like the original", "[games][tron]") {
    std::mt19937 random(Catch::rngSeed());
    for (int match = 0; match < 60; ++match) {
        const Config config = random_config(random);
        const auto every = 1 + random() % 9;
        const auto seed = random();
        Hosted twin(config, seed);
        Hosted plain(config, seed);
        RandomEvents events(config, static_cast<std::uint32_t>(random()));
        for (unsigned tick = 0; tick < 400 && !plain.game().ended(); ++tick) {
            for (auto count = events.next() % 4; count > 0; --count) {
                events.apply({&plain, &twin});
            }
            plain.tick();
            twin.tick();
            if (tick % every == 0) {
                twin.restore();
            }
            REQUIRE(plain.view() == twin.view());
            REQUIRE(plain.state() == twin.state());
        }
    }
}

TEST_CASE("rules: a tick of an idle game changes nothing", "[games][tron]") {
    std::mt19937 random(Catch::rngSeed());
    unsigned idle_ticks = 0;
    for (int match = 0; match < 60; ++match) {
        const Config config = random_config(random);
        Hosted hosted(config, random());
        RandomEvents events(config, static_cast<std::uint32_t>(random()));
        for (int tick = 0; tick < 400; ++tick) {
            if (events.next() % 3 == 0) {
                events.apply({&hosted});
            }
            const bool idle = hosted.game().idle();
            const Buffer view = hosted.view();
            const Buffer state = hosted.state();
            hosted.tick();
            if (idle) {
                ++idle_ticks;
                REQUIRE(hosted.view() == view);
                REQUIRE(hosted.state() == state);
                REQUIRE(hosted.game().idle());
            } else {
                REQUIRE((hosted.view() != view || hosted.state() != state ||
                         hosted.seen().phase == MatchPhase::started));
            }
        }
    }
    CHECK(idle_ticks > 0);
}

TEST_CASE("rules: damaged bytes are refused or give a game that stays in bounds", "[games][tron]") {
    std::mt19937 random(Catch::rngSeed());
    unsigned refused = 0;
    for (int round = 0; round < 400; ++round) {
        const Config config = random_config(random);
        Hosted hosted(config, random());
        RandomEvents events(config, static_cast<std::uint32_t>(random()));
        for (int tick = 0; tick < 120; ++tick) {
            events.apply({&hosted});
            hosted.tick();
        }
        for (int copy = 0; copy < 20; ++copy) {
            Buffer state = hosted.state();
            Buffer view = hosted.view();
            Buffer& damaged = random() % 3 == 0 ? state : view;
            for (auto changes = 1 + random() % 3; changes > 0; --changes) {
                damaged[random() % damaged.size()] = std::byte(random() % 256);
            }
            if (random() % 8 == 0) {
                damaged.resize(random() % damaged.size());
            }
            (void)decode_view(view);
            (void)decode_view(Bytes(view).subspan(view.empty() ? 0 : 1));  // any address
            auto game = hosted.restored(state, view);
            refused += game ? 0u : 1u;
            Buffer out(65536);
            for (unsigned tick = 0; game && tick < 40; ++tick) {
                const std::byte key{
                    static_cast<std::uint8_t>(tick % 2 == 0 ? Key::insert : Key::up)};
                (*game)->on_input(seat(static_cast<int>(tick % config.seats)), {&key, 1});
                (*game)->tick(Tick{tick});
                REQUIRE((*game)->view(out) <=
                        tron_type().shape(encode_config(config))->view_bytes_max);
            }
        }
    }
    CHECK(refused > 0);
}

TEST_CASE("rules: a config out of range is refused with the value", "[games][tron]") {
    const auto refusal = [](const Config& config) {
        return tron_type().shape(encode_config(config)).error().message;
    };
    CHECK(refusal({.seats = 7}) == "tron: seats 7 is outside 1 to 6");
    CHECK(refusal({.seats = 0}) == "tron: seats 0 is outside 1 to 6");
    CHECK(refusal({.width = 9}) == "tron: width 9 is outside 10 to 2048");
    CHECK(refusal({.height = 7}) == "tron: height 7 is outside 8 to 1638");
    CHECK(refusal({.width = 200, .height = 100}) ==
          "tron: 200x100 has 20000 cells, more than 16384");
    CHECK(refusal({.tick_ms = 9}) == "tron: tick_ms 9 is outside 10 to 1000");
    CHECK(tron_type().shape({})->size_label == "80x22");
    CHECK(tron_type().shape({})->tick == std::chrono::milliseconds(100));
    const Buffer noise(40, std::byte{0xa5});
    CHECK_FALSE(tron_type().shape(noise).has_value());
}

TEST_CASE("rules: a live game keeps its size and takes no picks", "[games][tron]") {
    Hosted hosted({.seats = 2}, 1);
    CHECK(value(hosted.game().on_join({}).seat) == 0);
    CHECK(value(hosted.game().on_join(encode_join_parameters({20, 10})).seat) == 1);
    CHECK(hosted.game().on_join({}).reason == RefuseReason::full);
    CHECK(hosted.seen().width == 80);
    CHECK(hosted.seen().height == 22);
    hosted.press(0, Key::insert);
    hosted.press(1, Key::insert);
    hosted.tick();
    CHECK(hosted.game().on_join({}).reason == RefuseReason::in_progress);
    CHECK(hosted.game().status().phase == Phase::countdown);
}

TEST_CASE("rules: the countdown takes six seconds at any tick rate", "[games][tron]") {
    Hosted hosted({.seats = 1, .tick_ms = 50}, 1);
    (void)hosted.game().on_join({});
    hosted.press(0, Key::insert);
    hosted.tick();
    for (int tick = 0; tick < 119; ++tick) {
        hosted.tick();
        REQUIRE(hosted.seen().phase == MatchPhase::countdown);
    }
    hosted.tick();
    CHECK(hosted.seen().phase == MatchPhase::started);
}

TEST_CASE("rules: bots take seats, race, and leave them to players", "[games][tron]") {
    const Config config{.width = 40, .height = 24, .seats = 4, .tick_ms = 100};
    Hosted hosted(config, Catch::rngSeed());
    REQUIRE(hosted.game().on_join({}).reason == RefuseReason::none);
    for (int i = 0; i < 5; ++i) {
        hosted.ask_for_bot(true);  // of which two find no seat
    }
    hosted.tick();
    View view = hosted.seen();
    REQUIRE(view.cycles.size() == 4);
    CHECK(std::popcount(view.bots) == 3);
    CHECK((view.bots >> (view.cycles.front().number - 1) & 1) == 0);
    CHECK(std::ranges::count_if(view.cycles, &Cycle::ready) == 3);
    CHECK(hosted.game().idle());  // they wait for the player
    CHECK(hosted.game().status().players == 1);

    const JoinAnswer second = hosted.game().on_join({});  // in a bot's place
    REQUIRE(second.reason == RefuseReason::none);
    hosted.ask_for_bot(false);
    hosted.tick();
    view = hosted.seen();
    CHECK(view.cycles.size() == 3);
    CHECK(std::popcount(view.bots) == 1);
    hosted.ask_for_bot(true);
    hosted.press(0, Key::insert);
    hosted.press(value(second.seat), Key::insert);
    for (int tick = 0; tick < 62; ++tick) {
        hosted.tick();
    }
    REQUIRE(hosted.seen().phase == MatchPhase::started);
    hosted.ask_for_bot(false);  // not in a race
    bool laid = false;
    for (int tick = 0; tick < 2'000 && hosted.seen().phase == MatchPhase::started; ++tick) {
        hosted.tick();
        for (const Cycle& cycle : hosted.seen().cycles) {
            laid = laid || ((view.bots >> (cycle.number - 1) & 1) != 0 && !cycle.walls.empty());
        }
        hosted.restore();
    }
    CHECK(laid);
    view = hosted.seen();
    REQUIRE(view.phase == MatchPhase::finished);
    CHECK(std::popcount(view.bots) == 2);
    CHECK(std::ranges::count(view.cycles, CycleState::winner, &Cycle::state) == 1);
    CHECK(hosted.game().idle());  // the result stays to be seen
    hosted.press(0, Key::insert);
    hosted.tick();
    hosted.tick();
    CHECK(std::ranges::count_if(hosted.seen().cycles, &Cycle::ready) == 3);

    hosted.game().on_leave(second.seat);
    CHECK_FALSE(hosted.game().ended());
    hosted.game().on_leave(seat(0));
    CHECK(hosted.game().ended());  // bots do not play among themselves
    CHECK(hosted.seen().cycles.empty());
}

TEST_CASE("rules: bots fill a game whose players have waited", "[games][tron]") {
    const Config config{.width = 40, .height = 24, .seats = 3, .tick_ms = 100};
    Hosted hosted(config, Catch::rngSeed(), tron_type_with_bots());
    CHECK(hosted.game().idle());  // nobody waits
    REQUIRE(hosted.game().on_join({}).reason == RefuseReason::none);
    for (int tick = 1; tick < 100; ++tick) {
        CHECK_FALSE(hosted.game().idle());
        hosted.tick();
        hosted.restore();
        REQUIRE(hosted.seen().bots == 0);
    }
    hosted.tick();
    CHECK(std::popcount(hosted.seen().bots) == 2);
    CHECK(hosted.game().idle());
}
