#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "ringside/tron_terminal/layout.hpp"

using namespace ringside::tron;

namespace {

constexpr ScreenSize roomy{100, 30};

View arena(MatchPhase phase, std::uint16_t width = 80, std::uint16_t height = 22) {
    return {.phase = phase, .count = 0, .width = width, .height = height, .cycles = {}};
}

Cycle cycle_at(std::uint8_t number, std::int16_t x, std::int16_t y,
               CycleState state = CycleState::racing) {
    return {.number = number,
            .x = x,
            .y = y,
            .direction = Direction::right,
            .state = state,
            .explosion_frame = 0,
            .ready = false,
            .walls = {}};
}

Scene scene_of(const View& view, std::uint8_t seats = 2, std::uint8_t own_number = 1) {
    return {.view = view,
            .game = "swift-lantern",
            .seats = seats,
            .own_number = own_number,
            .invitation = {}};
}

std::u32string everything(const Canvas& screen) {
    std::u32string text;
    for (int row = 0; row < screen.size().rows; ++row) {
        text += screen.row(row) + U'\n';
    }
    return text;
}

bool shows(const Canvas& screen, std::u32string_view text) {
    return everything(screen).find(text) != std::u32string::npos;
}

std::u32string glyphs(const Canvas& screen, int column, int row, int count) {
    return screen.row(row).substr(static_cast<std::size_t>(column),
                                  static_cast<std::size_t>(count));
}

}  // namespace

TEST_CASE("layout: players are called by their nicknames", "[games][terminal]") {
    View view = arena(MatchPhase::waiting);
    view.cycles = {cycle_at(1, 10, 10), cycle_at(2, 20, 10)};
    const std::vector<std::string> nicknames{"", "Anna"};
    Scene scene = scene_of(view, 3);
    scene.nicknames = nicknames;
    CHECK(shows(lay_out(scene, roomy), U"you, player 1: not ready"));
    CHECK(shows(lay_out(scene, roomy), U"Anna: not ready"));
    CHECK(shows(lay_out(scene, roomy), U"player 1 (blue)"));
    scene.own_number = 2;
    CHECK(shows(lay_out(scene, roomy), U"you, Anna: not ready"));
    CHECK(shows(lay_out(scene, roomy), U"Anna (orange)"));
    view.phase = MatchPhase::finished;
    view.cycles[1].state = CycleState::winner;
    scene.own_number = 1;
    CHECK(shows(lay_out(scene, roomy), U"Game over: Anna won"));
    const std::vector<std::string> alike{"Anna", "Anna"};
    scene.nicknames = alike;
    CHECK(shows(lay_out(scene, roomy), U"Game over: Anna (2) won"));
    const std::vector<std::string> pretends{"", "player 1"};
    scene.nicknames = pretends;
    CHECK(shows(lay_out(scene, roomy), U"Game over: player 1 (2) won"));
    const std::vector<std::string> wide{"", "\u540d\u524d e\u0301"};  // two columns, and none
    scene.nicknames = wide;
    CHECK(shows(lay_out(scene, roomy), U"Game over: ?? e? won"));
}

TEST_CASE("layout: the arena has a border of its own size", "[games][terminal]") {
    const Canvas screen = lay_out(scene_of(arena(MatchPhase::started, 50, 20)), roomy);
    CHECK(screen.at(0, 0).glyph == U'╭');
    CHECK(screen.at(49, 0).glyph == U'╮');
    CHECK(screen.at(0, 19).glyph == U'╰');
    CHECK(screen.at(49, 19).glyph == U'╯');
    CHECK(glyphs(screen, 1, 0, 48) == std::u32string(48, U'─'));
    CHECK(screen.at(0, 10).glyph == U'│');
    CHECK(screen.at(49, 10).glyph == U'│');
    CHECK(screen.at(50, 0) == ScreenCell{});
}

TEST_CASE("layout: a cycle points where it goes, and one's own stands out", "[games][terminal]") {
    View view = arena(MatchPhase::started);
    for (std::uint8_t i = 0; i < direction_count; ++i) {
        view.cycles.push_back(cycle_at(static_cast<std::uint8_t>(i + 1), 10, i + 5));
        view.cycles.back().direction = static_cast<Direction>(i);
    }
    const Canvas screen = lay_out(scene_of(view, 4, 3), roomy);
    const std::u32string_view heads = U"▲▶▼◀";
    for (std::uint8_t i = 0; i < direction_count; ++i) {
        const ScreenCell& cell = screen.at(10, i + 5);
        CHECK(cell.glyph == heads[i]);
        CHECK(cell.colour == player_colour(static_cast<std::uint8_t>(i + 1)));
        CHECK(cell.reverse == (i + 1 == 3));
    }
}

