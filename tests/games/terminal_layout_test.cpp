#include <string>

#include <catch2/catch.hpp>

#include "ringside/tron_terminal/layout.hpp"

using namespace ringside::tron;

namespace {

View race(std::uint16_t width = 60, std::uint16_t height = 20) {
    View view;
    view.phase = MatchPhase::started;
    view.width = width;
    view.height = height;
    view.cycles = {{.number = 1, .x = 10, .y = 5, .direction = Direction::right, .walls = {}},
                   {.number = 2, .x = 30, .y = 7, .direction = Direction::up, .walls = {}}};
    return view;
}

Scene scene_of(const View& view) {
    return {.view = view, .game = "duel", .seats = 2, .own_number = 1, .invitation = {}};
}

Canvas drawn(const Scene& scene) {
    return lay_out(scene, size_needed(scene.view));
}

bool shows(const Canvas& canvas, std::u32string_view text) {
    for (int row = 0; row < canvas.size().rows; ++row) {
        if (canvas.row(row).find(text) != std::u32string::npos) {
            return true;
        }
    }
    return false;
}

}  // namespace

TEST_CASE("layout: the outermost ring of cells is the border", "[games][terminal]") {
    const View view = race();
    const Canvas canvas = drawn(scene_of(view));
    REQUIRE(canvas.at(0, 0).glyph == U'╭');
    REQUIRE(canvas.at(59, 0).glyph == U'╮');
    REQUIRE(canvas.at(0, 19).glyph == U'╰');
    REQUIRE(canvas.at(59, 19).glyph == U'╯');
    REQUIRE(canvas.at(30, 0).glyph == U'─');
    REQUIRE(canvas.at(0, 10).glyph == U'│');
}

TEST_CASE("layout: cycles point where they go, one's own stands out", "[games][terminal]") {
    const View view = race();
    const Canvas canvas = drawn(scene_of(view));
    REQUIRE(canvas.at(10, 5).glyph == U'▶');
    REQUIRE(canvas.at(10, 5).reverse);
    REQUIRE(canvas.at(30, 7).glyph == U'▲');
    REQUIRE_FALSE(canvas.at(30, 7).reverse);
    REQUIRE(canvas.at(10, 5).colour != canvas.at(30, 7).colour);
}

TEST_CASE("layout: walls take their shape, and their owner's colour and line",
          "[games][terminal]") {
    View view = race();
    view.cycles[0].walls = {{.x = 5, .y = 5, .shape = WallShape::north_west},
                            {.x = 6, .y = 5, .shape = WallShape::east_west}};
    view.cycles[1].walls = {{.x = 6, .y = 8, .shape = WallShape::east_west}};
    const Canvas canvas = drawn(scene_of(view));
    REQUIRE(canvas.at(5, 5).glyph == U'┌');
    REQUIRE(canvas.at(6, 5).glyph == U'─');
    REQUIRE(canvas.at(6, 8).glyph == U'═');
    REQUIRE(canvas.at(6, 8).colour == player_colour(2));
}

TEST_CASE("layout: what lies outside the arena is not drawn", "[games][terminal]") {
    View view = race();
    view.cycles[0].x = -3;
    view.cycles[1].y = 20;  // the status line's row
    view.cycles[1].walls = {{.x = 400, .y = -200, .shape = WallShape::east_west}};
    const Canvas canvas = drawn(scene_of(view));
    REQUIRE_FALSE(shows(canvas, U"▶"));
    REQUIRE_FALSE(shows(canvas, U"▲"));
}

TEST_CASE("layout: an explosion and a wreck can be told from a cycle", "[games][terminal]") {
    View view = race();
    view.cycles[0].state = CycleState::exploding;
    view.cycles[1].state = CycleState::dead;
    for (std::uint8_t frame = 0; frame <= explosion_frame_max; ++frame) {
        view.cycles[0].explosion_frame = frame;
        const Canvas canvas = drawn(scene_of(view));
        REQUIRE(canvas.at(10, 5).glyph == U'✹');
        REQUIRE(shows(canvas, U"*"));
        REQUIRE(canvas.at(30, 7).glyph == U'×');
    }
}

