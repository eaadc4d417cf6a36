#include "stat.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bot_process.hpp"
#include "readings.hpp"
#include "stat_json.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/printable.hpp"
#include "ringside/ipc/supervisor.hpp"

namespace ringside {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::size_t latest_games_shown = 10;

int failed(const Error& error) {
    fmt::print(stderr, "ringside: {}\n", printable(error.text()));
    return 1;
}

Error no_such_game(const StatOptions& options) {
    return {std::make_error_code(std::errc::no_such_process),
            fmt::format("the host '{}' has no game '{}'", options.instance, options.game)};
}

// ---- text --------------------------------------------------------------------------------------

/// "accepts 12, closes: client 3 web 1": what is not zero.
template <class Statistic>
std::string counts_text(const StatisticsReading& reading) {
    std::string text;
    std::string_view family;
    const auto rows = rows_of(Statistic{});
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const StatisticRow& row = rows[i];
        if (reading.values[i] == 0) {
            continue;
        }
        if (row.label.empty()) {
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", row.family, reading.values[i]);
        } else if (row.family == family) {
            text += fmt::format(" {} {}", row.label, reading.values[i]);
        } else {
            text += fmt::format("{}{}: {} {}", text.empty() ? "" : ", ", row.family, row.label,
                                reading.values[i]);
        }
        family = row.family;
    }
    return text.empty() ? "nothing yet" : text;
}

void print_errors_hint(const StatisticsReading& statistics) {
    if (!statistics.errors.empty()) {
        fmt::print("  {} distinct errors; 'ringside errors' tells them\n",
                   statistics.errors.size());
    }
}

void print_host(const std::string& instance, const HostReading& host, std::size_t games) {
    const std::int64_t now_ns = monotonic_ns();
    fmt::print("host '{}' {}, pid {}, {} of {} games{}\n", instance, text_of(host.life), host.pid,
               games, host.games_max,
               host.statistics
                   ? fmt::format(", up {}", time_text(now_ns - host.statistics->started_ns))
                   : "");
    if (host.statistics) {
        const StatisticsReading& statistics = *host.statistics;
        fmt::print("  {}\n", counts_text<HostStatistic>(statistics));
        if (statistics.times.count() != 0) {
            fmt::print("  restored in {} (median), {} (p99)\n",
                       time_text(quantile_ns(statistics.times, 0.5, restore_time_unit_bits)),
                       time_text(quantile_ns(statistics.times, 0.99, restore_time_unit_bits)));
        }
        print_errors_hint(statistics);
    }
    for (const FrontReading& front : host.fronts) {
        fmt::print("front {} {}, {} connections\n", front.slot,
                   front.pid != 0 ? fmt::format("pid {}", front.pid) : "gone", front.connections);
        fmt::print("  {}\n", counts_text<FrontStatistic>(front.statistics));
        fmt::print("  turns {} (median), {} (p99)\n",
                   time_text(quantile_ns(front.statistics.times, 0.5, loop_time_unit_bits)),
                   time_text(quantile_ns(front.statistics.times, 0.99, loop_time_unit_bits)));
        print_errors_hint(front.statistics);
    }
}

void print_types(const std::vector<GameReading>& games) {
    if (games.empty()) {
        return;
    }
    fmt::print("\n{:<12} {:>6} {:>7} {:>7} {:>7} {:>11} {:>7} {:>11} {:>9} {:>9} {:>9} {:>9}\n",
               "TYPE", "GAMES", "RACING", "PLAYERS", "WATCH", "TICKS", "MISSED", "EVENTS",
               "LATE p50", "p99", "TICK p50", "p99");
    for (const TypeSum& sum : sums_by_type(games)) {
        fmt::print("{:<12} {:>6} {:>7} {:>7} {:>7} {:>11} {:>7} {:>11} {:>9} {:>9} {:>9} {:>9}\n",
                   sum.type, sum.games, sum.racing, sum.players, sum.spectators, sum.ticks,
                   sum.missed_ticks, sum.events_applied,
                   time_text(quantile_ns(sum.lateness, 0.5, lateness_unit_bits)),
                   time_text(quantile_ns(sum.lateness, 0.99, lateness_unit_bits)),
                   time_text(quantile_ns(sum.tick_time, 0.5, tick_time_unit_bits)),
                   time_text(quantile_ns(sum.tick_time, 0.99, tick_time_unit_bits)));
    }
}

