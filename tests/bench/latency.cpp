// latency: from a client's input to the snapshot that shows it, beside a bare epoll echo.

#include <csignal>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "benches.hpp"
#include "loaded.hpp"
#include "served.hpp"
#include "tests/bench/rivals/epoll_echo.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/ipc/doorbell.hpp"

namespace ringside::bench {
namespace {

constexpr std::uint32_t message_bytes = 64;

constexpr double open_per_second = 500;
constexpr auto settle = std::chrono::milliseconds(15'000);  // until all beside it race
constexpr auto beside_time = std::chrono::milliseconds(40'000);
// Of the ticks of games that always race: they also wait for a player to want a rematch.
constexpr double played_share_min = 0.75;

struct Case {
    std::string name;
    std::vector<std::string> flags;  // of serve
    std::uint32_t games_beside = 0;  // of tron, at 10 Hz
    Place place{};                   // of both clients; the echo itself has its policy
    bool open = false;               // an open loop besides
    bool spins = false;              // the front, also while nobody plays
    std::optional<Goal> closed_goal{};
    std::optional<Goal> open_goal{};
};

/// All samples of all rounds.
struct Latencies {
    Histogram ours;
    Histogram echo;
};

/// Stopped while it lives: a floor is what the machine can do without them.
class Stopped {
public:
    explicit Stopped(std::vector<pid_t> pids) : pids_(std::move(pids)) { send(SIGSTOP); }
    Stopped(const Stopped&) = delete;
    Stopped& operator=(const Stopped&) = delete;
    ~Stopped() { send(SIGCONT); }

private:
    void send(int signal) const {
        for (const pid_t pid : pids_) {
            kill(pid, signal);
        }
    }
    std::vector<pid_t> pids_;
};

load::Options one_player(const Served& host, double per_second, std::chrono::milliseconds time) {
    return {.endpoint = host.endpoint(),
            .mode = load::Mode::relay,
            .games = 1,
            .players = 1,
            .inputs_per_second = per_second,
            .input_bytes = message_bytes,
            .warm_up = std::chrono::milliseconds(50),
            .time = time};
}

Result<void> take_round(const Served& host, const EpollEcho& echo, Place place, bool spins,
                        double per_second, std::chrono::milliseconds slice, Latencies& into) {
    const auto mine = run_loaded(one_player(host, per_second, slice), place);
    if (!mine) {
        return std::unexpected(mine.error());
    }
    const Stopped nothing_spins(spins ? host.front_pids() : std::vector<pid_t>{});
    const auto bare = run_echo_clients(echo.endpoint(),
                                       {.connections = 1,
                                        .bytes = message_bytes,
                                        .per_second = per_second,
                                        .time_ns = std::chrono::nanoseconds(slice).count()},
                                       place);
    if (!bare) {
        return std::unexpected(bare.error());
    }
    into.ours.merge(mine->latency_ns);
    into.echo.merge(bare->latency_ns);
    return {};
}

Figure figure_of(std::string name, const Latencies& seen, std::optional<Goal> goal,
                 std::string note) {
    return {.name = std::move(name),
            .unit = "µs",
            .value = measured_us(seen.ours),
            .floor = Yardstick{"bare epoll echo", measured_us(seen.echo)},
            .rival = {},
            .goal = goal,
            .note = std::move(note)};
}

/// What ran beside must have been there: games that failed or stood still are no load.
Result<std::string> check_beside(const Case& what, const load::Outcome& beside, bool smoke) {
    if (auto checked = check_outcome(beside); !checked) {
        return std::unexpected(std::move(checked.error()));
    }
    const double due = what.games_beside * 10 * beside.seconds;
    const double played = static_cast<double>(beside.snapshots + beside.deltas) / due;
    if (played < played_share_min && !smoke) {
        return failure(std::errc::timed_out,
                       fmt::format("the games beside told {:.0f} % of their ticks: that is not "
                                   "the load meant",
                                   played * 100));
    }
    return fmt::format("{}: the games beside told {:.0f} % of their ticks", what.name,
                       played * 100);
}

Result<void> measure(const Case& what, const Options& options, Report& report) {
    std::vector<std::string> flags{"--messages-per-second", "1000000", "--games-max", "8192"};
    flags.insert(flags.end(), what.flags.begin(), what.flags.end());
    auto host = Served::start(flags);
    auto echo = EpollEcho::start({.cpu = -1, .realtime = what.place.realtime});
    if (!host || !echo) {
        return std::unexpected(!host ? host.error() : echo.error());
    }
    const int rounds = options.smoke ? 1 : 9;
    const auto slice = std::chrono::milliseconds(options.smoke ? 50 : 700);
    Loaded beside;
    std::int64_t end_ns = INT64_MAX;  // of what is beside
    if (what.games_beside != 0) {
        const auto warm_up = options.smoke ? std::chrono::milliseconds(100) : settle;
        const auto time = options.smoke ? std::chrono::milliseconds(1'000) : beside_time;
        if (auto started = beside.start({.endpoint = host->endpoint(),
                                         .games = what.games_beside,
                                         .players = 1,
                                         .inputs_per_second = 1,
                                         .warm_up = warm_up,
                                         .time = time});
            !started) {
            return started;
        }
        // It counts from when all have joined: this is the earliest that it can end.
        end_ns = monotonic_ns() + std::chrono::nanoseconds(warm_up + time).count();
        sleep_until(monotonic_ns() + std::chrono::nanoseconds(warm_up).count());
    }
    Latencies closed;
    Latencies open;
    int round = 0;
    for (std::int64_t round_ns = 0;
         round < rounds && (round == 0 || monotonic_ns() + 2 * round_ns < end_ns); ++round) {
        const std::int64_t begin_ns = monotonic_ns();
        if (auto taken = take_round(*host, *echo, what.place, what.spins, 0, slice, closed);
            !taken) {
            return taken;
        }
        if (what.open) {
            if (auto taken =
                    take_round(*host, *echo, what.place, what.spins, open_per_second, slice, open);
                !taken) {
                return taken;
            }
        }
        round_ns = monotonic_ns() - begin_ns;
    }
    if (what.games_beside != 0) {
        if (monotonic_ns() > end_ns && !options.smoke) {
            return failure(std::errc::timed_out, "the rounds outlasted the games beside them");
        }
        const auto outcome = beside.outcome();
        auto checked = outcome ? check_beside(what, *outcome, options.smoke)
                               : Result<std::string>(std::unexpected(outcome.error()));
        if (!checked) {
            return std::unexpected(std::move(checked.error()));
        }
        report.notes.push_back(fmt::format("{}; {} rounds", *checked, round));
    }
    report.figures.push_back(figure_of(what.name, closed, what.closed_goal,
                                       "closed loop; p99 of all samples of all rounds"));
    if (what.open) {
        report.figures.push_back(figure_of(
            fmt::format("{}, {:.0f} inputs/s", what.name, open_per_second), open, what.open_goal,
            "open loop, from when each was meant to be sent; p99 of all samples of all rounds"));
    }
    return {};
}

}  // namespace

Result<Report> run_latency(const Options& options) {
    Report report{.bench = "latency", .figures = {}, .charts = {}, .notes = {}};
    const Goal three{.against = Against::floor, .bound = Bound::at_most, .factor = 3};
    const Goal spun{.against = Against::floor, .bound = Bound::at_most, .factor = 1.4};
    const Goal tail{.bound = Bound::at_most, .factor = 1'000, .of_p99 = true};
    const std::uint32_t beside = options.smoke ? 2 : 1'000;
    const std::vector<Case> cases{
        {.name = "alone, all asleep", .flags = {}, .closed_goal = three},
        {.name = "alone, front and game spin on a CPU each",
         .flags = {"--busy-poll", "--front-cpus", "0", "--spin-cpus", "1"},
         .place = {.cpu = 0},  // there are no more; the front yields to it
         .spins = true,
         .closed_goal = spun},
        {.name = fmt::format("beside {} games at 10 Hz", beside),
         .flags = {},
         .games_beside = beside,
         .open = true,
         .open_goal = tail},
        {.name = fmt::format("beside {} games at 10 Hz, --realtime", beside),
         .flags = {"--realtime"},
         .games_beside = beside,
         .place = {.realtime = true},
         .open = true,
         .closed_goal = tail,
         .open_goal = tail},
    };
    for (const Case& what : cases) {
        if (!options.wants(what.name)) {
            continue;
        }
        if (what.place.realtime && !may_be_realtime()) {
            report.notes.push_back(what.name + ": left out, this user may not use SCHED_FIFO");
            continue;
        }
        if (auto measured = measure(what, options, report); !measured) {
            return std::unexpected(std::move(measured.error()));
        }
    }
    return report;
}

}  // namespace ringside::bench
