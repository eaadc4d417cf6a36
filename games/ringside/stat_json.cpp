#include "stat_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "readings.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/printable.hpp"

namespace ringside {
namespace {

using Json = nlohmann::ordered_json;

Json quantiles_json(const LatenessHistogram& times, std::uint32_t unit_bits) {
    return {{"count", times.count()},
            {"p50", quantile_ns(times, 0.5, unit_bits)},
            {"p90", quantile_ns(times, 0.9, unit_bits)},
            {"p99", quantile_ns(times, 0.99, unit_bits)},
            {"p999", quantile_ns(times, 0.999, unit_bits)},
            {"max", quantile_ns(times, 1.0, unit_bits)}};
}

/// [[below ns, count], …]
Json buckets_json(const LatenessHistogram& times, std::uint32_t unit_bits) {
    Json buckets = Json::array();
    for (std::uint32_t bucket = 0; bucket < LatenessHistogram::bucket_count; ++bucket) {
        if (times.count_in(bucket) != 0) {
            buckets.push_back({(LatenessHistogram::upper_bound(bucket) + 1) << unit_bits,
                               times.count_in(bucket)});
        }
    }
    return buckets;
}

/// Families with labels become objects.
template <class Statistic>
Json counts_json(const StatisticsReading& reading) {
    Json counts = Json::object();
    const auto rows = rows_of(Statistic{});
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string family(rows[i].family);
        if (rows[i].label.empty()) {
            counts[family] = reading.values[i];
        } else {
            counts[family][std::string(rows[i].label)] = reading.values[i];
        }
    }
    return counts;
}

Json type_json(const TypeSum& sum) {
    return {{"type", sum.type},
            {"games", sum.games},
            {"racing", sum.racing},
            {"players", sum.players},
            {"seats", sum.seats},
            {"spectators", sum.spectators},
            {"ticks", sum.ticks},
            {"missed_ticks", sum.missed_ticks},
            {"events_applied", sum.events_applied},
            {"events_dropped", sum.events_dropped},
            {"snapshots", sum.snapshots},
            {"restarts", sum.restarts},
            {"cpu_ns", sum.cpu_ns},
            {"segment_bytes", sum.segment_bytes},
            {"late_ns", quantiles_json(sum.lateness, lateness_unit_bits)},
            {"tick_time_ns", quantiles_json(sum.tick_time, tick_time_unit_bits)}};
}

void add_errors(Json& all, const std::string& whose, const StatisticsReading& statistics) {
    for (const ErrorReading& error : statistics.errors) {
        all.push_back({{"of", whose},
                       {"count", error.count},
                       {"first_unix_ns", error.first_ns},
                       {"last_unix_ns", error.last_ns},
                       {"text", printable(error.text)}});
    }
}

}  // namespace

Json game_json(const GameReading& game, Histograms histograms) {
    Json json{{"name", printable(game.name)},
              {"type", printable(game.type)},
              {"size", printable(game.size_label)},
              {"state", doing(game)},
              {"players", game.progress.players},
              {"seats", game.progress.seats},
              {"spectators", game.spectators},
              {"pid", game.pid},
              {"restarts", game.restarts},
              {"age_s", (monotonic_ns() - game.created_ns) / 1'000'000'000},
              {"tick_ns", game.tick_ns},
              {"ticks", game.ticks},
              {"parked", game.deadline_ns == 0},
              {"missed_ticks", game.missed_ticks},
              {"events_applied", game.events_applied},
              {"events_dropped", game.events_dropped},
              {"event_ring_bytes", game.event_ring_bytes},
              {"event_ring_bytes_high", game.event_ring_bytes_high},
              {"event_ring_capacity", game.event_ring_capacity},
              {"snapshots", game.snapshots},
              {"snapshot_bytes", game.snapshot_bytes},
              {"snapshot_bytes_high", game.snapshot_bytes_high},
              {"cpu_ns", game.cpu_ns},
              {"waits", game.waits},
              {"preemptions", game.preemptions},
              {"memory_kib_high", game.memory_kib_high},
              {"segment_bytes", game.segment_bytes},
              {"late_ns", quantiles_json(game.lateness, lateness_unit_bits)},
              {"tick_time_ns", quantiles_json(game.tick_time, tick_time_unit_bits)}};
    if (histograms == Histograms::yes) {
        json["late_buckets"] = buckets_json(game.lateness, lateness_unit_bits);
        json["tick_time_buckets"] = buckets_json(game.tick_time, tick_time_unit_bits);
    }
    return json;
}

Json host_json(const std::string& instance, const HostReading& host,
               const std::vector<GameReading>& games) {
    Json json{{"instance", instance},
              {"life", text_of(host.life)},
              {"pid", host.pid},
              {"games_max", host.games_max}};
    if (host.statistics) {
        json["host"] = counts_json<HostStatistic>(*host.statistics);
        json["host"]["restore_ns"] = quantiles_json(host.statistics->times, restore_time_unit_bits);
    }
    json["fronts"] = Json::array();
    for (const FrontReading& front : host.fronts) {
        Json row{{"slot", front.slot},
                 {"pid", front.pid},
                 {"connections", front.connections},
                 {"turns", front.turns}};
        row.update(counts_json<FrontStatistic>(front.statistics));
        row["turn_ns"] = quantiles_json(front.statistics.times, loop_time_unit_bits);
        json["fronts"].push_back(std::move(row));
    }
    json["types"] = Json::array();
    for (const TypeSum& sum : sums_by_type(games)) {
        json["types"].push_back(type_json(sum));
    }
    json["games"] = Json::array();
    for (const GameReading& game : games) {
        json["games"].push_back(game_json(game, Histograms::no));
    }
    return json;
}

Json errors_json(const HostReading& host) {
    Json all = Json::array();
    std::uint64_t not_kept = 0;
    if (host.statistics) {
        add_errors(all, "host", *host.statistics);
        not_kept += host.statistics->errors_not_kept;
    }
    for (const FrontReading& front : host.fronts) {
        add_errors(all, fmt::format("front {}", front.slot), front.statistics);
        not_kept += front.statistics.errors_not_kept;
    }
    return {{"errors", std::move(all)}, {"not_kept", not_kept}};
}

}  // namespace ringside