TEST_CASE("layout: walls join at their corners", "[games][terminal]") {
    View view = arena(MatchPhase::started);
    Cycle cycle = cycle_at(1, 20, 10);
    const auto wall = [&](std::int16_t x, std::int16_t y, WallShape shape) {
        cycle.walls.push_back({.x = x, .y = y, .shape = shape, .direction = Direction::right});
    };
    wall(5, 5, WallShape::north_west);
    wall(6, 5, WallShape::east_west);
    wall(7, 5, WallShape::north_east);
    wall(5, 6, WallShape::north_south);
    wall(7, 6, WallShape::north_south);
    wall(5, 7, WallShape::south_west);
    wall(6, 7, WallShape::east_west);
    wall(7, 7, WallShape::south_east);
    view.cycles.push_back(cycle);
    const Canvas screen = lay_out(scene_of(view), roomy);
    CHECK(glyphs(screen, 5, 5, 3) == U"┌─┐");
    CHECK(glyphs(screen, 5, 6, 3) == U"│ │");
    CHECK(glyphs(screen, 5, 7, 3) == U"└─┘");
    CHECK(screen.at(6, 5).colour == player_colour(1));
}

TEST_CASE("layout: no two players' walls look alike without colour", "[games][terminal]") {
    View view = arena(MatchPhase::started);
    for (std::uint8_t number = 1; number <= seats_limit; ++number) {
        Cycle cycle = cycle_at(number, 40, number);
        cycle.walls.push_back({.x = 5,
                               .y = static_cast<std::int16_t>(number * 2),
                               .shape = WallShape::east_west,
                               .direction = Direction::right});
        view.cycles.push_back(cycle);
    }
    const Canvas screen = lay_out(scene_of(view, seats_limit), roomy);
    std::u32string seen;
    for (int number = 1; number <= static_cast<int>(seats_limit); ++number) {
        const char32_t glyph = screen.at(5, number * 2).glyph;
        CHECK(glyph != U' ');
        CHECK(seen.find(glyph) == std::u32string::npos);
        seen += glyph;
    }
}

TEST_CASE("layout: what lies outside the arena is not drawn", "[games][terminal]") {
    View view = arena(MatchPhase::started, 50, 20);
    Cycle cycle = cycle_at(1, -3, 500);
    for (const std::int16_t far :
         {std::int16_t{-1}, std::int16_t{50}, std::int16_t{INT16_MAX}, std::int16_t{INT16_MIN}}) {
        cycle.walls.push_back({.x = far, .y = 3, .shape = {}, .direction = {}});
        cycle.walls.push_back({.x = 3, .y = far, .shape = {}, .direction = {}});
    }
    const Canvas empty = lay_out(scene_of(view), roomy);
    view.cycles.push_back(cycle);
    const Canvas screen = lay_out(scene_of(view), roomy);
    for (int row = 0; row < 20; ++row) {
        CHECK(screen.row(row) == empty.row(row));
    }
}

TEST_CASE("layout: an explosion grows and stays inside the border's box", "[games][terminal]") {
    View view = arena(MatchPhase::started);
    view.cycles.push_back(cycle_at(1, 30, 10, CycleState::exploding));
    const Canvas first = lay_out(scene_of(view), roomy);
    view.cycles.back().explosion_frame = explosion_frame_max;
    const Canvas last = lay_out(scene_of(view), roomy);
    CHECK(first.at(30, 10).glyph == U'✹');
    CHECK(first.at(32, 10).glyph == U'*');
    CHECK(last.at(32, 10).glyph == U' ');
    CHECK(last.at(36, 10).glyph == U'*');

    view.cycles.back() = cycle_at(1, 79, 21, CycleState::exploding);
    const Canvas corner = lay_out(scene_of(view), roomy);
    CHECK(corner.at(79, 21).glyph == U'✹');
    CHECK(corner.at(81, 21).glyph == U' ');
    CHECK(corner.row(22).find(U'*') == std::u32string::npos);
}

TEST_CASE("layout: a wreck can be told from a cycle", "[games][terminal]") {
    View view = arena(MatchPhase::started);
    view.cycles = {cycle_at(1, 30, 10, CycleState::dead)};
    const ScreenCell wreck = lay_out(scene_of(view), roomy).at(30, 10);
    CHECK(wreck.glyph == U'×');
    CHECK_FALSE(wreck.reverse);
}

TEST_CASE("layout: the countdown is large, and everybody finds their cycle", "[games][terminal]") {
    View view = arena(MatchPhase::countdown);
    view.cycles = {cycle_at(1, 2, 3), cycle_at(2, 77, 3)};
    view.count = GENERATE(as<std::uint8_t>{}, 1, 2, 3);
    const Canvas screen = lay_out(scene_of(view), roomy);
    CHECK(shows(screen, U"███"));
    CHECK(glyphs(screen, 4, 3, 3) == U"you");
    CHECK(glyphs(screen, 68, 3, 8) == U"player 2");
    CHECK(shows(screen, U"get ready"));
}

