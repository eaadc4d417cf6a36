#include "ringside/tron_terminal/layout.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace ringside::tron {
namespace {

constexpr int status_rows = 1;
constexpr int columns_min = 44;  // what the ready screen takes

std::u32string widen(std::string_view text) {
    std::u32string wide;
    for (const char c : text) {  // names and addresses: ASCII; the rest is not drawn
        wide.push_back(c >= ' ' && c <= '~' ? static_cast<char32_t>(c) : U'?');
    }
    return wide;
}

// ---- arena -------------------------------------------------------------------------------------

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

// Line styles are the second cue beside the colour: light, double and heavy in turn.
char32_t wall_glyph(WallShape shape, std::uint8_t number) {
    constexpr std::array<std::u32string_view, 3> styles{U"─│┐┌└┘", U"═║╗╔╚╝", U"━┃┓┏┗┛"};
    switch (shape) {
        case WallShape::east_west: return styles[(number - 1u) % 3][0];
        case WallShape::north_south: return styles[(number - 1u) % 3][1];
        case WallShape::north_east: return styles[(number - 1u) % 3][2];
        case WallShape::north_west: return styles[(number - 1u) % 3][3];
        case WallShape::south_west: return styles[(number - 1u) % 3][4];
        case WallShape::south_east: return styles[(number - 1u) % 3][5];
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
        draw_cycle(screen, view, cycle, cycle.number == scene.own_number);
    }
}

// ---- what lies over the middle -----------------------------------------------------------------

struct Line {
    std::u32string text;
    ScreenCell style;
};

void draw_box(Canvas& screen, const View& view, const std::vector<Line>& lines) {
    std::size_t widest = 0;
    for (const Line& line : lines) {
        widest = std::max(widest, line.text.size());
    }
    const int width = static_cast<int>(widest) + 4;
    const int height = static_cast<int>(lines.size()) + 2;
    const int left = std::max(0, (std::max<int>(view.width, columns_min) - width) / 2);
    const int top = std::max(0, (view.height - height) / 2);
    const std::u32string blank(static_cast<std::size_t>(width), U' ');
    for (int row = 0; row < height; ++row) {
        screen.text(left, top + row, blank);
    }
    for (std::size_t i = 0; i < lines.size(); ++i) {
        screen.text(left + 2, top + 1 + static_cast<int>(i), lines[i].text, lines[i].style);
    }
}

void draw_countdown(Canvas& screen, const View& view) {
    constexpr std::array<std::array<std::u32string_view, 5>, 3> digits{{
        {U"  ██  ", U" ███  ", U"  ██  ", U"  ██  ", U" ████ "},
        {U" ████ ", U"    ██", U" ████ ", U"██    ", U"██████"},
        {U"█████ ", U"    ██", U" ████ ", U"    ██", U"█████ "},
    }};
    if (view.count < 1 || view.count > digits.size()) {
        return;
    }
    std::vector<Line> lines;
    for (const std::u32string_view row : digits[view.count - 1u]) {
        lines.push_back({std::u32string(row), {.colour = Colour::notice, .bold = true}});
    }
    draw_box(screen, view, lines);
}

const Cycle* own_cycle(const Scene& scene) {
    const auto found = std::ranges::find(scene.view.cycles, scene.own_number, &Cycle::number);
    return scene.own_number == 0 || found == scene.view.cycles.end() ? nullptr : &*found;
}

Line result_line(const Scene& scene) {
    const ScreenCell style{.colour = Colour::notice, .bold = true};
    if (scene.seats == 1) {
        return {U"Game over", style};
    }
    const auto winner = std::ranges::find(scene.view.cycles, CycleState::winner, &Cycle::state);
    if (winner == scene.view.cycles.end()) {
        return {scene.view.phase == MatchPhase::finished ? U"Game over: nobody won" : U"Rematch",
                style};
    }
    if (winner->number == scene.own_number) {
        return {U"You won!", style};
    }
    return {U"Game over: player " + widen(std::to_string(winner->number)) + U" won", style};
}

void add_key_lesson(std::vector<Line>& lines) {
    lines.push_back({U"         k        i    lay walls", {}});
    lines.push_back({U"         ↑        esc  stop laying", {}});
    lines.push_back({U"     h ←   → l    q    quit", {}});
    lines.push_back({U"         ↓", {}});
    lines.push_back({U"         j        arrows, WASD: too", {}});
}

void add_readiness(std::vector<Line>& lines, const Scene& scene) {
    for (const Cycle& cycle : scene.view.cycles) {
        const bool own = cycle.number == scene.own_number;
        std::u32string text = own ? U"you, player " : U"player ";
        text += widen(std::to_string(cycle.number));
        text += cycle.ready ? U": ready" : U": not ready";
        lines.push_back({text, {.colour = player_colour(cycle.number), .bold = own}});
    }
    const std::size_t missing =
        scene.seats - std::min<std::size_t>(scene.seats, scene.view.cycles.size());
    if (missing > 0) {
        lines.push_back({U"waiting for " + widen(std::to_string(missing)) +
                             (missing == 1 ? U" more player" : U" more players"),
                         {}});
    }
}

void draw_ready_screen(Canvas& screen, const Scene& scene) {
    std::vector<Line> lines;
    const bool first_round = scene.view.phase == MatchPhase::waiting;
    if (first_round) {
        lines.push_back({U"RINGSIDE TRON", {.colour = Colour::notice, .bold = true}});
        lines.push_back({});
        add_key_lesson(lines);
    } else {
        lines.push_back(result_line(scene));
    }
    lines.push_back({});
    if (scene.seats > 1) {
        add_readiness(lines, scene);
        lines.push_back({});
    }
    const Cycle* own = own_cycle(scene);
    if (own == nullptr) {
        lines.push_back({U"you are watching: q leaves", {}});
    } else if (own->ready) {
        lines.push_back({U"ready! esc takes it back", {.bold = true}});
    } else {
        lines.push_back(
            {first_round ? U"press i when you are ready" : U"press i to play again, q to quit",
             {.bold = true}});
    }
    if (first_round && !scene.invitation.empty()) {
        lines.push_back({});
        lines.push_back({U"friends join with:", {}});
        lines.push_back({widen(scene.invitation), {.bold = true}});
    }
    draw_box(screen, scene.view, lines);
}

// ---- status line -------------------------------------------------------------------------------

std::u32string_view phase_text(MatchPhase phase) {
    switch (phase) {
        case MatchPhase::waiting: return U"waiting";
        case MatchPhase::countdown: return U"get ready";
        case MatchPhase::started: return U"racing";
        case MatchPhase::finished: return U"game over";
        case MatchPhase::restarting: return U"rematch";
    }
    return U"";
}

void draw_status(Canvas& screen, const Scene& scene) {
    const int row = std::min<int>(scene.view.height, screen.size().rows - 1);
    int column = 0;
    const auto add = [&](std::u32string_view text, ScreenCell style) {
        screen.text(column, row, text, style);
        column += static_cast<int>(text.size()) + 2;
    };
    add(widen(scene.game), {.bold = true});
    const Cycle* own = own_cycle(scene);
    if (own != nullptr && own->state == CycleState::inserting &&
        scene.view.phase == MatchPhase::started) {
        add(U"-- INSERT --", {.bold = true});
    }
    std::u32string right;
    if (own != nullptr) {
        right = U"player " + widen(std::to_string(own->number)) + U" (" +
                widen(player_colour_name(own->number)) + U")  ";
    } else {
        right = U"watching  ";
    }
    right += phase_text(scene.view.phase);
    right += U"  " + widen(std::to_string(scene.view.cycles.size())) + U"/" +
             widen(std::to_string(scene.seats));
    const int at = std::max(
        column, std::max<int>(scene.view.width, columns_min) - static_cast<int>(right.size()));
    screen.text(at, row, right,
                {.colour = own != nullptr ? player_colour(own->number) : Colour::normal});
}

Canvas too_small(ScreenSize size, ScreenSize needed) {
    Canvas screen(size);
    const std::array<std::string, 3> lines{
        "this game needs " + std::to_string(needed.columns) + " x " + std::to_string(needed.rows),
        "the terminal has " + std::to_string(size.columns) + " x " + std::to_string(size.rows),
        "enlarge it, or press q"};
    const int top = std::max(0, (size.rows - static_cast<int>(lines.size())) / 2);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const int left = std::max(0, (size.columns - static_cast<int>(lines[i].size())) / 2);
        screen.text(left, top + static_cast<int>(i), widen(lines[i]),
                    {.colour = Colour::notice, .bold = i == 0});
    }
    return screen;
}

}  // namespace