/// The ones whose ticks are latest.
void print_latest(std::vector<GameReading> games) {
    const auto late_ns = [](const GameReading& game) {
        return quantile_ns(game.lateness, 0.99, lateness_unit_bits);
    };
    const std::size_t shown = std::min(latest_games_shown, games.size());
    std::ranges::partial_sort(games, games.begin() + static_cast<std::ptrdiff_t>(shown),
                              std::ranges::greater{}, late_ns);
    if (shown == 0) {
        return;
    }
    fmt::print("\n{:<24} {:<10} {:<9} {:>7} {:>9} {:>7} {:>9} {:>9} {:>9}\n", "LATEST GAMES",
               "TYPE", "", "PLAYERS", "TICKS", "MISSED", "LATE p99", "TICK p99", "CPU");
    for (const GameReading& game : std::span(games).first(shown)) {
        fmt::print("{:<24} {:<10} {:<9} {:>7} {:>9} {:>7} {:>9} {:>9} {:>9}\n",
                   printable(game.name), printable(game.type), doing(game),
                   fmt::format("{}/{}", game.progress.players, game.progress.seats), game.ticks,
                   game.missed_ticks, time_text(late_ns(game)),
                   time_text(quantile_ns(game.tick_time, 0.99, tick_time_unit_bits)),
                   time_text(game.cpu_ns));
    }
}

void print_histogram(std::string_view title, const LatenessHistogram& times,
                     std::uint32_t unit_bits) {
    constexpr std::uint64_t bar_columns = 50;
    std::uint64_t most = 0;
    for (std::uint32_t bucket = 0; bucket < LatenessHistogram::bucket_count; ++bucket) {
        most = std::max(most, times.count_in(bucket));
    }
    if (most == 0) {
        return;
    }
    fmt::print("\n{}\n", title);
    for (std::uint32_t bucket = 0; bucket < LatenessHistogram::bucket_count; ++bucket) {
        const std::uint64_t count = times.count_in(bucket);
        if (count != 0) {
            const auto bound = (LatenessHistogram::upper_bound(bucket) + 1) << unit_bits;
            fmt::print("  < {:>8} {:>9}  {:#<{}}\n", time_text(static_cast<std::int64_t>(bound)),
                       count, "", std::max<std::uint64_t>(1, count * bar_columns / most));
        }
    }
}

void print_game(const GameReading& game) {
    fmt::print("game '{}', a {} {}: {}, pid {}, {} of {} seats taken, {} watch\n",
               printable(game.name), printable(game.type), printable(game.size_label), doing(game),
               game.pid, game.progress.players, game.progress.seats, game.spectators);
    fmt::print("  made {} ago, restarted {} times\n", time_text(monotonic_ns() - game.created_ns),
               game.restarts);
    fmt::print("  {} ticks of {}, {} missed\n", game.ticks, time_text(game.tick_ns),
               game.missed_ticks);
    fmt::print("  {} events applied, {} dropped; {} of {} in the fullest ring, {} at most\n",
               game.events_applied, game.events_dropped, size_text(game.event_ring_bytes),
               size_text(game.event_ring_capacity), size_text(game.event_ring_bytes_high));
    fmt::print("  {} snapshots, the newest of {}, the largest of {}\n", game.snapshots,
               size_text(game.snapshot_bytes), size_text(game.snapshot_bytes_high));
    fmt::print(
        "  {} of CPU, slept {} times, preempted {} times; {} resident at most, {} of it its "
        "segment\n",
        time_text(game.cpu_ns), game.waits, game.preemptions,
        size_text(std::uint64_t{game.memory_kib_high} * 1024), size_text(game.segment_bytes));
    print_histogram("how late its ticks were", game.lateness, lateness_unit_bits);
    print_histogram("how long they took", game.tick_time, tick_time_unit_bits);
}

// ---- once --------------------------------------------------------------------------------------

int stat_once(HostObserver& observer, const StatOptions& options) {
    if (!options.game.empty()) {
        const auto game = observer.game(options.game);
        if (!game) {
            return failed(no_such_game(options));
        }
        if (options.json) {
            fmt::print("{}\n", game_json(*game, Histograms::yes).dump());
        } else {
            print_game(*game);
        }
        return 0;
    }
    const HostReading host = observer.host();
    const std::vector<GameReading> games = observer.games();
    if (options.json) {
        fmt::print("{}\n", host_json(options.instance, host, games).dump());
    } else {
        print_host(options.instance, host, games.size());
        print_types(games);
        print_latest(games);
    }
    return 0;
}

// ---- again and again ---------------------------------------------------------------------------

/// Of all that is watched, summed up.
struct Moment {
    std::int64_t time_ns = 0;
    HostLife life{};
    std::size_t games = 0;
    TypeSum sum;
    std::array<std::uint64_t, statistics_max> fronts{};

    [[nodiscard]] std::uint64_t operator[](FrontStatistic statistic) const noexcept {
        return fronts[static_cast<std::size_t>(statistic)];
    }
};

Moment look(HostObserver& observer, const StatOptions& options) {
    Moment moment{.time_ns = monotonic_ns(), .sum = {}};
    const HostReading host = observer.host();
    moment.life = host.life;
    for (const FrontReading& front : host.fronts) {
        for (std::size_t i = 0; i < moment.fronts.size(); ++i) {
            moment.fronts[i] += front.statistics.values[i];
        }
    }
    for (const GameReading& game : observer.games()) {
        if (options.game.empty() || game.name == options.game) {
            ++moment.games;
            moment.sum.add(game);
        }
    }
    return moment;
}

