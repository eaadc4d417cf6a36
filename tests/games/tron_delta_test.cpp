// Deltas of tron: whoever applies them has what the whole views show.

#include <array>
#include <optional>
#include <vector>

#include <catch2/catch.hpp>

#include "ringside/core/random.hpp"
#include "ringside/tron/config.hpp"
#include "ringside/tron/rules.hpp"
#include "ringside/tron/types.hpp"
#include "ringside/tron/view.hpp"

using namespace ringside;
using namespace ringside::tron;

namespace {

using Buffer = std::vector<std::byte>;

struct Publication {
    Buffer view;
    Buffer delta;
};

/// A game whose every publication is kept, as a host would make it.
class Published {
public:
    explicit Published(const Config& config, std::uint64_t seed)
        : config_(encode_config(config)),
          shape_(tron_type().shape(config_).value()),
          game_(tron_type().create(config_, seed)) {}

    Game& game() { return *game_; }
    Publication publish() {
        Publication out{.view = Buffer(shape_.view_bytes_max),
                        .delta = Buffer(shape_.delta_bytes_max)};
        out.view.resize(game_->view(out.view));
        out.delta.resize(game_->delta(out.delta));
        return out;
    }
    void restore() {
        Buffer state(shape_.state_bytes_max);
        state.resize(game_->save(state));
        game_ = tron_type().restore(config_, state, publish().view).value();
    }
    void press(std::uint8_t seat, Key key) {
        const std::byte byte{static_cast<std::uint8_t>(key)};
        game_->on_input(Seat{seat}, {&byte, 1});
    }

private:
    Buffer config_;
    GameShape shape_;
    std::unique_ptr<Game> game_;
};

constexpr std::array keys{Key::left, Key::down,   Key::up,     Key::right,
                          Key::left, Key::insert, Key::insert, Key::escape};

struct Tally {
    std::size_t racing = 0;         // publications of a race that went on
    std::size_t racing_deltas = 0;  // of those, as a delta
    std::size_t longest = 0;
};

void play(const Config& config, Random& random, Tally& tally) {
    Published match(config, random.next());
    std::vector<bool> seated(config.seats, false);
    std::optional<View> followed;
    for (int turn = 0; turn < 400; ++turn) {
        const auto seat = static_cast<std::uint8_t>(random.next() % config.seats);
        if (random.next() % 16 == 0 && !match.game().ended()) {
            if (seated[seat] && random.next() % 8 == 0) {
                match.game().on_leave(Seat{seat});
                seated[seat] = false;
            } else if (const auto joined = match.game().on_join({});
                       joined.reason == RefuseReason::none) {
                seated[value(joined.seat)] = true;
            }
        }
        if (seated[seat] && random.next() % 3 == 0) {
            match.press(seat, keys[random.next() % keys.size()]);
        }
        if (random.next() % 8 != 0) {
            match.game().tick(Tick{static_cast<std::uint64_t>(turn)});
        }
        const bool restored = random.next() % 50 == 0;
        if (restored) {
            match.restore();
        }
        const Publication now = match.publish();
        const View view = decode_view(now.view).value();
        REQUIRE_FALSE((restored && !now.delta.empty()));
        const bool racing = !restored && followed && followed->phase == MatchPhase::started &&
                            view.phase == MatchPhase::started &&
                            followed->cycles.size() == view.cycles.size();
        tally.racing += racing;
        tally.racing_deltas += racing && !now.delta.empty();
        tally.longest = std::max(tally.longest, now.delta.size());
        if (!now.delta.empty()) {
            REQUIRE(followed.has_value());
            REQUIRE(apply_delta(now.delta, *followed));
            REQUIRE(*followed == view);
        }
        followed = view;
    }
}

}  // namespace

TEST_CASE("tron: a delta makes the next view of the one before, whatever happens",
          "[games][tron][delta]") {
    Random random(Catch::rngSeed());
    Tally tally;
    for (std::uint32_t round = 0; round < 300; ++round) {
        play({.width = static_cast<std::uint16_t>(width_min + random.next() % 60),
              .height = static_cast<std::uint16_t>(height_min + random.next() % 20),
              .seats = static_cast<std::uint8_t>(1 + round % seats_limit),
              .tick_ms = 500},
             random, tally);
    }
    REQUIRE(tally.racing > 1'000);
    REQUIRE(tally.racing_deltas == tally.racing);  // a race is told in deltas alone
    REQUIRE(tally.longest <= 1 + 2 * seats_limit);
}

TEST_CASE("tron: a racing tick is told in one byte, and one for each cycle",
          "[games][tron][delta]") {
    for (std::uint8_t seats = 1; seats <= seats_limit; ++seats) {
        Published match({.width = 120, .height = 60, .seats = seats, .tick_ms = 1000}, 7);
        for (std::uint8_t seat = 0; seat < seats; ++seat) {
            REQUIRE(match.game().on_join({}).reason == RefuseReason::none);
            match.press(seat, Key::insert);
        }
        for (std::uint64_t tick = 0; tick < 7; ++tick) {
            match.game().tick(Tick{tick});
        }
        (void)match.publish();
        match.game().tick(Tick{7});
        REQUIRE(match.publish().delta.size() == 1u + seats);
    }
}

TEST_CASE("tron: foreign deltas are refused or make a view within bounds", "[games][tron][delta]") {
    Random random(Catch::rngSeed());
    Published match({.seats = 3, .tick_ms = 500}, 1);
    for (std::uint8_t seat = 0; seat < 3; ++seat) {
        REQUIRE(match.game().on_join({}).reason == RefuseReason::none);
    }
    const View start = decode_view(match.publish().view).value();
    View view = start;
    std::size_t applied = 0;
    for (int round = 0; round < 200'000; ++round) {
        Buffer delta(random.next() % 9);
        for (std::byte& byte : delta) {
            byte = static_cast<std::byte>(random.next());
        }
        if (!delta.empty() && random.next() % 2 == 0) {
            delta[0] = static_cast<std::byte>(3u << 5 | 2u);  // three cycles, started
        }
        if (!apply_delta(delta, view)) {
            view = start;
            continue;
        }
        ++applied;
        REQUIRE(view.cycles.size() == 3);
        for (const Cycle& cycle : view.cycles) {
            REQUIRE(static_cast<int>(cycle.state) < cycle_state_count);
            REQUIRE(cycle.explosion_frame <= explosion_frame_max);
            REQUIRE(cycle.walls.size() <= cells_max + seats_limit);
        }
    }
    REQUIRE(applied > 1'000);
}
