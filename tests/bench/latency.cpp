// latency: from a client's input to the snapshot that shows it, beside a bare epoll echo.

#include <string>
#include <vector>

#include <fmt/format.h>

#include "benches.hpp"
#include "loaded.hpp"
#include "served.hpp"
#include "tests/bench/rivals/epoll_echo.hpp"

namespace ringside::bench {
namespace {

constexpr std::uint32_t message_bytes = 64;

struct Case {
    std::string name;
    std::vector<std::string> flags;  // of serve
    std::uint32_t games_beside = 0;  // of tron, at 10 Hz
    Loaded::Place client{};
    std::optional<Goal> goal;
};

load::Options one_player(const Served& host, std::chrono::milliseconds time) {
    return {.endpoint = host.endpoint(),
            .mode = load::Mode::relay,
            .games = 1,
            .players = 1,
            .inputs_per_second = 0,
            .input_bytes = message_bytes,
            .warm_up = std::chrono::milliseconds(50),
            .time = time};
}

Result<Figure> measure(const Case& what, const Options& options) {
    std::vector<std::string> flags{"--messages-per-second", "1000000", "--games-max", "8192"};
    flags.insert(flags.end(), what.flags.begin(), what.flags.end());
    auto host = Served::start(flags);
    auto echo = EpollEcho::start();
    if (!host || !echo) {
        return std::unexpected(!host ? host.error() : echo.error());
    }
    const int rounds = options.smoke ? 1 : 9;
    const auto slice = std::chrono::milliseconds(options.smoke ? 50 : 700);
    Loaded beside;
    if (what.games_beside != 0) {
        const auto time = std::chrono::seconds(options.smoke ? 1 : 60);  // ended with this object
        if (auto started = beside.start({.endpoint = host->endpoint(),
                                         .games = what.games_beside,
                                         .players = 1,
                                         .inputs_per_second = 1,
                                         .time = time});
            !started) {
            return std::unexpected(std::move(started.error()));
        }
        timespec settle{.tv_sec = options.smoke ? 0 : 15, .tv_nsec = 100'000'000};
        nanosleep(&settle, nullptr);
    }
    std::vector<double> ours;
    std::vector<double> theirs;
    double p99 = 0;
    double echo_p99 = 0;
    for (int round = 0; round < rounds; ++round) {
        const auto mine = run_loaded(one_player(*host, slice), what.client);
        if (!mine) {
            return std::unexpected(mine.error());
        }
        const auto bare = run_echo_clients(echo->endpoint(),
                                           {.connections = 1,
                                            .bytes = message_bytes,
                                            .time_ns = std::chrono::nanoseconds(slice).count()});
        if (!bare) {
            return std::unexpected(bare.error());
        }
        ours.push_back(mine->latency.p50);
        theirs.push_back(bare->p50_us);
        p99 += mine->latency.p99 / rounds;
        echo_p99 += bare->p99_us / rounds;
    }
    return Figure{
        .name = what.name,
        .unit = "µs",
        .value = {.median = measured(ours).median, .p99 = p99},
        .floor = Yardstick{"bare epoll echo", {.median = measured(theirs).median, .p99 = echo_p99}},
        .rival = {},
        .goal = what.goal,
        .note = "p99: mean over the rounds"};
}

}  // namespace

Result<Report> run_latency(const Options& options) {
    Report report{.bench = "latency", .figures = {}, .charts = {}, .notes = {}};
    const Goal three{.against = Against::floor, .bound = Bound::at_most, .factor = 3};
    const Goal spun{.against = Against::floor, .bound = Bound::at_most, .factor = 1.4};
    const Goal tail{.bound = Bound::at_most, .factor = 1'000, .of_p99 = true};
    const std::uint32_t beside = options.smoke ? 2 : 1'000;
    const std::vector<Case> cases{
        {.name = "alone, all asleep", .flags = {}, .goal = three},
        {.name = "alone, front and game spin on a CPU each",
         .flags = {"--busy-poll", "--front-cpus", "0", "--spin-cpus", "1"},
         .client = {.cpu = 0},  // there are no more; the front yields to it
         .goal = spun},
        {.name = fmt::format("beside {} games at 10 Hz", beside),
         .flags = {},
         .games_beside = beside,
         .goal = {}},
        {.name = fmt::format("beside {} games at 10 Hz, --realtime", beside),
         .flags = {"--realtime"},
         .games_beside = beside,
         .client = {.realtime = true},
         .goal = tail},
    };
    for (const Case& what : cases) {
        auto figure = measure(what, options);
        if (!figure) {
            return std::unexpected(std::move(figure.error()));
        }
        report.figures.push_back(std::move(*figure));
    }
    return report;
}

}  // namespace ringside::bench
