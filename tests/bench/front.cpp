// front: messages through front, ring, game and back, and what they cost the front; beside a bare
// epoll echo, which has neither a second process nor a protocol.

#include <string>
#include <vector>

#include <fmt/format.h>

#include "benches.hpp"
#include "cpu_time.hpp"
#include "loaded.hpp"
#include "served.hpp"
#include "tests/bench/rivals/epoll_echo.hpp"

namespace ringside::bench {
namespace {

constexpr std::uint32_t message_bytes = 64;

struct Size {
    std::uint32_t games;
    std::uint32_t players;
};

struct Sample {
    std::vector<double> cpu_us;  // of the front, an input and its snapshots
    std::vector<double> rate;    // thousand inputs a second
    Histogram latency_ns;        // of all rounds
};

/// How many inputs came back.
Result<std::uint64_t> take_ours(const Served& host, const Size& size,
                                std::chrono::milliseconds slice, Sample& sample) {
    const auto outcome = run_loaded({.endpoint = host.endpoint(),
                                     .mode = load::Mode::relay,
                                     .games = size.games,
                                     .players = size.players,
                                     .inputs_per_second = 0,
                                     .input_bytes = message_bytes,
                                     .warm_up = slice / 4,
                                     .time = slice,
                                     .watched_pid = host.front_pids().front()});
    if (!outcome) {
        return std::unexpected(outcome.error());
    }
    if (outcome->acknowledged == 0) {
        return 0;
    }
    const auto inputs = static_cast<double>(outcome->acknowledged);
    sample.cpu_us.push_back(outcome->watched_cpu_seconds * 1e6 / inputs);
    sample.rate.push_back(inputs / outcome->seconds / 1e3);
    sample.latency_ns.merge(outcome->latency_ns);
    return outcome->acknowledged;
}

/// How many messages came back.
Result<std::uint64_t> take_echo(const EpollEcho& echo, std::uint32_t connections,
                                std::chrono::milliseconds slice, Sample& sample) {
    const std::int64_t cpu_ns = cpu_ns_of(echo.pid());
    const auto outcome =
        run_echo_clients(echo.endpoint(), {.connections = connections,
                                           .bytes = message_bytes,
                                           .time_ns = std::chrono::nanoseconds(slice).count()});
    if (!outcome) {
        return std::unexpected(outcome.error());
    }
    if (outcome->echoes == 0) {
        return 0;
    }
    const auto echoes = static_cast<double>(outcome->echoes);
    sample.cpu_us.push_back(static_cast<double>(cpu_ns_of(echo.pid()) - cpu_ns) / 1e3 / echoes);
    sample.rate.push_back(echoes / outcome->seconds / 1e3);
    sample.latency_ns.merge(outcome->latency_ns);
    return outcome->echoes;
}

/// A slice in which nothing comes back, on a machine that does something else, is taken again.
template <class Take>
Result<void> take_one(Take take) {
    constexpr int takes_max = 100;
    for (int takes = 0; takes < takes_max; ++takes) {
        const Result<std::uint64_t> came_back = take();
        if (!came_back) {
            return std::unexpected(came_back.error());
        }
        if (*came_back > 0) {
            return {};
        }
    }
    return failure(std::errc::timed_out, "nothing that was sent came back");
}

std::string name_of(const Size& size) {
    return fmt::format("{} connections, {} a game", size.games * size.players, size.players);
}

Result<void> measure(const Size& size, const Options& options, Report& report) {
    auto host = Served::start({"--messages-per-second", "1000000"});
    auto echo = EpollEcho::start();
    if (!host || !echo) {
        return std::unexpected(!host ? host.error() : echo.error());
    }
    const std::uint32_t connections = size.games * size.players;
    const auto slice = std::chrono::milliseconds(options.smoke ? 50 : 1'000);
    Sample ours;
    Sample theirs;
    for (int round = 0; round < (options.smoke ? 1 : 7); ++round) {
        if (auto taken = take_one([&] { return take_ours(*host, size, slice, ours); }); !taken) {
            return taken;
        }
        if (auto taken = take_one([&] { return take_echo(*echo, connections, slice, theirs); });
            !taken) {
            return taken;
        }
    }
    const auto figure = [&](const char* what, const char* unit, std::vector<double>& mine,
                            std::vector<double>& bare, std::optional<Goal> goal) {
        report.figures.push_back(
            {.name = fmt::format("{}: {}", name_of(size), what),
             .unit = unit,
             .value = {.median = measured(mine).median, .p99 = {}},
             .floor = Yardstick{"bare epoll echo", {.median = measured(bare).median, .p99 = {}}},
             .rival = {},
             .goal = goal,
             .note = ""});
    };
    const bool judged = connections == 1'000;
    figure("front's CPU a message there and back", "µs", ours.cpu_us, theirs.cpu_us,
           judged ? std::optional(Goal{.bound = Bound::at_most, .factor = 9.4}) : std::nullopt);
    figure("messages", "k/s", ours.rate, theirs.rate, {});
    report.figures.push_back(
        {.name = name_of(size) + ": there and back",
         .unit = "µs",
         .value = measured_us(ours.latency_ns),
         .floor = Yardstick{"bare epoll echo", measured_us(theirs.latency_ns)},
         .rival = {},
         .goal = Goal{.against = Against::floor, .factor = 1.0, .of_p99 = true},
         .note = "all samples of all rounds"});
    return {};
}

}  // namespace

Result<Report> run_front_bench(const Options& options) {
    allow_descriptors();
    Report report{.bench = "front", .figures = {}, .charts = {}, .notes = {}};
    const std::vector<Size> sizes =
        options.smoke ? std::vector<Size>{{1, 1}, {2, 5}}
                      : std::vector<Size>{{1, 1}, {100, 1}, {2, 50}, {1'000, 1}, {20, 50}};
    for (const Size& size : sizes) {
        if (!options.wants(name_of(size))) {
            continue;
        }
        if (auto done = measure(size, options, report); !done) {
            return std::unexpected(std::move(done.error()));
        }
    }
    report.notes.push_back(
        "in a game of 50 a view holds the last 50 inputs and goes to all 50 as often as the game "
        "publishes: one view tells of all inputs that came since the one before, so nobody is sent "
        "a message for each; uWebSockets' echo took 9.4 µs a message at 1,000 connections on a "
        "machine of this kind");
    return report;
}

}  // namespace ringside::bench
