#include "names.hpp"

#include <catch2/catch.hpp>

#include "ringside/core/game_name.hpp"

TEST_CASE("names: a made-up name is a game's name", "[games][names]") {
    for (int i = 0; i < 1000; ++i) {
        REQUIRE(ringside::is_game_name(ringside::made_up_name()));
    }
}
