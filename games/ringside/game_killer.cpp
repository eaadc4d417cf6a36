#include "game_killer.hpp"

#include <csignal>
#include <optional>

#include <sys/syscall.h>
#include <unistd.h>

#include "ringside/core/clock.hpp"

namespace ringside {
namespace {

constexpr std::uint32_t one_in = 8;                  // how often something is killed at all
constexpr std::uint32_t one_in_successors = 3;       // how often what is restored dies as well
constexpr std::uint32_t work_ns_max = 400'000;       // a wake, a step and a snapshot
constexpr std::uint32_t restore_ns_max = 4'000'000;  // from the fork to the first publish

// Awake, so that every instruction of the game is as likely as another.
void spin_until(std::int64_t deadline_ns) {
    while (monotonic_ns() < deadline_ns) {
    }
}

/// 0: it is being forked. Nothing: the game has ended.
std::optional<std::int32_t> pid_of(const HostSegment& host, GameId game) {
    DirectoryRecord record;
    while (!host.games()[game.slot].read(record)) {
    }
    const auto state = static_cast<GameState>(record.state);
    if (record.epoch != game.epoch || state == GameState::free || state == GameState::ended) {
        return std::nullopt;
    }
    return state == GameState::running ? record.pid : 0;
}

/// By descriptor: a pid read a moment ago may be another process's by now.
bool kill_if_still(const HostSegment& host, GameId game, std::int32_t pid) {
    const int descriptor = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    if (descriptor < 0) {
        return false;
    }
    const bool killed = pid_of(host, game) == pid &&
                        syscall(SYS_pidfd_send_signal, descriptor, SIGKILL, nullptr, 0) == 0;
    close(descriptor);
    return killed;
}

}  // namespace

void GameKiller::maybe_kill(const HostSegment& host, GameId game) {
    // Two answers since: at least one snapshot is of the process that came after the last kill.
    if (++asked_since_kill_ <= 2 || random_.below(one_in) != 0) {
        return;
    }
    if (kill_one(host, game, work_ns_max)) {
        asked_since_kill_ = 0;
        if (random_.below(one_in_successors) == 0) {
            (void)kill_one(host, game, restore_ns_max);
        }
    }
}

bool GameKiller::kill_one(const HostSegment& host, GameId game, std::uint32_t delay_ns_max) {
    auto pid = pid_of(host, game);
    while (pid && (*pid == 0 || *pid == last_pid_)) {
        usleep(50);
        pid = pid_of(host, game);
    }
    if (!pid) {
        return false;
    }
    spin_until(monotonic_ns() + random_.below(delay_ns_max));
    if (!kill_if_still(host, game, *pid)) {
        return false;
    }
    last_pid_ = *pid;
    ++kills_;
    return true;
}

}  // namespace ringside
