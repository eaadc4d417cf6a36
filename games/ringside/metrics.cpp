#include "metrics.hpp"

#include <algorithm>
#include <limits>
#include <sstream>

#include <fmt/format.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>

#include "ringside/core/game_name.hpp"
#include "ringside/core/log.hpp"
#include "ringside/core/printable.hpp"
#include "ringside/ipc/supervisor.hpp"
#include "ringside/net/http_server.hpp"

namespace ringside {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

constexpr int scrape_nice = 10;  // behind games and fronts, where they want the CPU
constexpr const char* text_format = "text/plain; version=0.0.4; charset=utf-8";

double seconds(std::int64_t time_ns) {
    return static_cast<double>(time_ns) / 1e9;
}

/// A bucket an octave: four of ours each. The sum is that of the buckets' middles.
ClientMetric::Histogram histogram_of(const LatenessHistogram& times, std::uint32_t unit_bits) {
    constexpr std::uint32_t buckets_of_an_octave = 4;
    ClientMetric::Histogram histogram;
    std::uint64_t below = 0;  // in units
    for (std::uint32_t bucket = 0; bucket < LatenessHistogram::bucket_count; ++bucket) {
        const std::uint64_t end = LatenessHistogram::upper_bound(bucket) + 1;
        const std::uint64_t count = times.count_in(bucket);
        histogram.sample_count += count;
        histogram.sample_sum += static_cast<double>(count) *
                                seconds(static_cast<std::int64_t>((below + end) << unit_bits)) / 2;
        below = end;
        if (bucket % buckets_of_an_octave == buckets_of_an_octave - 1) {
            histogram.bucket.push_back(
                {.cumulative_count = histogram.sample_count,
                 .upper_bound = seconds(static_cast<std::int64_t>(end << unit_bits))});
        }
    }
    // What was longer than all stands in the last of ours.
    histogram.bucket.back().upper_bound = std::numeric_limits<double>::infinity();
    return histogram;
}

/// Families in the order in which they are first named.
class Page {
public:
    void counter(const std::string& name, const char* help, Labels labels, double value) {
        ClientMetric metric;
        metric.label = std::move(labels);
        metric.counter.value = value;
        family(name, help, MetricType::Counter).metric.push_back(std::move(metric));
    }
    void gauge(const std::string& name, const char* help, Labels labels, double value) {
        ClientMetric metric;
        metric.label = std::move(labels);
        metric.gauge.value = value;
        family(name, help, MetricType::Gauge).metric.push_back(std::move(metric));
    }
    void histogram(const std::string& name, const char* help, Labels labels,
                   const LatenessHistogram& times, std::uint32_t unit_bits) {
        ClientMetric metric;
        metric.label = std::move(labels);
        metric.histogram = histogram_of(times, unit_bits);
        family(name, help, MetricType::Histogram).metric.push_back(std::move(metric));
    }

    /// All rows of a table: ringside_PREFIX_FAMILY, counters with _total.
    template <class Statistic>
    void statistics(const std::string& prefix, const Labels& labels,
                    const StatisticsReading& reading) {
        const auto rows = rows_of(Statistic{});
        std::string help;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const StatisticRow& row = rows[i];
            help = row.help.empty() ? help : std::string(row.help);
            Labels all = labels;
            if (!row.label.empty()) {
                all.push_back({std::string(row.label_key), std::string(row.label)});
            }
            const std::string name = fmt::format("ringside_{}_{}", prefix, row.family);
            const auto value = static_cast<double>(reading.values[i]);
            if (row.gauge) {
                gauge(name, help.c_str(), std::move(all), value);
            } else {
                counter(name + "_total", help.c_str(), std::move(all), value);
            }
        }
    }

    [[nodiscard]] std::string text() const {
        std::ostringstream out;
        prometheus::TextSerializer().Serialize(out, families_);
        return std::move(out).str();
    }

private:
    MetricFamily& family(const std::string& name, const char* help, MetricType type) {
        const auto known = std::ranges::find(families_, name, &MetricFamily::name);
        return known != families_.end()
                   ? *known
                   : families_.emplace_back(MetricFamily{name, help, type, {}});
    }
    std::vector<MetricFamily> families_;
};

void add_type(Page& page, const TypeSum& now, const TypeSum& ended) {
    const Labels labels{{"type", now.type}};
    const auto gauge = [&](const char* name, const char* help, auto value) {
        page.gauge(fmt::format("ringside_type_{}", name), help, labels, static_cast<double>(value));
    };
    const auto counter = [&](const char* name, const char* help, double value) {
        page.counter(fmt::format("ringside_type_{}_total", name), help, labels, value);
    };
    const auto sum = [&](std::uint64_t TypeSum::* member) {
        return static_cast<double>(now.*member + ended.*member);
    };
    gauge("games", "Games of the type", now.games);
    gauge("games_racing", "Games that have a next tick", now.racing);
    gauge("players", "Seats taken", now.players);
    gauge("seats", "Seats in all", now.seats);
    gauge("spectators", "Sessions that watch", now.spectators);
    gauge("segment_bytes", "Shared memory reserved, event rings aside", now.segment_bytes);
    counter("ticks", "Steps done", sum(&TypeSum::ticks));
    counter("missed_ticks", "Periods skipped because a game came too late",
            sum(&TypeSum::missed_ticks));
    counter("events_applied", "Events that games have applied", sum(&TypeSum::events_applied));
    counter("events_dropped", "Events skipped because they crashed their game",
            sum(&TypeSum::events_dropped));
    counter("snapshots", "Snapshots published", sum(&TypeSum::snapshots));
    counter("restarts", "Deaths that games have survived", sum(&TypeSum::restarts));
    counter("cpu_seconds", "CPU time of games", seconds(now.cpu_ns + ended.cpu_ns));
    LatenessHistogram lateness = now.lateness;
    lateness.merge(ended.lateness);
    page.histogram("ringside_type_tick_lateness_seconds",
                   "From a tick's deadline until its game ran", labels, lateness,
                   lateness_unit_bits);
    LatenessHistogram tick_time = now.tick_time;
    tick_time.merge(ended.tick_time);
    page.histogram("ringside_type_tick_seconds", "From there until the snapshot was out", labels,
                   tick_time, tick_time_unit_bits);
}