void print_rates_head() {
    fmt::print("{:>6} {:>7} {:>9} {:>7} {:>8} {:>9} {:>9} {:>7} {:>8} {:>9} {:>9}\n", "GAMES",
               "PLAYERS", "TICKS/s", "MISSED", "EVENTS/s", "LATE p50", "p99", "SESSIONS",
               "MSG IN/s", "MSG OUT/s", "OUT/s");
}

/// What has happened between two looks. Games that have ended meanwhile took their counts along, so
/// a sum may be less than before: that is shown as nothing.
void print_rates(const Moment& before, const Moment& now) {
    const double seconds = static_cast<double>(now.time_ns - before.time_ns) / 1e9;
    const auto rate = [seconds](std::uint64_t from, std::uint64_t to) {
        return to > from ? static_cast<double>(to - from) / seconds : 0.0;
    };
    const auto front_rate = [&](FrontStatistic statistic) {
        return rate(before[statistic], now[statistic]);
    };
    const bool none_ended = now.sum.lateness.count() >= before.sum.lateness.count();
    const LatenessHistogram late =
        none_ended ? since(now.sum.lateness, before.sum.lateness) : LatenessHistogram{};
    fmt::print("{:>6} {:>7} {:>9.0f} {:>7.0f} {:>8.0f} {:>9} {:>9} {:>7} {:>8.0f} {:>9.0f} {:>9}\n",
               now.games, now.sum.players, rate(before.sum.ticks, now.sum.ticks),
               rate(before.sum.missed_ticks, now.sum.missed_ticks),
               rate(before.sum.events_applied, now.sum.events_applied),
               time_text(quantile_ns(late, 0.5, lateness_unit_bits)),
               time_text(quantile_ns(late, 0.99, lateness_unit_bits)),
               now[FrontStatistic::sessions], front_rate(FrontStatistic::messages_in),
               front_rate(FrontStatistic::messages_out),
               size_text(static_cast<std::uint64_t>(front_rate(FrontStatistic::bytes_out))));
    std::fflush(stdout);
}

int stat_again_and_again(HostObserver& observer, const StatOptions& options) {
    constexpr int lines_below_a_head = 20;
    constexpr std::int64_t look_for_signals_ns = 50'000'000;
    const StopSignals stop_signals;
    Moment before = look(observer, options);
    std::int64_t next_ns = before.time_ns + second_ns;
    for (int line = 0;; ++line) {
        while (!stop_asked() && monotonic_ns() < next_ns) {
            sleep_until(std::min(next_ns, monotonic_ns() + look_for_signals_ns));
        }
        if (stop_asked()) {
            return 0;
        }
        if (!observer.is_current()) {
            fmt::print(stderr, "ringside: the host '{}' is gone\n", options.instance);
            return 0;
        }
        if (options.json) {
            if (const int code = stat_once(observer, options); code != 0) {
                return code;
            }
            std::fflush(stdout);
        } else {
            const Moment now = look(observer, options);
            if (!options.game.empty() && now.games == 0) {
                return failed(no_such_game(options));
            }
            if (line % lines_below_a_head == 0) {
                print_rates_head();
            }
            print_rates(before, now);
            before = now;
        }
        next_ns = std::max(next_ns + second_ns, monotonic_ns());
    }
}

// ---- errors ------------------------------------------------------------------------------------

std::string moment_text(std::int64_t time_ns) {
    const std::time_t seconds = time_ns / second_ns;
    std::tm local{};
    localtime_r(&seconds, &local);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &local);
    return text.data();
}

void print_errors(const std::string& whose, const StatisticsReading& statistics) {
    for (const ErrorReading& error : statistics.errors) {
        fmt::print("{:>7}  {}  {}  {:<8} {}\n", error.count, moment_text(error.first_ns),
                   moment_text(error.last_ns), whose, printable(error.text));
    }
    if (statistics.errors_not_kept != 0) {
        fmt::print("{:>7}  of {} for which no place was left\n", statistics.errors_not_kept, whose);
    }
}

}  // namespace

int run_stat(const StatOptions& options) {
    auto observer = HostObserver::open(HostOptions{}.root, options.instance);
    if (!observer) {
        return failed(observer.error());
    }
    return options.watch ? stat_again_and_again(*observer, options) : stat_once(*observer, options);
}

int run_errors(const std::string& instance, bool json) {
    const auto observer = HostObserver::open(HostOptions{}.root, instance);
    if (!observer) {
        return failed(observer.error());
    }
    const HostReading host = observer->host();
    if (json) {
        fmt::print("{}\n", errors_json(host).dump());
        return 0;
    }
    fmt::print("{:>7}  {:<19}  {:<19}  {:<8} {}\n", "TIMES", "FIRST", "LAST", "OF", "");
    if (host.statistics) {
        print_errors("host", *host.statistics);
    }
    for (const FrontReading& front : host.fronts) {
        print_errors(fmt::format("front {}", front.slot), front.statistics);
    }
    return 0;
}

}  // namespace ringside
