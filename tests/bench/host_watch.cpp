#include "host_watch.hpp"

#include <fstream>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include "cpu_time.hpp"
#include "ipc/instance.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/ipc/host_segment.hpp"

namespace ringside::bench {
namespace {

constexpr unsigned look_again_us = 50'000;

/// The second field of schedstat: how long it could run and did not.
std::int64_t waited_ns_of(pid_t pid) {
    std::int64_t ran_ns = 0;
    std::int64_t waited_ns = 0;
    std::ifstream(fmt::format("/proc/{}/schedstat", pid)) >> ran_ns >> waited_ns;
    return waited_ns;
}

void read_jiffies(HostTimes& times) {
    std::ifstream file("/proc/stat");
    std::string cpu;
    file >> cpu;
    constexpr int fields = 8;  // user … steal; what follows is part of the first two
    for (int field = 0; field < fields; ++field) {
        std::uint64_t jiffies = 0;
        file >> jiffies;
        times.all_jiffies += jiffies;
        times.idle_jiffies += field == 3 || field == 4 ? jiffies : 0;  // idle, iowait
    }
}

}  // namespace

Result<HostWatch> HostWatch::start(const Served& host, pid_t load_pid, std::uint32_t games,
                                   std::uint32_t players, std::int64_t timeout_ns) {
    HostWatch watch(host.front_pids(), load_pid);
    const std::int64_t deadline_ns = monotonic_ns() + timeout_ns;
    if (auto found = watch.find_games(host, games, deadline_ns); !found) {
        return std::unexpected(std::move(found.error()));
    }
    while (watch.players() < players) {
        if (monotonic_ns() > deadline_ns) {
            return failure(std::errc::timed_out, "not all players were seated");
        }
        usleep(look_again_us);
    }
    return watch;
}

Result<void> HostWatch::find_games(const Served& host, std::uint32_t games,
                                   std::int64_t deadline_ns) {
    const std::string path = instance_path("/dev/shm", host.instance());
    const auto segment = HostSegment::open(host_segment_path(path), Access::read_only);
    if (!segment) {
        return std::unexpected(segment.error());
    }
    const auto records = segment->games();
    for (std::uint32_t slot = 0; games_.size() < games;) {
        DirectoryRecord record;
        if (records[slot].read(record) && record.pid != 0 &&
            record.state == static_cast<std::uint32_t>(GameState::running)) {
            auto game = GameSegment::open(game_segment_path(path, {slot, record.epoch}));
            if (!game) {
                return std::unexpected(std::move(game.error()));
            }
            games_.push_back({.pid = record.pid, .segment = std::move(*game)});
            ++slot;
            continue;
        }
        if (monotonic_ns() > deadline_ns) {
            return failure(std::errc::timed_out, "not all games were made");
        }
        usleep(look_again_us);  // a fresh host fills its slots in order
    }
    return {};
}

std::uint32_t HostWatch::players() const {
    std::uint32_t players = 0;
    for (const Game& game : games_) {
        const auto progress = game.segment.layout().status.progress.load(std::memory_order_relaxed);
        players += static_cast<std::uint8_t>(progress >> 8);
    }
    return players;
}

HostTimes HostWatch::read() const {
    HostTimes times{.at_ns = monotonic_ns()};
    read_jiffies(times);
    times.load_cpu_ns = cpu_ns_of(load_pid_);
    for (const pid_t pid : front_pids_) {
        times.fronts_cpu_ns += cpu_ns_of(pid);
    }
    for (const Game& game : games_) {
        const GameStatusLine& status = game.segment.layout().status;
        times.games_ticks += status.tick.load(std::memory_order_relaxed);
        times.games_missed += status.missed_ticks.load(std::memory_order_relaxed);
        times.games_cpu_ns += cpu_ns_of(game.pid);
        times.games_waited_ns += waited_ns_of(game.pid);
    }
    return times;
}

}  // namespace ringside::bench
