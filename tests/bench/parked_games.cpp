#include "parked_games.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "bare_processes.hpp"
#include "local_games.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/tron/config.hpp"
#include "ringside/tron/rules.hpp"

namespace ringside::bench {
namespace {

constexpr useconds_t watched_us = 300'000;  // three ticks of a game that is not parked

// What `ringside list` does: a sweep of the directory, then every record.
Result<std::uint32_t> count_running(LocalGames& games) {
    if (!games.front().request_sweep()) {
        return failure(std::errc::no_buffer_space, "the supervisor takes no request");
    }
    for (bool swept = false; !swept;) {
        pollfd readable{.fd = games.front().control_fd(), .events = POLLIN, .revents = 0};
        poll(&readable, 1, -1);
        while (auto message = games.front().receive()) {
            if (std::holds_alternative<SupervisorGone>(*message)) {
                return failure(std::error_code{}, "the supervisor has gone");
            }
            swept = swept || std::holds_alternative<DirectorySwept>(*message);
        }
    }
    std::uint32_t running = 0;
    DirectoryRecord record;
    for (auto& slot : games.front().host().games()) {
        if (slot.read(record) && record.state == static_cast<std::uint32_t>(GameState::running) &&
            record.players == 1) {
            ++running;
        }
    }
    return running;
}

std::uint64_t wake_ups_of(const std::vector<pid_t>& pids) {
    std::uint64_t wake_ups = 0;
    for (const pid_t pid : pids) {
        wake_ups += status_of(pid, "voluntary_ctxt_switches");
    }
    return wake_ups;
}

}  // namespace

std::string parked_games_name(std::uint32_t count) {
    return fmt::format("{} parked games", count);
}

Result<void> add_parked_games(std::uint32_t count, Report& report) {
    auto games = LocalGames::start(tron::tron_type(), count);
    if (!games) {
        return std::unexpected(std::move(games.error()));
    }
    const std::int64_t before_kib = mem_available_kib();
    const std::int64_t began_ns = monotonic_ns();
    if (auto opened = games->open(count, tron::encode_config({})); !opened) {
        return opened;
    }
    const std::int64_t opened_ns = monotonic_ns();
    const double kib_each = static_cast<double>(before_kib - mem_available_kib()) / count;
    std::vector<pid_t> pids;
    for (const LocalGame& game : games->games()) {
        pids.push_back(games->pid_of(game));
    }
    const std::int64_t listing_ns = monotonic_ns();
    const auto running = count_running(*games);
    const std::int64_t listed_ns = monotonic_ns();
    if (!running || *running != count) {
        return running ? failure(std::error_code{},
                                 fmt::format("{} of {} parked games are listed", *running, count))
                       : std::unexpected(running.error());
    }
    usleep(watched_us);  // the last join's wake is over
    const std::uint64_t before = wake_ups_of(pids);
    usleep(watched_us);
    const std::uint64_t wake_ups = wake_ups_of(pids) - before;

    const std::string what = parked_games_name(count);
    const auto seconds = [](std::int64_t from_ns, std::int64_t to_ns) {
        return static_cast<double>(to_ns - from_ns) / 1e9;
    };
    report.figures.push_back({.name = what + ": wake-ups while watched",
                              .unit = "",
                              .value = {.median = static_cast<double>(wake_ups)},
                              .goal = Goal{.factor = 0}});
    report.figures.push_back({.name = what + ": all started",
                              .unit = "s",
                              .value = {.median = seconds(began_ns, opened_ns)}});
    report.figures.push_back({.name = what + ": all listed",
                              .unit = "ms",
                              .value = {.median = 1e3 * seconds(listing_ns, listed_ns)}});
    report.figures.push_back(
        {.name = what + ": host memory of each", .unit = "KiB", .value = {.median = kib_each}});
    return {};
}

}  // namespace ringside::bench
