#include <array>
#include <string>
#include <utility>

#include "drawing.hpp"

namespace ringside::tron {
namespace {

void draw_border(Canvas& screen, const View& view) {
    const ScreenCell style{.colour = Colour::border};
    const int right = view.width - 1;
    const int bottom = view.height - 1;
    const auto put = [&](int x, int y, char32_t glyph) {
        ScreenCell cell = style;
        cell.glyph = glyph;
        screen.put(x, y, cell);
    };
    for (int x = 1; x < right; ++x) {
        put(x, 0, U'─');
        put(x, bottom, U'─');
    }
    for (int y = 1; y < bottom; ++y) {
        put(0, y, U'│');
        put(right, y, U'│');
    }
    put(0, 0, U'╭');
    put(right, 0, U'╮');
    put(0, bottom, U'╰');
    put(right, bottom, U'╯');
}

// Line styles are the second cue beside the colour: each player has one.
char32_t wall_glyph(WallShape shape, std::uint8_t number) {
    constexpr std::array<std::u32string_view, seats_limit> styles{U"─│┐┌└┘", U"═║╗╔╚╝", U"━┃┓┏┗┛",
                                                                  U"┄┆╮╭╰╯", U"┅┇┓┏┗┛", U"╪╫╬╬╬╬"};
    const std::u32string_view style = styles[(number - 1u) % styles.size()];
    switch (shape) {
        case WallShape::east_west: return style[0];
        case WallShape::north_south: return style[1];
        case WallShape::north_east: return style[2];
        case WallShape::north_west: return style[3];
        case WallShape::south_west: return style[4];
        case WallShape::south_east: return style[5];
    }
    return U'?';
}

bool inside(const View& view, int x, int y) {
    return x >= 0 && y >= 0 && x < view.width && y < view.height;
}

void draw_walls(Canvas& screen, const View& view, const Cycle& cycle) {
    for (const Wall& wall : cycle.walls) {
        if (inside(view, wall.x, wall.y)) {
            screen.put(wall.x, wall.y,
                       {.glyph = wall_glyph(wall.shape, cycle.number),
                        .colour = player_colour(cycle.number)});
        }
    }
}

// A ring of sparks that grows with the frames.
void draw_explosion(Canvas& screen, const View& view, const Cycle& cycle) {
    const int radius = 1 + cycle.explosion_frame / 4;
    const ScreenCell spark{
        .glyph = U'*', .colour = player_colour(cycle.number), .bold = cycle.explosion_frame < 6};
    for (const auto& [x, y] :
         {std::pair{-1, -1}, {0, -1}, {1, -1}, {-1, 0}, {1, 0}, {-1, 1}, {0, 1}, {1, 1}}) {
        const int column = cycle.x + x * radius * 2;  // a character is about twice as high as wide
        const int row = cycle.y + y * radius;
        if (inside(view, column, row)) {
            screen.put(column, row, spark);
        }
    }
}

void draw_cycle(Canvas& screen, const View& view, const Cycle& cycle, bool own) {
    if (!inside(view, cycle.x, cycle.y)) {
        return;
    }
    constexpr std::u32string_view heads = U"▲▶▼◀";
    ScreenCell cell{.glyph = heads[static_cast<std::size_t>(cycle.direction)],
                    .colour = player_colour(cycle.number),
                    .bold = true,
                    .reverse = own};
    if (cycle.state == CycleState::exploding) {
        cell.glyph = U'✹';
        cell.reverse = false;
    } else if (cycle.state == CycleState::dead) {
        cell.glyph = U'×';
        cell.bold = cell.reverse = false;
    }
    screen.put(cycle.x, cycle.y, cell);
}

// While the start is counted down, each player finds their cycle by its name, on the side where the
// arena has room.
void draw_name(Canvas& screen, const Scene& scene, const Cycle& cycle) {
    const View& view = scene.view;
    const bool own = cycle.number == scene.own_number;
    const std::u32string name = own ? U"you" : name_of(scene, cycle.number);
    const int column =
        cycle.x < view.width / 2 ? cycle.x + 2 : cycle.x - 1 - static_cast<int>(name.size());
    if (inside(view, cycle.x, cycle.y)) {
        screen.text(column, cycle.y, name, {.colour = player_colour(cycle.number), .bold = own});
    }
}

}  // namespace

void draw_arena(Canvas& screen, const Scene& scene) {
    const View& view = scene.view;
    draw_border(screen, view);
    if (view.phase == MatchPhase::waiting) {
        return;  // nobody has a place yet
    }
    for (const Cycle& cycle : view.cycles) {
        draw_walls(screen, view, cycle);
    }
    for (const Cycle& cycle : view.cycles) {
        if (cycle.state == CycleState::exploding) {
            draw_explosion(screen, view, cycle);
        }
    }
    for (const Cycle& cycle : view.cycles) {
        const bool own = cycle.number == scene.own_number;
        draw_cycle(screen, view, cycle, own);
        if (view.phase == MatchPhase::countdown) {
            draw_name(screen, scene, cycle);
        }
    }
}

}  // namespace ringside::tron
