// host: the whole thing: games of two players at 10 Hz over TCP, their clients on the same CPUs.

#include <optional>
#include <vector>

#include <fmt/format.h>

#include "benches.hpp"
#include "loaded.hpp"
#include "served.hpp"

namespace ringside::bench {
namespace {

constexpr std::uint32_t players = 2;
constexpr double lateness_us_goal = 20'000;

struct Step {
    std::uint32_t games;
    load::Outcome outcome;

    [[nodiscard]] bool holds() const {
        return outcome.lateness.p99 <= lateness_us_goal && outcome.tick_gaps == 0;
    }
};

Result<Step> run_step(std::uint32_t games, const Options& options) {
    auto host = Served::start({"--games-max", "16384"});
    if (!host) {
        return std::unexpected(std::move(host.error()));
    }
    const auto outcome =
        run_loaded({.endpoint = host->endpoint(),
                    .games = games,
                    .players = players,
                    .inputs_per_second = 1,
                    .warm_up = std::chrono::milliseconds(options.smoke ? 50 : 8'000),
                    .time = std::chrono::milliseconds(options.smoke ? 200 : 5'000),
                    .watched_pid = host->front_pids().front()});
    if (!outcome) {
        return std::unexpected(outcome.error());
    }
    return Step{games, *outcome};
}

}  // namespace

Result<Report> run_host_bench(const Options& options) {
    allow_descriptors();
    Report report{.bench = "host", .figures = {}, .charts = {}, .notes = {}};
    const std::vector<std::uint32_t> steps =
        options.smoke ? std::vector<std::uint32_t>{3}
                      : std::vector<std::uint32_t>{100, 200, 400, 700, 1'000, 1'500, 2'000, 3'000};
    std::optional<Step> highest;
    Line late{.name = "p99 lateness of views", .points = {}};
    Line cpu{.name = "front's CPU", .points = {}};
    for (const std::uint32_t games : steps) {
        const auto step = run_step(games, options);
        if (!step) {
            return std::unexpected(step.error());
        }
        const load::Outcome& seen = step->outcome;
        const double front_us = seen.watched_cpu_seconds * 1e6 /
                                static_cast<double>(seen.snapshots + seen.deltas + seen.sent);
        late.points.emplace_back(games, seen.lateness.p99 / 1e3);
        cpu.points.emplace_back(games, seen.watched_cpu_seconds / seen.seconds * 100);
        report.notes.push_back(fmt::format(
            "{} games: p99 lateness {:.1f} ms, {} ticks not told, {:.0f} views/s, front {:.0f} % "
            "of "
            "a CPU and {:.1f} µs a message, load generator {:.0f} %, joined in {:.1f} s",
            games, seen.lateness.p99 / 1e3, seen.tick_gaps,
            static_cast<double>(seen.snapshots + seen.deltas) / seen.seconds,
            seen.watched_cpu_seconds / seen.seconds * 100, front_us,
            seen.own_cpu_seconds / seen.seconds * 100, seen.join_seconds));
        if (!step->holds()) {
            break;
        }
        highest = *step;
    }
    report.figures.push_back(
        {.name = "games of 2 with p99 lateness <= 20 ms and every tick told",
         .unit = "games",
         .value = {.median = highest ? static_cast<double>(highest->games) : 0, .p99 = {}},
         .floor = {},
         .rival = {},
         .goal = Goal{.bound = Bound::at_least, .factor = 3'000},
         .note = "Colyseus 0.16: about 200 rooms on a machine of this kind"});
    report.charts.push_back({.title = "Views' lateness with the number of games",
                             .x_label = "games of 2 players at 10 Hz",
                             .y_label = "ms",
                             .log_x = true,
                             .log_y = true,
                             .lines = {late}});
    report.charts.push_back({.title = "The front's CPU with the number of games",
                             .x_label = "games of 2 players at 10 Hz",
                             .y_label = "% of one CPU",
                             .log_x = true,
                             .log_y = false,
                             .lines = {cpu}});
    return report;
}

}  // namespace ringside::bench