TEST_CASE("layout: each number of the countdown looks different", "[games][terminal]") {
    View view = arena(MatchPhase::countdown);
    std::vector<std::u32string> looks;
    for (const int count : {1, 2, 3}) {
        view.count = static_cast<std::uint8_t>(count);
        looks.push_back(everything(lay_out(scene_of(view), roomy)));
        CHECK(std::ranges::count(looks, looks.back()) == 1);
    }
}

TEST_CASE("layout: a count that is none is not drawn", "[games][terminal]") {
    View view = arena(MatchPhase::countdown);
    view.count = GENERATE(as<std::uint8_t>{}, 0, 4, 255);
    CHECK_FALSE(shows(lay_out(scene_of(view), roomy), U"█"));
}

TEST_CASE("layout: the ready screen teaches the keys and says who is ready", "[games][terminal]") {
    View view = arena(MatchPhase::waiting);
    view.cycles = {cycle_at(1, 2, 3), cycle_at(2, 77, 3)};
    view.cycles[1].ready = true;
    SECTION("to a player who is not") {
        const Canvas screen = lay_out(scene_of(view, 3, 1), roomy);
        CHECK(shows(screen, U"h ←   → l"));
        CHECK(shows(screen, U"you, player 1: not ready"));
        CHECK(shows(screen, U"player 2: ready"));
        CHECK(shows(screen, U"waiting for 1 more player"));
        CHECK(shows(screen, U"press i when you are ready"));
        CHECK(shows(screen, U"waiting  2/3"));
    }
    SECTION("to one who is") {
        const Canvas screen = lay_out(scene_of(view, 3, 2), roomy);
        CHECK(shows(screen, U"you, player 2: ready"));
        CHECK(shows(screen, U"esc takes it back"));
    }
    SECTION("to a spectator") {
        const Canvas screen = lay_out(scene_of(view, 3, 0), roomy);
        CHECK(shows(screen, U"you are watching"));
        CHECK_FALSE(shows(screen, U"press i"));
        CHECK(shows(screen, U"watching  waiting  2/3"));
    }
}

TEST_CASE("layout: an invitation is shown whole, in two lines where it is long",
          "[games][terminal]") {
    const View view = arena(MatchPhase::waiting);
    Scene scene = scene_of(view);
    SECTION("short") {
        scene.invitation = "ringside play -A 10.0.0.5 -G swift-lantern";
        CHECK(shows(lay_out(scene, roomy), U"ringside play -A 10.0.0.5 -G swift-lantern"));
    }
    SECTION("long") {
        const std::string name(47, 'x');
        const std::string command = "ringside play -A 255.255.255.255 -P 10000 -G " + name;
        scene.invitation = command;
        const Canvas screen = lay_out(scene, roomy);
        CHECK(shows(screen, U"ringside play -A 255.255.255.255 -P 10000"));
        CHECK(shows(screen, U"-G " + std::u32string(47, U'x')));
    }
}

TEST_CASE("layout: the end says who won, and how to go on", "[games][terminal]") {
    View view = arena(MatchPhase::finished);
    view.cycles = {cycle_at(1, 2, 3, CycleState::winner), cycle_at(2, 77, 3, CycleState::dead)};
    SECTION("to the winner") {
        const Canvas screen = lay_out(scene_of(view, 2, 1), roomy);
        CHECK(shows(screen, U"You won!"));
        CHECK(shows(screen, U"press i to play again, q to quit"));
        CHECK(shows(screen, U"game over"));
    }
    SECTION("to the others") {
        CHECK(shows(lay_out(scene_of(view, 2, 2), roomy), U"Game over: player 1 won"));
    }
    SECTION("when nobody did") {
        view.cycles[0].state = CycleState::dead;
        CHECK(shows(lay_out(scene_of(view, 2, 1), roomy), U"Game over: nobody won"));
    }
    SECTION("in practice, where there is nobody to win against") {
        view.cycles.pop_back();
        const Canvas screen = lay_out(scene_of(view, 1, 1), roomy);
        CHECK(shows(screen, U"Game over"));
        CHECK_FALSE(shows(screen, U"won"));
    }
}

TEST_CASE("layout: the status line has the game lower left and shows INSERT in a race",
          "[games][terminal]") {
    View view = arena(MatchPhase::started);
    view.cycles = {cycle_at(1, 2, 3), cycle_at(2, 77, 3)};
    const std::u32string mode = U"-- INSERT --";
    CHECK_FALSE(shows(lay_out(scene_of(view), roomy), mode));
    view.cycles[1].state = CycleState::inserting;
    CHECK_FALSE(shows(lay_out(scene_of(view), roomy), mode));
    view.cycles[0].state = CycleState::inserting;
    const Canvas screen = lay_out(scene_of(view), roomy);
    const std::u32string status = screen.row(22);
    CHECK(status.starts_with(U"swift-lantern  -- INSERT --"));
    CHECK(status.find(U"player 1 (blue)  racing  2/2") != std::u32string::npos);
    view.phase = MatchPhase::finished;
    CHECK_FALSE(shows(lay_out(scene_of(view), roomy), mode));
}

