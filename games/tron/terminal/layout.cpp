#include "ringside/tron_terminal/layout.hpp"

#include <algorithm>
#include <array>
#include <cwchar>
#include <string>
#include <utility>
#include <vector>

#include "drawing.hpp"

#include "ringside/core/printable.hpp"

namespace ringside::tron {
namespace {

constexpr int status_rows = 1;

// ---- what lies over the middle -----------------------------------------------------------------

struct Line {
    std::u32string text;
    ScreenCell style;
    bool optional = false;  // left out where rows are short
};

// In a low arena, blank lines go first, to spare its border; then what a player can do without.
void shorten(std::vector<Line>& lines, int rows) {
    const auto fits = [&](int room) { return static_cast<int>(lines.size()) <= room; };
    if (!fits(rows - 4)) {
        std::erase_if(lines, [](const Line& line) { return line.text.empty(); });
    }
    if (!fits(rows - 2)) {
        std::erase_if(lines, &Line::optional);
    }
}

void draw_box(Canvas& screen, const View& view, std::vector<Line> lines) {
    const ScreenSize area = play_area(view);
    shorten(lines, area.rows);
    std::size_t widest = 0;
    for (const Line& line : lines) {
        widest = std::max(widest, line.text.size());
    }
    const int width = static_cast<int>(widest) + 4;
    const int height = static_cast<int>(lines.size()) + 2;
    const int left = std::max(0, (area.columns - width) / 2);
    const int top = std::max(0, (area.rows - height) / 2);
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
    draw_box(screen, view, std::move(lines));
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
    return {U"Game over: " + name_of(scene, winner->number) + U" won", style};
}

void add_key_lesson(std::vector<Line>& lines) {
    constexpr std::array<std::u32string_view, 5> lesson{
        U"         k        i    lay walls", U"         ↑        esc  stop laying",
        U"     h ←   → l    q    quit", U"         ↓", U"         j        arrows, WASD: too"};
    for (const std::u32string_view row : lesson) {
        lines.push_back({.text = std::u32string(row), .style = {}, .optional = true});
    }
}

// In two lines where one is too long: half a command would be worse.
void add_invitation(std::vector<Line>& lines, const Scene& scene) {
    if (scene.invitation.empty()) {
        return;
    }
    std::u32string command = widen(scene.invitation);
    lines.push_back({});
    lines.push_back({U"friends join with:", {}});
    const auto room = static_cast<std::size_t>(play_area(scene.view).columns - 4);
    const std::size_t last_flag = command.rfind(U" -");
    if (command.size() > room && last_flag != std::u32string::npos) {
        lines.push_back({command.substr(0, last_flag), {.bold = true}});
        command.erase(0, last_flag + 1);
    }
    lines.push_back({std::move(command), {.bold = true}});
}

bool is_bot(const View& view, std::uint8_t number) {
    return (unsigned{view.bots} >> (number - 1u) & 1u) != 0;
}

void add_readiness(std::vector<Line>& lines, const Scene& scene) {
    for (const Cycle& cycle : scene.view.cycles) {
        const bool own = cycle.number == scene.own_number;
        std::u32string text = (own ? U"you, " : U"") + name_of(scene, cycle.number);
        text += is_bot(scene.view, cycle.number) ? U": a bot"
                : cycle.ready                    ? U": ready"
                                                 : U": not ready";
        lines.push_back({text, {.colour = player_colour(cycle.number), .bold = own}});
    }
    const std::size_t missing =
        scene.seats - std::min<std::size_t>(scene.seats, scene.view.cycles.size());
    if (missing > 0) {
        lines.push_back({U"waiting for " + widen(std::to_string(missing)) +
                             (missing == 1 ? U" more player" : U" more players"),
                         {}});
    }
    if (own_cycle(scene) != nullptr && (missing > 0 || scene.view.bots != 0)) {
        lines.push_back({U"b adds a bot, x takes one out", {}, true});
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
    if (!scene.replay.empty()) {
        lines.push_back({U"a replay: space stops and goes on, q leaves", {}});
    } else if (own == nullptr) {
        lines.push_back({U"you are watching: q leaves", {}});
    } else if (own->ready) {
        lines.push_back({U"ready! esc takes it back", {.bold = true}});
    } else {
        lines.push_back(
            {first_round ? U"press i when you are ready" : U"press i to play again, q to quit",
             {.bold = true}});
    }
    if (first_round) {
        add_invitation(lines, scene);
    }
    draw_box(screen, scene.view, std::move(lines));
}

// ---- status line -------------------------------------------------------------------------------

constexpr int longest_phase_columns = 12;

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

std::u32string_view status_text(const Scene& scene) {
    if (scene.reconnecting) {
        return U"reconnecting";
    }
    return scene.input_dropped ? U"key dropped" : phase_text(scene.view.phase);
}

std::u32string standing(const Scene& scene, const Cycle* own) {
    if (!scene.replay.empty()) {
        return widen(scene.replay);
    }
    std::u32string text = U"watching";
    if (own != nullptr) {
        text = name_of(scene, own->number) + U" (" + widen(player_colour_name(own->number)) + U")";
    }
    text += U"  ";
    text += status_text(scene);
    text += U"  " + widen(std::to_string(scene.view.cycles.size())) + U"/" +
            widen(std::to_string(scene.seats));
    return text;
}

// The end of a long name makes way for what changes.
std::u32string shortened(std::u32string name, int columns) {
    const auto room = static_cast<std::size_t>(std::max(columns, 1));
    if (name.size() > room) {
        name.resize(room - 1);
        name += U'…';
    }
    return name;
}

void draw_status(Canvas& screen, const Scene& scene) {
    constexpr std::u32string_view insert_mode = U"-- INSERT --";
    const ScreenSize area = play_area(scene.view);
    const Cycle* own = own_cycle(scene);
    const std::u32string right = standing(scene, own);
    const int right_columns = static_cast<int>(right.size());
    // Room is kept for the mode when it is not shown, too, and for the longest phase: the name
    // shall not jump.
    const auto phase_columns = static_cast<int>(status_text(scene).size());
    const int name_columns_max = screen.size().columns - right_columns -
                                 (longest_phase_columns - phase_columns) - 2 -
                                 static_cast<int>(insert_mode.size()) - 2;
    const std::u32string name = shortened(widen(scene.game), name_columns_max);
    screen.text(0, area.rows, name, {.bold = true});
    int column = static_cast<int>(name.size()) + 2;
    if (own != nullptr && own->state == CycleState::inserting &&
        scene.view.phase == MatchPhase::started) {
        screen.text(column, area.rows, insert_mode, {.bold = true});
        column += static_cast<int>(insert_mode.size()) + 2;
    }
    screen.text(std::max(column, area.columns - right_columns), area.rows, right,
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
                                                              "yellow", "pink",   "plain"};
    return number >= 1 && number <= names.size() ? names[number - 1u] : "none";
}

ScreenSize size_needed(const View& view) noexcept {
    const ScreenSize area = play_area(view);
    return {area.columns, area.rows + status_rows};
}

namespace {

std::u32string given_name(const Scene& scene, std::uint8_t number) {
    const std::size_t seat = number - std::size_t{1};
    if (seat >= scene.nicknames.size() || scene.nicknames[seat].empty()) {
        return U"player " + widen(std::to_string(number));
    }
    std::u32string name = code_points(scene.nicknames[seat]);
    for (char32_t& character : name) {
        // A canvas has one column a character: none for what takes two, or none.
        if (character >= 0x80 && wcwidth(static_cast<wchar_t>(character)) != 1) {
            character = U'?';
        }
    }
    return name;
}

}  // namespace

std::u32string name_of(const Scene& scene, std::uint8_t number) {
    std::u32string name = given_name(scene, number);
    const bool others_too = std::ranges::any_of(scene.view.cycles, [&](const Cycle& cycle) {
        return cycle.number != number && given_name(scene, cycle.number) == name;
    });
    return others_too ? name + U" (" + widen(std::to_string(number)) + U")" : name;
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
