// seed-table: the problem that this project comes from. Games that work 10 ms in each tick of
// 100 ms: in one event loop the eleventh delays all the others.
//
// Rivals: that one loop of Node, and Node with a forked child a game.

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>
#include <unistd.h>

#include "benches.hpp"
#include "burner.hpp"
#include "local_games.hpp"
#include "node_rival.hpp"

namespace ringside::bench {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr microseconds work{10'000};
constexpr microseconds hog_work{200'000};
constexpr std::uint32_t beside_hog = 5;  // what the other core carries with room to spare
constexpr std::uint32_t games_within_capacity = 19;  // two cores less a twentieth
constexpr double interval_ms_goal = 101;

struct Sizes {
    std::vector<std::uint32_t> games;
    milliseconds time;
};

// Of the games that are not hogs.
struct Intervals {
    std::vector<double> all_ms;  // sorted
    std::size_t fewest = 0;      // ticks of the game that got least, and of the one that got most
    std::size_t most = 0;
};

// Over `time`.
Result<Intervals> intervals_of(std::uint32_t hogs, std::uint32_t count, milliseconds time) {
    auto games = LocalGames::start(burner_type(), hogs + count);
    if (!games) {
        return std::unexpected(std::move(games.error()));
    }
    if (auto opened = games->open(hogs, burner_config(hog_work)); !opened) {
        return std::unexpected(std::move(opened.error()));
    }
    if (auto opened = games->open(count, burner_config(work)); !opened) {
        return std::unexpected(std::move(opened.error()));
    }
    usleep(static_cast<useconds_t>(microseconds(time).count()));
    Intervals seen;
    seen.fewest = std::numeric_limits<std::size_t>::max();
    for (LocalGame& game : games->games()) {
        if (hogs > 0) {
            --hogs;
            continue;
        }
        const auto parts = games->read(game);
        const auto game_ms = parts ? burner_intervals_ms(parts->view) : std::vector<double>{};
        seen.fewest = std::min(seen.fewest, game_ms.size());
        seen.most = std::max(seen.most, game_ms.size());
        seen.all_ms.insert(seen.all_ms.end(), game_ms.begin(), game_ms.end());
    }
    if (seen.all_ms.empty()) {
        return failure(std::errc::timed_out, "no game ticked twice");
    }
    return seen;
}

Result<std::optional<Measured>> node_intervals(const char* script, std::uint32_t count,
                                               milliseconds time) {
    const auto json = run_node(
        script,
        {std::to_string(count), std::to_string(work.count() / 1'000),
         std::to_string(burner_tick.count()), std::to_string(time.count())},
        std::chrono::duration_cast<std::chrono::seconds>(time) + std::chrono::seconds(120));
    if (!json) {
        return std::unexpected(json.error());
    }
    if (!*json) {
        return std::nullopt;
    }
    std::vector<double> intervals_ms = (**json)["interval_ms"];
    if (intervals_ms.empty()) {
        return failure(std::errc::timed_out, fmt::format("rival {} never ticked twice", script));
    }
    return measured(intervals_ms);
}

void add_point(Chart& chart, std::size_t line, std::uint32_t games, const Measured& value) {
    chart.lines[line].points.emplace_back(games, *value.p99);
}

std::string name_of(std::uint32_t count) {
    return fmt::format("{} games", count);
}

std::string name_beside_hog() {
    return fmt::format("{} games beside one that burns {} ms a tick", beside_hog,
                       hog_work.count() / 1'000);
}

std::string spread_of(const Intervals& seen) {
    const auto early = seen.all_ms[seen.all_ms.size() / 100];
    return fmt::format("1 % are below {:.1f} ms; the longest is {:.0f} ms", early,
                       seen.all_ms.back());
}

// Beyond what the machine carries everybody shall be equally late.
Figure fairness_of(std::uint32_t count, const Intervals& seen) {
    return {.name = name_of(count) + ": ticks of the one that got least, of the most",
            .unit = "%",
            .value = {.median = 100 * static_cast<double>(seen.fewest) /
                                static_cast<double>(std::max<std::size_t>(seen.most, 1))},
            .goal = Goal{.bound = Bound::at_least, .factor = 90},
            .note = spread_of(seen)};
}

Result<void> add_games(std::uint32_t count, milliseconds time, Report& report) {
    static constexpr std::array rivals{std::pair{"Node, one loop", "burn_loop.mjs"},
                                       std::pair{"Node child a game", "burn_children.mjs"}};
    Chart& chart = report.charts.front();
    auto seen = intervals_of(0, count, time);
    if (!seen) {
        return std::unexpected(std::move(seen.error()));
    }
    const Measured ours = measured(seen->all_ms);
    add_point(chart, 0, count, ours);
    const Goal goal{.factor = interval_ms_goal, .of_p99 = true};
    for (std::size_t i = 0; i < rivals.size(); ++i) {
        const auto& [name, script] = rivals[i];
        Figure figure{.name = name_of(count) + ": interval",
                      .unit = "ms",
                      .value = ours,
                      .goal = count <= games_within_capacity ? std::optional(goal) : std::nullopt,
                      .note = spread_of(*seen)};
        const auto node = node_intervals(script, count, time);
        if (!node) {
            return std::unexpected(node.error());
        }
        if (*node) {
            figure.name += fmt::format(", beside {}", name);
            figure.rival = Yardstick{name, **node};
            add_point(chart, i + 1, count, **node);
        } else if (i > 0) {
            continue;  // the same figure again
        } else if (report.notes.empty()) {
            report.notes.emplace_back(no_node);
        }
        report.figures.push_back(std::move(figure));
    }
    if (count > games_within_capacity) {
        report.figures.push_back(fairness_of(count, *seen));
    }
    return {};
}

Result<void> add_hog(milliseconds time, Report& report) {
    auto seen = intervals_of(1, beside_hog, time);
    if (!seen) {
        return std::unexpected(std::move(seen.error()));
    }
    report.figures.push_back({.name = name_beside_hog() + ": interval",
                              .unit = "ms",
                              .value = measured(seen->all_ms),
                              .goal = Goal{.factor = interval_ms_goal, .of_p99 = true},
                              .note = spread_of(*seen)});
    return {};
}

}  // namespace

Result<Report> run_seed_table(const Options& options) {
    const Sizes sizes = options.smoke ? Sizes{{1}, milliseconds(250)}
                                      : Sizes{{1, 10, 11, 19, 20, 30}, milliseconds(12'000)};
    Report report{.bench = "seed-table"};
    report.charts.push_back({.title = "games that work 10 ms in each tick of 100 ms",
                             .x_label = "games",
                             .y_label = "interval between ticks, p99, ms",
                             .lines = {{.name = "Ringside", .points = {}},
                                       {.name = "Node, one loop", .points = {}},
                                       {.name = "Node child a game", .points = {}}}});
    for (const std::uint32_t count : sizes.games) {
        if (!options.wants(name_of(count))) {
            continue;
        }
        if (auto added = add_games(count, sizes.time, report); !added) {
            return std::unexpected(std::move(added.error()));
        }
    }
    if (options.wants(name_beside_hog())) {
        if (auto added = add_hog(sizes.time, report); !added) {
            return std::unexpected(std::move(added.error()));
        }
    }
    return report;
}

}  // namespace ringside::bench