void add_host(Page& page, const HostReading& host) {
    page.gauge("ringside_host_running", "1: it runs; 0: it is stopped or dead", {},
               host.life == HostLife::running ? 1 : 0);
    page.gauge("ringside_host_games_max", "Games that may be at once", {}, host.games_max);
    if (host.statistics) {
        page.statistics<HostStatistic>("host", {}, *host.statistics);
        page.histogram("ringside_host_restore_seconds",
                       "From the notice of a game's death until its next process", {},
                       host.statistics->times, restore_time_unit_bits);
    }
    for (const FrontReading& front : host.fronts) {
        const Labels labels{{"front", fmt::format("{}", front.slot)}};
        page.gauge("ringside_front_connections", "Client sockets", labels,
                   static_cast<double>(front.connections));
        page.statistics<FrontStatistic>("front", labels, front.statistics);
        page.histogram("ringside_front_turn_seconds", "Work between two waits", labels,
                       front.statistics.times, loop_time_unit_bits);
    }
}

}  // namespace

void Metrics::follow(const std::vector<GameReading>& games) {
    auto before = std::exchange(seen_, {});
    for (const GameReading& game : games) {
        before.erase({game.id.slot, game.id.epoch});
        seen_.emplace(std::pair(game.id.slot, game.id.epoch), game);
    }
    for (const auto& [id, game] : before) {
        ended_[printable(game.type)].add(game);
    }
}

std::string Metrics::scrape() {
    const std::vector<GameReading> games = observer_.games();
    follow(games);
    Page page;
    add_host(page, observer_.host());
    std::vector<TypeSum> sums = sums_by_type(games);
    for (const auto& [type, unused] : ended_) {  // a type that has no game now keeps its series
        if (std::ranges::find(sums, type, &TypeSum::type) == sums.end()) {
            sums.push_back({.type = type, .lateness = {}, .tick_time = {}});
        }
    }
    for (const TypeSum& sum : sums) {
        const auto ended = ended_.find(sum.type);
        add_type(page, sum, ended != ended_.end() ? ended->second : TypeSum{});
    }
    return page.text();
}

std::string Metrics::scrape(const std::string& name) {
    const auto game = observer_.game(name);
    if (!game) {
        return {};
    }
    const Labels labels{{"game", printable(game->name)}, {"type", printable(game->type)}};
    Page page;
    const auto gauge = [&](const char* metric, const char* help, auto value) {
        page.gauge(fmt::format("ringside_game_{}", metric), help, labels,
                   static_cast<double>(value));
    };
    const auto counter = [&](const char* metric, const char* help, auto value) {
        page.counter(fmt::format("ringside_game_{}_total", metric), help, labels,
                     static_cast<double>(value));
    };
    gauge("players", "Seats taken", game->progress.players);
    gauge("seats", "Seats in all", game->progress.seats);
    gauge("spectators", "Sessions that watch", game->spectators);
    gauge("event_ring_bytes", "Waiting in the fullest of its event rings", game->event_ring_bytes);
    gauge("event_ring_bytes_high", "The most that one of them held", game->event_ring_bytes_high);
    gauge("snapshot_bytes", "The newest snapshot's size", game->snapshot_bytes);
    gauge("memory_bytes_high", "Resident at most, shared pages included",
          std::uint64_t{game->memory_kib_high} * 1024);
    counter("ticks", "Steps done", game->ticks);
    counter("missed_ticks", "Periods skipped because it came too late", game->missed_ticks);
    counter("events_applied", "Events applied", game->events_applied);
    counter("events_dropped", "Events skipped because they crashed it", game->events_dropped);
    counter("snapshots", "Snapshots published", game->snapshots);
    counter("restarts", "Deaths survived", game->restarts);
    counter("cpu_seconds", "CPU time", seconds(game->cpu_ns));
    page.histogram("ringside_game_tick_lateness_seconds", "From a tick's deadline until it ran",
                   labels, game->lateness, lateness_unit_bits);
    page.histogram("ringside_game_tick_seconds", "From there until the snapshot was out", labels,
                   game->tick_time, tick_time_unit_bits);
    return page.text();
}

int serve_metrics(const std::string& instance, int listening_fd, int stop_fd) {
    setpriority(PRIO_PROCESS, 0, scrape_nice);
    auto observer = HostObserver::open(HostOptions{}.root, instance);
    if (!observer) {
        log(LogLevel::error, fmt::format("metrics: {}", observer.error().text()));
        return 1;
    }
    Metrics metrics(std::move(*observer));
    serve_http(listening_fd, stop_fd,
               [&metrics](std::string_view path, std::string_view query) -> HttpReply {
                   if (path != "/metrics") {
                       return {};
                   }
                   const std::string_view game = http_query_value(query, "game");
                   if (game.empty()) {
                       return {.content_type = text_format, .content = metrics.scrape()};
                   }
                   std::string page = is_game_name(game) ? metrics.scrape(std::string(game)) : "";
                   return {.content_type = page.empty() ? "" : text_format,
                           .content = std::move(page)};
               });
    return 0;
}

}  // namespace ringside