std::string_view player_colour_name(std::uint8_t number) noexcept {
    constexpr std::array<std::string_view, seats_limit> names{"blue",   "orange", "green",
                                                              "yellow", "pink",   "white"};
    return number >= 1 && number <= names.size() ? names[number - 1u] : "none";
}

Canvas::Canvas(ScreenSize size)
    : size_{std::max(0, size.columns), std::max(0, size.rows)},
      cells_(static_cast<std::size_t>(size_.columns) * static_cast<std::size_t>(size_.rows)) {}

const ScreenCell& Canvas::at(int column, int row) const {
    return cells_.at(static_cast<std::size_t>(row * size_.columns + column));
}

void Canvas::put(int column, int row, ScreenCell cell) {
    if (column >= 0 && row >= 0 && column < size_.columns && row < size_.rows) {
        cells_[static_cast<std::size_t>(row * size_.columns + column)] = cell;
    }
}

void Canvas::text(int column, int row, std::u32string_view text, ScreenCell style) {
    for (const char32_t glyph : text) {
        style.glyph = glyph;
        put(column++, row, style);
    }
}

std::u32string Canvas::row(int row) const {
    std::u32string text;
    for (int column = 0; column < size_.columns; ++column) {
        text.push_back(at(column, row).glyph);
    }
    return text;
}

ScreenSize size_needed(const View& view) noexcept {
    return {std::max<int>(view.width, columns_min), view.height + status_rows};
}

Canvas lay_out(const Scene& scene, ScreenSize size) {
    const ScreenSize needed = size_needed(scene.view);
    if (size.columns < needed.columns || size.rows < needed.rows) {
        return too_small(size, needed);
    }
    Canvas screen(size);
    draw_arena(screen, scene);
    switch (scene.view.phase) {
        case MatchPhase::waiting:
        case MatchPhase::finished:
        case MatchPhase::restarting: draw_ready_screen(screen, scene); break;
        case MatchPhase::countdown: draw_countdown(screen, scene.view); break;
        case MatchPhase::started: break;
    }
    draw_status(screen, scene);
    return screen;
}

}  // namespace ringside::tron
