// density: how many running games a machine carries, how late they tick and what a tick costs.
//
// Floor: bare forked processes that sleep to the same staggered deadlines and touch 512 bytes; keys
// are written to them as often as to games.
// Ours and the floor's take turns at every size, and are measured by the same means; each figure is
// the median of the turns.

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "benches.hpp"
#include "parked_games.hpp"
#include "population.hpp"

namespace ringside::bench {
namespace {

constexpr const char* floor_name = "bare sleepers";
constexpr const char* knee_name = "the knee, games at 10 Hz";
constexpr double knee_lateness_ms = 20;
constexpr double knee_missed_share = 0.001;
constexpr std::uint32_t knee_step = 2'500;        // upwards, while nothing drowns
constexpr std::uint32_t knee_processes = 20'000;  // then it is given up
constexpr std::uint32_t knee_bisections = 2;
constexpr int rounds = 3;
constexpr std::uint32_t tick_ms_of_10_hz = 100;
constexpr std::uint32_t tick_ms_of_60_hz = 16;  // 62.5 Hz: the nearest above that a config can say

using Start = std::function<Result<std::unique_ptr<Population>>(const Headcount&)>;

struct Pair {
    Headcount crowd;
    Window ours;
    Window floor;
};

class Density {
public:
    explicit Density(const Options& options)
        : options_(options),
          smoke_(options.smoke),
          window_(smoke_ ? 150 : 5'000),
          settle_(smoke_ ? 20 : 1'000),
          tron_([smoke = smoke_](const Headcount& crowd) { return start_tron(crowd, smoke); }),
          bare_(start_bare) {}

    Result<Report> run() {
        const auto crowds =
            smoke_ ? std::vector<Headcount>{{4, 4, 10}}
                   : std::vector<Headcount>{
                         {1'000, 1'000, tick_ms_of_60_hz}, {1'000, 1'000, tick_ms_of_10_hz},
                         {2'000, 2'000, tick_ms_of_10_hz}, {5'000, 5'000, tick_ms_of_10_hz},
                         {7'500, 7'500, tick_ms_of_10_hz}, {10'000, 10'000, tick_ms_of_10_hz},
                         {10'000, 4'000, tick_ms_of_10_hz}};
        for (const Headcount& crowd : crowds) {
            if (!options_.wants(name_of(crowd))) {
                continue;
            }
            if (larger_than_drowned(crowd)) {
                report_.notes.push_back(fmt::format(
                    "{} games at 10 Hz were left out: fewer drown already, bare ones too",
                    crowd.ticking));
                continue;
            }
            if (auto added = add_pair(crowd); !added) {
                return std::unexpected(std::move(added.error()));
            }
        }
        if (smoke_) {
            report_.notes.emplace_back("a smoke run looks for no knee");
        } else if (options_.wants(knee_name)) {
            if (auto added = add_knee(); !added) {
                return std::unexpected(std::move(added.error()));
            }
        }
        const std::uint32_t parked = smoke_ ? 10 : 20'000;
        if (options_.wants(parked_games_name(parked))) {
            if (auto added = add_parked_games(parked, report_); !added) {
                return std::unexpected(std::move(added.error()));
            }
        }
        add_charts();
        return std::move(report_);
    }

private:
    Result<Window> window_of(const Start& start, const Headcount& crowd) {
        auto population = start(crowd);
        if (!population) {
            return std::unexpected(std::move(population.error()));
        }
        if (auto ran = (*population)->run_for(settle_); !ran) {
            return std::unexpected(std::move(ran.error()));
        }
        auto window = measure(**population, window_);
        if (auto checked = (*population)->check(); !checked) {
            return std::unexpected(std::move(checked.error()));
        }
        return window;
    }

    Result<void> add_pair(const Headcount& crowd) {
        std::vector<Window> ours;
        std::vector<Window> floor;
        for (int round = 0; round < (smoke_ ? 1 : rounds); ++round) {
            for (const auto& [start, windows] :
                 {std::pair(&tron_, &ours), std::pair(&bare_, &floor)}) {
                const auto window = window_of(*start, crowd);
                if (!window) {
                    return std::unexpected(window.error());
                }
                windows->push_back(*window);
            }
            if (!keeps_pace(ours.back()) && !keeps_pace(floor.back())) {
                break;  // both drown: again would take minutes to say the same
            }
        }
        pairs_.push_back({crowd, median_of(ours), median_of(floor)});
        add_figures(pairs_.back());
        return {};
    }

    static Window median_of(const std::vector<Window>& windows) {
        Window median{};
        for (const auto field : {&Window::lateness_ms_median, &Window::lateness_ms_p99,
                                 &Window::missed_share, &Window::cpu_us_per_tick}) {
            std::vector<double> samples;
            for (const Window& window : windows) {
                samples.push_back(window.*field);
            }
            median.*field = measured(samples).median;
        }
        return median;
    }

    static std::string name_of(const Headcount& crowd) {
        return crowd.ticking == crowd.processes
                   ? fmt::format("{} games x {:.3g} Hz", crowd.processes, 1e3 / crowd.tick_ms)
                   : fmt::format("{} games, {} racing at {:.3g} Hz", crowd.processes, crowd.ticking,
                                 1e3 / crowd.tick_ms);
    }

    void add_figures(const Pair& pair) {
        const Headcount& crowd = pair.crowd;
        const std::string what = name_of(crowd);
        // What the issue promises is at 5,000 x 10 Hz and 1,000 x 60 Hz, and for less.
        const bool promised = crowd.ticking * 1'000 / crowd.tick_ms <= 62'500;
        const auto if_promised = [promised](Goal goal) {
            return promised ? std::optional(goal) : std::nullopt;
        };
        report_.figures.push_back(
            {.name = what + ": lateness",
             .unit = "ms",
             .value = {pair.ours.lateness_ms_median, pair.ours.lateness_ms_p99},
             .floor =
                 Yardstick{floor_name, {pair.floor.lateness_ms_median, pair.floor.lateness_ms_p99}},
             .goal = if_promised({.factor = 2, .of_p99 = true})});
        report_.figures.push_back({.name = what + ": missed ticks",
                                   .unit = "%",
                                   .value = {.median = 100 * pair.ours.missed_share},
                                   .floor = Yardstick{floor_name, {100 * pair.floor.missed_share}},
                                   .goal = if_promised({.factor = 0})});
        report_.figures.push_back(
            {.name = what + ": CPU a tick",
             .unit = "µs",
             .value = {.median = pair.ours.cpu_us_per_tick},
             .floor = Yardstick{floor_name, {pair.floor.cpu_us_per_tick}},
             .goal = if_promised({.against = Against::floor, .factor = 1.25})});
    }

    // Where both drown, more of them would only take longer to say so.
    bool larger_than_drowned(const Headcount& crowd) const {
        return std::ranges::any_of(pairs_, [&crowd](const Pair& pair) {
            return pair.crowd.tick_ms == crowd.tick_ms && pair.crowd.ticking < crowd.ticking &&
                   !keeps_pace(pair.ours) && !keeps_pace(pair.floor);
        });
    }

    // ---- the knee ------------------------------------------------------------------------------

    static bool keeps_pace(const Window& window) {
        return window.lateness_ms_p99 <= knee_lateness_ms &&
               window.missed_share <= knee_missed_share;
    }

    // The most processes at 10 Hz that keep pace, from what the sizes above have shown already.
    Result<std::uint32_t> knee_of(const Start& start, Window Pair::* side) {
        std::uint32_t good = 0;
        std::uint32_t bad = knee_processes + 1;
        for (const Pair& pair : pairs_) {
            if (pair.crowd.tick_ms != tick_ms_of_10_hz ||
                pair.crowd.ticking != pair.crowd.processes) {
                continue;
            }
            const std::uint32_t count = pair.crowd.processes;
            if (keeps_pace(pair.*side)) {
                good = std::max(good, count);
            } else {
                bad = std::min(bad, count);
            }
        }
        for (std::uint32_t round = 0; round < knee_bisections || bad > knee_processes;) {
            const std::uint32_t tried = bad > knee_processes ? good + knee_step : (good + bad) / 2;
            if (tried > knee_processes) {
                break;
            }
            round += bad > knee_processes ? 0 : 1;
            const auto window = window_of(start, {tried, tried, tick_ms_of_10_hz});
            if (!window) {
                return std::unexpected(window.error());
            }
            (keeps_pace(*window) ? good : bad) = tried;
        }
        return good;
    }

    Result<void> add_knee() {
        const auto ours = knee_of(tron_, &Pair::ours);
        if (!ours) {
            return std::unexpected(ours.error());
        }
        const auto floor = knee_of(bare_, &Pair::floor);
        if (!floor) {
            return std::unexpected(floor.error());
        }
        constexpr double ticks_per_second = 1e3 / tick_ms_of_10_hz;
        report_.figures.push_back(
            {.name = knee_name,
             .unit = "ticks/s",
             .value = {.median = *ours * ticks_per_second},
             .floor = Yardstick{floor_name, {*floor * ticks_per_second}},
             .goal = Goal{.against = Against::floor, .bound = Bound::at_least, .factor = 0.85},
             .note = fmt::format("the most with p99 <= {} ms and at most {} % missed",
                                 knee_lateness_ms, 100 * knee_missed_share)});
        return {};
    }

    // ---- charts --------------------------------------------------------------------------------

    void add_chart(std::string title, std::string y_label, bool log_y, double Window::* value) {
        Line ours{.name = "Ringside", .points = {}};
        Line floor{.name = floor_name, .points = {}};
        for (const Pair& pair : pairs_) {
            if (pair.crowd.tick_ms == tick_ms_of_10_hz &&
                pair.crowd.ticking == pair.crowd.processes) {
                ours.points.emplace_back(pair.crowd.processes, pair.ours.*value);
                floor.points.emplace_back(pair.crowd.processes, pair.floor.*value);
            }
        }
        report_.charts.push_back({.title = std::move(title),
                                  .x_label = "games at 10 Hz",
                                  .y_label = std::move(y_label),
                                  .log_y = log_y,
                                  .lines = {std::move(ours), std::move(floor)}});
    }

    void add_charts() {
        add_chart("lateness of a tick", "p99, ms", true, &Window::lateness_ms_p99);
        add_chart("CPU of a tick", "µs", false, &Window::cpu_us_per_tick);
    }

    const Options& options_;
    bool smoke_;
    std::chrono::milliseconds window_;
    std::chrono::milliseconds settle_;
    Start tron_;
    Start bare_;
    std::vector<Pair> pairs_;
    Report report_{.bench = "density"};
};

}  // namespace

Result<Report> run_density(const Options& options) {
    return Density(options).run();
}

}  // namespace ringside::bench
