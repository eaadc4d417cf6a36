// host: the whole thing: games of two players at 10 Hz over TCP, their clients on the same CPUs.

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "benches.hpp"
#include "host_watch.hpp"
#include "loaded.hpp"
#include "served.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/ipc/doorbell.hpp"

namespace ringside::bench {
namespace {

constexpr std::uint32_t players = 2;
constexpr double lateness_us_goal = 20'000;
constexpr double resolution = 0.06;  // of the number of games
constexpr std::int64_t join_ns_max = 60'000'000'000;
// A bisection that would go on for longer is left where it is.
constexpr std::int64_t search_ns_max = 330'000'000'000;

/// What came of one host with so many games.
struct Trial {
    std::optional<load::Outcome> outcome;
    std::optional<HostTimes> times;  // of a window within the one measured
    std::string problem;             // empty: none

    [[nodiscard]] bool holds() const {
        return problem.empty() && outcome->lateness.p99 <= lateness_us_goal &&
               outcome->tick_gaps == 0;
    }
    [[nodiscard]] double lateness_us() const {
        return problem.empty() ? outcome->lateness.p99 : 1e12;
    }
};

/// Judged by the median of three trials, or by two that agree.
struct Step {
    std::uint32_t games;
    bool holds;
    int trials;
    Trial median;  // of the trials' lateness; of two the later one
};

HostTimes operator-(const HostTimes& end, const HostTimes& begin) {
    return {.at_ns = end.at_ns - begin.at_ns,
            .fronts_cpu_ns = end.fronts_cpu_ns - begin.fronts_cpu_ns,
            .games_cpu_ns = end.games_cpu_ns - begin.games_cpu_ns,
            .load_cpu_ns = end.load_cpu_ns - begin.load_cpu_ns,
            .games_waited_ns = end.games_waited_ns - begin.games_waited_ns,
            .games_ticks = end.games_ticks - begin.games_ticks,
            .games_missed = end.games_missed - begin.games_missed,
            .idle_jiffies = end.idle_jiffies - begin.idle_jiffies,
            .all_jiffies = end.all_jiffies - begin.all_jiffies};
}

/// From the first tenth of what the load measures to its eighth.
Result<HostTimes> watch(const Served& host, pid_t load_pid, std::uint32_t games,
                        const load::Options& load) {
    const auto watch = HostWatch::start(host, load_pid, games, games * players, join_ns_max);
    if (!watch) {
        return std::unexpected(watch.error());
    }
    const std::int64_t time_ns = std::chrono::nanoseconds(load.time).count();
    const std::int64_t begin_ns =
        monotonic_ns() + std::chrono::nanoseconds(load.warm_up).count() + time_ns / 10;
    sleep_until(begin_ns);
    const HostTimes begin = watch->read();
    sleep_until(begin_ns + time_ns * 7 / 10);
    return watch->read() - begin;
}

/// A host that drowns is a finding, not an error: what is wrong stands in the trial.
Trial try_games(std::uint32_t games, const Options& options) {
    Trial trial;
    auto host = Served::start({"--games-max", "16384"});
    if (!host) {
        trial.problem = host.error().text();
        return trial;
    }
    const load::Options load{.endpoint = host->endpoint(),
                             .games = games,
                             .players = players,
                             .inputs_per_second = 1,
                             .warm_up = std::chrono::milliseconds(options.smoke ? 50 : 8'000),
                             .time = std::chrono::milliseconds(options.smoke ? 200 : 4'000),
                             .watched_pid = host->front_pids().front()};
    Loaded loaded;
    if (auto started = loaded.start(load); !started) {
        trial.problem = started.error().text();
        return trial;
    }
    if (const auto times = watch(*host, loaded.pid(), games, load)) {
        trial.times = *times;
    }
    const auto outcome = loaded.outcome();
    if (!outcome) {
        trial.problem = outcome.error().text();
        return trial;
    }
    trial.outcome = *outcome;
    if (const auto checked = check_outcome(*outcome); !checked) {
        trial.problem = checked.error().text();
    }
    return trial;
}

Step judge(std::uint32_t games, const Options& options) {
    std::vector<Trial> trials;
    const auto held = [&] { return std::ranges::count_if(trials, &Trial::holds); };
    const std::size_t enough = options.smoke ? 1 : 2;
    for (int i = 0; i < 3; ++i) {
        trials.push_back(try_games(games, options));
        const auto holding = static_cast<std::size_t>(held());
        if (holding >= enough || trials.size() - holding >= enough) {
            break;
        }
    }
    const auto count = static_cast<int>(trials.size());
    const bool holds = 2 * held() > count;
    std::ranges::sort(trials, {}, &Trial::lateness_us);
    return {.games = games, .holds = holds, .trials = count, .median = trials[trials.size() / 2]};
}

// ---- what it tells -----------------------------------------------------------------------------

std::string told(const load::Outcome& seen) {
    const double front_us = seen.watched_cpu_seconds * 1e6 /
                            static_cast<double>(seen.snapshots + seen.deltas + seen.sent);
    return fmt::format(
        "p99 lateness {:.1f} ms, {} ticks not told, {:.0f} views/s, front {:.1f} µs a message, "
        "joined in {:.1f} s",
        seen.lateness.p99 / 1e3, seen.tick_gaps,
        static_cast<double>(seen.snapshots + seen.deltas) / seen.seconds, front_us,
        seen.join_seconds);
}

std::string told(const HostTimes& times) {
    const auto percent = [&](std::int64_t cpu_ns) {
        return static_cast<double>(cpu_ns) / static_cast<double>(times.at_ns) * 100;
    };
    const auto ticks = static_cast<double>(std::max<std::uint64_t>(times.games_ticks, 1));
    return fmt::format(
        "; games missed {} ticks and waited {:.0f} µs a tick for a CPU; of a CPU: front {:.0f} %, "
        "games {:.0f} %, load generator {:.0f} %; machine idle {:.0f} %",
        times.games_missed, static_cast<double>(times.games_waited_ns) / 1e3 / ticks,
        percent(times.fronts_cpu_ns), percent(times.games_cpu_ns), percent(times.load_cpu_ns),
        static_cast<double>(times.idle_jiffies) /
            static_cast<double>(std::max<std::uint64_t>(times.all_jiffies, 1)) * 100);
}

std::string told(const Step& step) {
    const Trial& trial = step.median;
    return fmt::format(
        "{} games {} ({} runs): {}{}{}{}", step.games, step.holds ? "hold" : "do not hold",
        step.trials, trial.problem, trial.problem.empty() || !trial.outcome ? "" : "; ",
        trial.outcome ? told(*trial.outcome) : "", trial.times ? told(*trial.times) : "");
}

/// Climbs until one does not hold, then halves the gap between that and the last that did.
std::vector<Step> search(const std::vector<std::uint32_t>& climb, const Options& options,
                         Report& report) {
    const std::int64_t give_up_ns = monotonic_ns() + search_ns_max;
    std::vector<Step> steps;
    std::uint32_t held = 0;
    std::uint32_t fell = 0;
    const auto take = [&](std::uint32_t games) {
        steps.push_back(judge(games, options));
        report.notes.push_back(told(steps.back()));
        (steps.back().holds ? held : fell) = games;
    };
    for (std::size_t i = 0; i < climb.size() && fell == 0; ++i) {
        take(climb[i]);
    }
    while (fell != 0 && fell - held > std::max(1.0, resolution * held) && !options.smoke) {
        if (monotonic_ns() > give_up_ns) {
            report.notes.push_back(
                fmt::format("the search ended between {} and {} games: out of time", held, fell));
            break;
        }
        take((held + fell) / 2);
    }
    return steps;
}

}  // namespace

Result<Report> run_host_bench(const Options& options) {
    allow_descriptors();
    Report report{.bench = "host", .figures = {}, .charts = {}, .notes = {}};
    const std::vector<std::uint32_t> climb =
        options.smoke ? std::vector<std::uint32_t>{3}
                      : std::vector<std::uint32_t>{200, 400, 700, 1'000, 1'500, 2'000, 3'000};
    std::vector<Step> steps = search(climb, options, report);
    std::ranges::sort(steps, {}, &Step::games);
    std::uint32_t highest = 0;
    Line late{.name = "p99 lateness of views", .points = {}};
    Line cpu{.name = "front's CPU", .points = {}};
    for (const Step& step : steps) {
        highest = step.holds ? step.games : highest;
        if (!step.median.outcome) {
            continue;
        }
        const load::Outcome& seen = *step.median.outcome;
        late.points.emplace_back(step.games, seen.lateness.p99 / 1e3);
        cpu.points.emplace_back(step.games, seen.watched_cpu_seconds / seen.seconds * 100);
    }
    report.figures.push_back(
        {.name = "games of 2 with p99 lateness <= 20 ms and every tick told",
         .unit = "games",
         .value = {.median = static_cast<double>(highest), .p99 = {}},
         .floor = {},
         .rival = {},
         .goal = Goal{.bound = Bound::at_least, .factor = 3'000},
         .note = "by the median of 3 runs, to within 6 %; Colyseus 0.16: about 200 rooms on a "
                 "machine of this kind"});
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