TEST_CASE("layout: a long name leaves room for mode and state", "[games][terminal]") {
    View view = arena(MatchPhase::started);
    view.cycles = {cycle_at(1, 2, 3, CycleState::inserting)};
    const std::string name(47, 'x');
    Scene scene = scene_of(view);
    scene.game = name;
    const std::u32string status = lay_out(scene, size_needed(view)).row(22);
    CHECK(status.find(U"x…  -- INSERT --") != std::u32string::npos);
    CHECK(status.ends_with(U"racing  1/2"));
}

TEST_CASE("layout: control characters and foreign bytes never reach the screen",
          "[games][terminal]") {
    const View view = arena(MatchPhase::waiting);
    Scene scene = scene_of(view);
    scene.game = "\x1b]0;evil\a\x9b\xc2\x9b";
    scene.invitation = "join\x1b[2J\n\r\t\x7f";
    const Canvas screen = lay_out(scene, roomy);
    CHECK(std::ranges::none_of(everything(screen), [](char32_t glyph) {
        return (glyph < U' ' && glyph != U'\n') || (glyph >= 0x7f && glyph < 0xa0);
    }));
    CHECK(screen.row(22).starts_with(U"?]0;evil????"));
    CHECK(shows(screen, U"join?[2J????"));
}

TEST_CASE("layout: a terminal too small is told both sizes", "[games][terminal]") {
    const View view = arena(MatchPhase::started);
    const ScreenSize needed = size_needed(view);
    CHECK(needed == ScreenSize{80, 23});
    CHECK(shows(lay_out(scene_of(view), needed), U"╭──"));
    for (const ScreenSize small : {ScreenSize{79, 23}, ScreenSize{80, 22}, ScreenSize{30, 5}}) {
        const Canvas screen = lay_out(scene_of(view), small);
        CHECK(screen.size() == small);
        CHECK(shows(screen, U"this game needs 80 x 23"));
        CHECK_FALSE(shows(screen, U"╭──"));
    }
    CHECK(shows(lay_out(scene_of(view), {60, 15}), U"the terminal has 60 x 15"));
}

TEST_CASE("layout: no terminal is too small to draw", "[games][terminal]") {
    const View view = arena(MatchPhase::waiting);
    for (int columns = -1; columns < 4; ++columns) {
        for (int rows = -1; rows < 4; ++rows) {
            static_cast<void>(lay_out(scene_of(view), {columns, rows}));
        }
    }
    SUCCEED();
}

TEST_CASE("layout: the smallest arena has room for six players and an invitation",
          "[games][terminal]") {
    View view = arena(MatchPhase::waiting, 10, 8);
    for (std::uint8_t number = 1; number <= seats_limit; ++number) {
        view.cycles.push_back(cycle_at(number, 2, 3));
    }
    Scene scene = scene_of(view, seats_limit, 6);
    scene.invitation = "ringside play -A 10.0.0.5 -P 10000 -G swift-lantern";
    const Canvas screen = lay_out(scene, size_needed(view));
    CHECK(shows(screen, U"RINGSIDE TRON"));
    CHECK(shows(screen, U"player 1: not ready"));
    CHECK(shows(screen, U"you, player 6: not ready"));
    CHECK(shows(screen, U"press i when you are ready"));
    CHECK(shows(screen, U"ringside play -A 10.0.0.5 -P 10000"));
    CHECK(shows(screen, U"-G swift-lantern"));
    CHECK(screen.row(screen.size().rows - 1).find(U"6/6") != std::u32string::npos);
}

TEST_CASE("layout: every phase fits every arena that a game admits", "[games][terminal]") {
    for (const auto& [width, height] : {std::pair{10, 8}, {44, 8}, {10, 200}, {200, 80}}) {
        View view =
            arena({}, static_cast<std::uint16_t>(width), static_cast<std::uint16_t>(height));
        view.cycles = {cycle_at(1, 2, 3), cycle_at(2, 7, 3)};
        for (std::uint8_t phase = 0; phase < match_phase_count; ++phase) {
            view.phase = static_cast<MatchPhase>(phase);
            view.count = 2;
            const ScreenSize needed = size_needed(view);
            const Canvas screen = lay_out(scene_of(view), needed);
            CHECK(screen.size() == needed);
            CHECK(screen.row(needed.rows - 1).find(U"2/2") != std::u32string::npos);
        }
    }
}
