#include "ringside/relay/relay.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include <catch2/catch.hpp>

#include "ringside/core/limits.hpp"
#include "ringside/core/random.hpp"

using namespace ringside;
using relay::relay_type;

namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
    const auto* first = reinterpret_cast<const std::byte*>(text.data());
    return {first, first + text.size()};
}

std::string text_of(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct Saved {
    std::vector<std::byte> state;
    std::vector<std::byte> view;
    friend bool operator==(const Saved&, const Saved&) = default;
};

Saved saved(Game& game, Bytes config) {
    const auto shape = relay_type().shape(config);
    Saved saved{.state = std::vector<std::byte>(shape->state_bytes_max),
                .view = std::vector<std::byte>(shape->view_bytes_max)};
    saved.state.resize(game.save(saved.state));
    saved.view.resize(game.view(saved.view));
    return saved;
}

}  // namespace

TEST_CASE("relay: all see what each sent, the newest last", "[games][relay]") {
    const auto config = relay::encode_config({.seats = 2, .history = 3});
    const auto game = relay_type().create(config, 1);
    REQUIRE(value(game->on_join({}).seat) == 0);
    REQUIRE(value(game->on_join({}).seat) == 1);
    REQUIRE(game->on_join({}).reason == RefuseReason::full);
    for (const char* text : {"one", "two", "", "four"}) {
        game->on_input(Seat{1}, bytes_of(text));
    }
    const Saved now = saved(*game, config);
    const auto view = relay::decode_view(now.view);
    REQUIRE(view.has_value());
    REQUIRE(view->count == 4);
    REQUIRE(view->events.size() == 3);
    REQUIRE(text_of(view->events[0].bytes) == "two");
    REQUIRE(text_of(view->events[1].bytes).empty());
    REQUIRE(text_of(view->events[2].bytes) == "four");
    REQUIRE(view->events[2].seat == 1);
    game->on_leave(Seat{0});
    REQUIRE(value(game->on_join({}).seat) == 0);
}

TEST_CASE("relay: a restored one goes on like the original", "[games][relay]") {
    Random random(Catch::rngSeed());
    const auto config = relay::encode_config({.seats = 64, .history = 5});
    auto original = relay_type().create(config, 1);
    for (int step = 0; step < 500; ++step) {
        const Saved before = saved(*original, config);
        auto restored = relay_type().restore(config, before.state, before.view);
        REQUIRE(restored.has_value());
        REQUIRE(saved(**restored, config) == before);
        if (random.next() % 4 == 0) {
            REQUIRE(original->on_join({}).seat == (*restored)->on_join({}).seat);
        } else {
            const std::vector<std::byte> input(random.next() % (input_bytes_max + 1), std::byte{7});
            const Seat seat{static_cast<std::uint8_t>(random.next() % 64)};
            original->on_input(seat, input);
            (*restored)->on_input(seat, input);
        }
        REQUIRE(saved(*original, config) == saved(**restored, config));
        original = std::move(*restored);
    }
}

TEST_CASE("relay: what is no config, state or view is refused", "[games][relay]") {
    for (const relay::Config wrong :
         {relay::Config{0, 8}, relay::Config{65, 8}, relay::Config{8, 0}, relay::Config{8, 65}}) {
        REQUIRE_FALSE(relay_type().shape(relay::encode_config(wrong)).has_value());
    }
    REQUIRE_FALSE(relay_type().shape(bytes_of("abc")).has_value());
    REQUIRE(relay_type().shape({}).has_value());

    const auto game = relay_type().create({}, 1);
    game->on_input(Seat{0}, bytes_of("hello"));
    const Saved good = saved(*game, {});
    Random random(Catch::rngSeed());
    for (int round = 0; round < 20'000; ++round) {
        Saved bad = good;
        bad.view[random.next() % bad.view.size()] = static_cast<std::byte>(random.next());
        bad.view.resize(random.next() % (bad.view.size() + 1));
        if (const auto restored = relay_type().restore({}, bad.state, bad.view)) {
            REQUIRE(relay::decode_view(saved(**restored, {}).view).has_value());
        }
    }
    REQUIRE_FALSE(relay_type().restore({}, {}, good.view).has_value());
}
