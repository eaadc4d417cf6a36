#include "event_trace.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "event_way.hpp"
#include "sessions.hpp"
#include "timeline.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/printable.hpp"
#include "ringside/ipc/supervisor.hpp"

namespace ringside {
namespace {

// A front with 1,000 games at 60 Hz overwrites its recorder in some 10 ms.
constexpr std::chrono::milliseconds read_again_after{2};
constexpr std::int64_t refresh_ns = 100'000'000;

int failed(const std::string& text) {
    fmt::print(stderr, "ringside: {}\n", printable(text));
    return 1;
}

std::vector<FlightEntry> follow(FlightLog& log, std::uint32_t seconds) {
    std::vector<FlightEntry> entries = log.read();
    const std::int64_t until_ns = monotonic_ns() + std::int64_t{seconds} * 1'000'000'000;
    std::int64_t next_refresh_ns = 0;
    for (std::int64_t now_ns = 0; (now_ns = monotonic_ns()) < until_ns;) {
        if (now_ns >= next_refresh_ns) {
            log.refresh();
            next_refresh_ns = now_ns + refresh_ns;
        }
        const auto more = log.read();
        entries.insert(entries.end(), more.begin(), more.end());
        std::this_thread::sleep_for(read_again_after);
    }
    // A record may have been read in a later round than one of another process that came after it.
    std::ranges::stable_sort(entries, {}, &FlightEntry::ns);
    return entries;
}

struct Spread {
    double mean = 0;
    double median = 0;
    double p99 = 0;
};

/// Requires at least one.
Spread spread_of(std::vector<double> values) {
    std::ranges::sort(values);
    double sum = 0;
    for (const double each : values) {
        sum += each;
    }
    return {.mean = sum / static_cast<double>(values.size()),
            .median = values[values.size() / 2],
            .p99 = values[values.size() * 99 / 100]};
}

struct Stage {
    std::string_view name;
    Spread us;
};

struct Table {
    std::vector<Stage> stages;
    double sum_us = 0;     // of the stages' means
    Spread end_to_end_us;  // as the client measured it, or from the front's receipt on
    std::size_t events = 0;
    bool from_client = false;
};

/// Of one kind: those with their client's stamps, if there are any, else those without.
Table table_of(std::span<const EventWay> ways) {
    Table table;
    table.from_client = std::ranges::any_of(ways, &EventWay::stamped);
    std::vector<const EventWay*> taken;
    for (const EventWay& way : ways) {
        if (way.stamped == table.from_client) {
            taken.push_back(&way);
        }
    }
    table.events = taken.size();
    if (taken.empty()) {
        return table;
    }
    const auto us = [](std::int64_t ns) { return static_cast<double>(ns) / 1e3; };
    std::vector<double> values;
    for (std::size_t point = taken[0]->first() + 1; point <= taken[0]->last(); ++point) {
        values.clear();
        for (const EventWay* way : taken) {
            values.push_back(us(way->at_ns[point] - way->at_ns[point - 1]));
        }
        table.stages.push_back({stage_names[point], spread_of(values)});
        table.sum_us += table.stages.back().us.mean;
    }
    values.clear();
    for (const EventWay* way : taken) {
        values.push_back(us(way->at_ns[way->last()] - way->at_ns[way->first()]));
    }
    table.end_to_end_us = spread_of(values);
    return table;
}

nlohmann::ordered_json json_of(const Spread& us) {
    return {{"mean_us", us.mean}, {"median_us", us.median}, {"p99_us", us.p99}};
}

void print_json(const Table& table, std::uint64_t lost) {
    auto stages = nlohmann::ordered_json::array();
    for (const Stage& stage : table.stages) {
        auto row = json_of(stage.us);
        row["name"] = stage.name;
        stages.push_back(std::move(row));
    }
    fmt::print("{}\n", nlohmann::ordered_json{{"events", table.events},
                                              {"from_client", table.from_client},
                                              {"stages", std::move(stages)},
                                              {"sum_us", table.sum_us},
                                              {"end_to_end", json_of(table.end_to_end_us)},
                                              {"lost_records", lost}}
                           .dump());
}

void print_table(const Table& table, std::uint64_t lost) {
    fmt::print("{:<28} {:>12} {:>12} {:>12}\n", "stage, us", "mean", "median", "p99");
    for (const Stage& stage : table.stages) {
        fmt::print("{:<28} {:>12.1f} {:>12.1f} {:>12.1f}\n", stage.name, stage.us.mean,
                   stage.us.median, stage.us.p99);
    }
    fmt::print("{:<28} {:>12.1f}\n", "sum of the stages", table.sum_us);
    fmt::print("{:<28} {:>12.1f} {:>12.1f} {:>12.1f}\n",
               table.from_client ? "end to end, for the client" : "end to end, in the host",
               table.end_to_end_us.mean, table.end_to_end_us.median, table.end_to_end_us.p99);
    fmt::print("{} inputs", table.events);
    if (lost != 0) {
        fmt::print("; {} records were overwritten before they could be read", lost);
    }
    fmt::print("\n");
}

}  // namespace

int run_event_trace(const EventTraceOptions& options) {
    WayFilter filter;
    if (!options.session.empty()) {
        filter.session = parse_session(options.session);
        if (!filter.session) {
            return failed(
                fmt::format("'{}' is no session; 'ringside sessions' lists them", options.session));
        }
    }
    auto log = FlightLog::open(HostOptions{}.root, options.instance);
    if (!log) {
        return failed(log.error().text());
    }
    const std::vector<FlightEntry> entries = follow(*log, options.seconds);
    if (!options.game.empty()) {
        filter.game = log->game(options.game);
        if (!filter.game) {
            return failed(fmt::format("no game is named '{}'", options.game));
        }
    }
    const std::vector<EventWay> ways = find_ways(*log, entries, filter);
    if (!options.perfetto.empty()) {
        if (auto written = write_timeline(options.perfetto, *log, entries, ways); !written) {
            return failed(written.error().text());
        }
    }
    const Table table = table_of(ways);
    if (table.events == 0) {
        return failed("no input has gone all the way while this looked; does anybody play?");
    }
    if (options.json) {
        print_json(table, log->lost());
    } else {
        print_table(table, log->lost());
    }
    return 0;
}

}  // namespace ringside
