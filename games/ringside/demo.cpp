#include "demo.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bot_matches.hpp"
#include "host_process.hpp"

namespace ringside {
namespace {

// Small, so that the space fills and the race ends within some 15 s, at the latest after 34.
constexpr std::uint16_t demo_width = 32;
constexpr std::uint16_t demo_height = 14;
constexpr std::uint16_t demo_tick_ms = 40;

constexpr unsigned ticks_between_frames = 60;

constexpr std::string_view shape_text(tron::WallShape shape) {
    using enum tron::WallShape;
    switch (shape) {
        case east_west: return "─";
        case north_south: return "│";
        case south_west: return "└";
        case north_west: return "┌";
        case north_east: return "┐";
        case south_east: return "┘";
    }
    return "?";
}

class Canvas {
public:
    Canvas(int width, int height)
        : width_(width), height_(height), cells_(static_cast<std::size_t>(width * height), " ") {
        for (int x = 0; x < width; ++x) {
            put(x, 0, "-");
            put(x, height - 1, "-");
        }
        for (int y = 0; y < height; ++y) {
            put(0, y, "|");
            put(width - 1, y, "|");
        }
        for (const int y : {0, height - 1}) {
            put(0, y, "+");
            put(width - 1, y, "+");
        }
    }

    // A view's places may lie outside of it.
    void put(int x, int y, std::string text) {
        if (x >= 0 && y >= 0 && x < width_ && y < height_) {
            cells_[static_cast<std::size_t>(y * width_ + x)] = std::move(text);
        }
    }

    void print() const {
        for (std::size_t i = 0; i < cells_.size(); ++i) {
            fmt::print("{}{}", cells_[i],
                       (i + 1) % static_cast<std::size_t>(width_) == 0 ? "\n" : "");
        }
    }

private:
    int width_;
    int height_;
    std::vector<std::string> cells_;
};

void print_frame(const tron::View& view) {
    if (view.width != demo_width || view.height != demo_height) {
        return;
    }
    Canvas canvas(view.width, view.height);
    for (const tron::Cycle& cycle : view.cycles) {
        for (const tron::Wall& wall : cycle.walls) {
            canvas.put(wall.x, wall.y, std::string(shape_text(wall.shape)));
        }
    }
    for (const tron::Cycle& cycle : view.cycles) {
        const bool out =
            cycle.state == tron::CycleState::exploding || cycle.state == tron::CycleState::dead;
        canvas.put(cycle.x, cycle.y, out ? "*" : fmt::format("{}", cycle.number));
    }
    canvas.print();
    std::fflush(stdout);
}

/// Prints a match as it is seen by one of its players.
class Commentary {
public:
    void see(const tron::View& view, const std::string& game) {
        if (view.phase == tron::MatchPhase::started && race_ticks_++ % ticks_between_frames == 0) {
            if (race_ticks_ == 1) {
                fmt::print("Game {}: bots 1 and 2 race on a grid of {} by {} cells.\n", game,
                           view.width, view.height);
            }
            fmt::print("\nafter {} ticks\n", race_ticks_ - 1);
            print_frame(view);
        } else if (view.phase == tron::MatchPhase::finished && !std::exchange(told_, true)) {
            fmt::print("\nthe end, after {} ticks\n", race_ticks_);
            print_frame(view);
            tell_result(view);
        }
    }

    [[nodiscard]] bool told() const noexcept { return told_; }

private:
    static void tell_result(const tron::View& view) {
        const auto winner =
            std::ranges::find(view.cycles, tron::CycleState::winner, &tron::Cycle::state);
        if (winner == view.cycles.end()) {
            fmt::print("A draw: nobody is left.\n");
        } else {
            fmt::print("Bot {} wins.\n", winner->number);
        }
    }

    unsigned race_ticks_ = 0;
    bool told_ = false;
};

}  // namespace

int run_demo() {
    fmt::print(
        "No terminal here, so two bots play a match on a host of their own. In a terminal "
        "'ringside' is a practice game for you.\n");
    std::fflush(stdout);
    const auto host = HostProcess::start_private();
    if (!host) {
        fmt::print(stderr, "ringside: {}\n", host.error().text());
        return 1;
    }
    Commentary commentary;
    const int code = run_bots({.endpoint = host->endpoint(),
                               .game = {},
                               .games = 1,
                               .players = 2,
                               .width = demo_width,
                               .height = demo_height,
                               .tick_ms = demo_tick_ms,
                               .forever = false,
                               .seed = 0,
                               .json = false,
                               .quiet = true,
                               .on_view = [&](const tron::View& view, const std::string& game) {
                                   commentary.see(view, game);
                               }});
    if (code == 0 && !commentary.told()) {
        fmt::print(stderr, "ringside: the match ended without a result\n");
        return 1;
    }
    return code;
}

}  // namespace ringside