TEST_CASE("layout: the status line names game, mode, player and phase", "[games][terminal]") {
    View view = race();
    REQUIRE_FALSE(shows(drawn(scene_of(view)), U"-- INSERT --"));
    view.cycles[0].state = CycleState::inserting;
    const Canvas canvas = drawn(scene_of(view));
    const std::u32string status = canvas.row(20);
    REQUIRE(status.starts_with(U"duel  -- INSERT --"));
    REQUIRE(status.find(U"player 1 (blue)  racing  2/2") != std::u32string::npos);
    Scene watching = scene_of(view);
    watching.own_number = 0;
    REQUIRE(drawn(watching).row(20).find(U"watching") != std::u32string::npos);
}

TEST_CASE("layout: the ready screen teaches the keys and says who is missing",
          "[games][terminal]") {
    View view = race();
    view.phase = MatchPhase::waiting;
    view.cycles.pop_back();
    Scene scene = scene_of(view);
    scene.invitation = "ringside play -A 10.0.0.5 -G duel";
    const Canvas canvas = drawn(scene);
    REQUIRE(shows(canvas, U"lay walls"));
    REQUIRE(shows(canvas, U"you, player 1: not ready"));
    REQUIRE(shows(canvas, U"waiting for 1 more player"));
    REQUIRE(shows(canvas, U"press i when you are ready"));
    REQUIRE(shows(canvas, U"ringside play -A 10.0.0.5 -G duel"));
    view.cycles[0].ready = true;
    REQUIRE(shows(drawn(scene), U"ready! esc takes it back"));
}

TEST_CASE("layout: each number of the countdown looks different", "[games][terminal]") {
    View view = race();
    view.phase = MatchPhase::countdown;
    std::vector<std::u32string> looks;
    for (const int count : {3, 2, 1}) {
        view.count = static_cast<std::uint8_t>(count);
        const Canvas canvas = drawn(scene_of(view));
        std::u32string look;
        for (int row = 0; row < canvas.size().rows; ++row) {
            look += canvas.row(row);
        }
        REQUIRE(look.find(U"██") != std::u32string::npos);
        looks.push_back(look);
    }
    REQUIRE(looks[0] != looks[1]);
    REQUIRE(looks[1] != looks[2]);
}

TEST_CASE("layout: the result is the player's own", "[games][terminal]") {
    View view = race();
    view.phase = MatchPhase::finished;
    view.cycles[0].state = CycleState::dead;
    SECTION("won by another") {
        view.cycles[1].state = CycleState::winner;
        REQUIRE(shows(drawn(scene_of(view)), U"Game over: player 2 won"));
    }
    SECTION("won") {
        view.cycles[0].state = CycleState::winner;
        view.cycles[1].state = CycleState::dead;
        REQUIRE(shows(drawn(scene_of(view)), U"You won!"));
    }
    SECTION("won by nobody") {
        view.cycles[1].state = CycleState::dead;
        REQUIRE(shows(drawn(scene_of(view)), U"nobody won"));
    }
    REQUIRE(shows(drawn(scene_of(view)), U"press i to play again"));
}

TEST_CASE("layout: a terminal that is too small is told both sizes, whatever its size",
          "[games][terminal]") {
    const View view = race(80, 22);
    const Canvas canvas = lay_out(scene_of(view), {79, 23});
    REQUIRE(shows(canvas, U"this game needs 80 x 23"));
    REQUIRE(shows(canvas, U"the terminal has 79 x 23"));
    REQUIRE_FALSE(shows(lay_out(scene_of(view), {80, 23}), U"needs"));
    for (int columns = 0; columns < 30; ++columns) {
        for (int rows = 0; rows < 5; ++rows) {
            REQUIRE(lay_out(scene_of(view), {columns, rows}).size() == ScreenSize{columns, rows});
        }
    }
}

TEST_CASE("layout: every phase fits every arena that a game admits", "[games][terminal]") {
    for (const auto& [width, height] : {std::pair{10, 8}, {44, 8}, {10, 200}, {200, 80}}) {
        View view = race(static_cast<std::uint16_t>(width), static_cast<std::uint16_t>(height));
        for (std::uint8_t phase = 0; phase < match_phase_count; ++phase) {
            view.phase = static_cast<MatchPhase>(phase);
            view.count = 2;
            const Canvas canvas = drawn(scene_of(view));
            REQUIRE(canvas.size() == size_needed(view));
        }
    }
}
