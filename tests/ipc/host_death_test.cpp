// A real host without a network in which processes die, hang, or mean harm.

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>

#include <catch2/catch.hpp>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attacks.hpp"
#include "counter_host.hpp"
#include "ipc/process.hpp"
#include "ipc/watchdog.hpp"
#include "process_watch.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/relay/relay.hpp"

using namespace ringside;
using namespace ringside::test;

TEST_CASE("host: a detached session keeps its seat through its game's death, not for ever",
          "[ipc][host][crash]") {
    HostOptions options;
    options.resume_grace = std::chrono::milliseconds(500);
    LocalHost host = start_host(options);
    const GameId id = open_game(host, "alpha").game;
    Follower game(host, id);
    game.send(EventKind::join, 1);
    game.send(EventKind::join, 2);
    game.until([&](const SnapshotParts&) { return game.entry(2) != nullptr; });
    game.send(EventKind::detach, 1);
    game.until([&](const SnapshotParts&) { return game.entry(1)->detached(); });
    kill(pid_of(host, id), SIGKILL);
    game.input(2, 1, CounterInput::add_one);
    game.until([&](const SnapshotParts&) { return game.applied(2, 1); });
    // Parked all the while: it wakes for this alone.
    game.until([&](const SnapshotParts&) { return game.entry(1) == nullptr; });
    REQUIRE(game.entry(2) != nullptr);
    REQUIRE(game.parts().header.players == 1);
}

TEST_CASE("host: a killed game goes on from its last snapshot", "[ipc][host][crash]") {
    LocalHost host = start_host();
    const GameId id = open_game(host, "alpha").game;
    Follower game(host, id);
    game.send(EventKind::join, 1);
    game.input(1, 1, CounterInput::run);
    std::uint32_t number = 1;
    for (int round = 0; round < 20; ++round) {
        const std::uint32_t sent = number + 10;
        game.until([&](const SnapshotParts&) { return game.applied(1, number); });
        const pid_t killed = pid_of(host, id);
        for (; number < sent; ++number) {
            game.input(1, number + 1, CounterInput::add_one);
        }
        kill(killed, SIGKILL);
        const std::uint64_t ticks = game.view().ticks;
        game.until([&](const SnapshotParts&) {
            return game.applied(1, number) && game.view().ticks > ticks;
        });
        REQUIRE(game.view().sum == 100 + number - 1);
        REQUIRE(game.view().joins == 1);
    }
}

TEST_CASE("host: an event that kills its game three times is skipped, the rest is not",
          "[ipc][host][crash]") {
    LocalHost host = start_host();
    Follower game(host, open_game(host, "alpha").game);
    game.send(EventKind::join, 1);
    game.until([&](const SnapshotParts&) { return game.entry(1) != nullptr; });
    game.input(1, 1, CounterInput::add_one);
    game.input(1, 2, CounterInput::crash);
    game.input(1, 3, CounterInput::add_one);
    game.until([&](const SnapshotParts&) { return game.applied(1, 3); });
    REQUIRE(game.view().sum == 2);
    REQUIRE(game.parts().answers.size() == 1);  // its session is told
    REQUIRE(game.parts().answers[0].kind == static_cast<std::uint8_t>(AnswerKind::input_dropped));
    REQUIRE(game.parts().answers[0].session == value(Follower::id_of(1)));
}

TEST_CASE("host: games that crash too often are restored one after the other",
          "[ipc][host][crash]") {
    HostOptions options;
    options.restores_per_second = 1;  // 20 at once
    LocalHost host = start_host(options);
    const GameId id = open_game(host, "alpha").game;
    Follower game(host, id);
    game.send(EventKind::join, 1);
    game.until([&](const SnapshotParts&) { return game.entry(1) != nullptr; });
    const std::int64_t began_ns = monotonic_ns();
    for (std::uint32_t number = 1; number <= 22; ++number) {
        kill(pid_of(host, id), SIGKILL);
        game.input(1, number, CounterInput::add_one);
        game.until([&](const SnapshotParts&) { return game.applied(1, number); });
    }
    REQUIRE(game.view().sum == 22);
    REQUIRE(monotonic_ns() - began_ns >= 2'000'000'000);  // the last two have waited
}

// It has nothing to do, so no death of it comes after progress; none of them is its own either.
TEST_CASE("host: a game that others kill again and again is restored each time",
          "[ipc][host][crash]") {
    HostOptions options;
    options.restores_per_second = 0;
    LocalHost host = start_host(options);
    const GameId id = open_game(host, "alpha").game;
    Follower game(host, id);
    game.send(EventKind::join, 1);
    game.until([&](const SnapshotParts&) { return game.entry(1) != nullptr; });
    for (int deaths = 0; deaths < 20; ++deaths) {
        const pid_t pid = pid_of(host, id);
        kill(pid, SIGKILL);
        wait_until_gone(pid);
        while (pid_of(host, id) == pid) {
            sched_yield();
        }
    }
    game.input(1, 1, CounterInput::add_one);
    game.until([&](const SnapshotParts&) { return game.applied(1, 1); });
    REQUIRE(game.view().sum == 1);
}

TEST_CASE("host: a game that hangs is killed; an event it hangs on is skipped",
          "[ipc][host][crash]") {
    LocalHost host = start_host();
    const GameId id = open_game(host, "alpha").game;
    Follower game(host, id);
    game.send(EventKind::join, 1);
    game.until([&](const SnapshotParts&) { return game.entry(1) != nullptr; });
    kill(pid_of(host, id), SIGSTOP);
    game.input(1, 1, CounterInput::add_one);  // waits for it
    game.until([&](const SnapshotParts&) { return game.applied(1, 1); });
    game.input(1, 2, CounterInput::hang);
    game.input(1, 3, CounterInput::add_one);
    game.until([&](const SnapshotParts&) { return game.applied(1, 3); });
    REQUIRE(game.view().sum == 2);
    REQUIRE(game.link().status().dropped_events.load() == 1);
    game.input(1, 4, CounterInput::run);
    game.until([&](const SnapshotParts& parts) { return parts.header.tick > 3; });
    const pid_t racing = pid_of(host, id);
    kill(racing, SIGSTOP);  // nobody asks it anything: its tick is late
    wait_until_gone(racing);
    const std::uint64_t tick = game.parts().header.tick;
    game.until([&](const SnapshotParts& parts) { return parts.header.tick > tick + 3; });
    REQUIRE(game.view().sum == 2 + static_cast<int>(CounterInput::run));
}

#ifndef RINGSIDE_SANITIZED  // there the attacks would succeed: sanitizers need these calls
TEST_CASE("host: whatever a hostile game tries ends that try alone", "[ipc][host][crash]") {
    LocalHost host = start_host();
    const GameId id = open_game(host, "hostile").game;
    Follower hostile(host, id);
    Follower other(host, open_game(host, "other").game);
    hostile.send(EventKind::join, 1);
    other.send(EventKind::join, 1);
    std::uint32_t number = 0;
    for (std::size_t attack = 0; attack < attack_count; ++attack) {
        INFO(attacks()[attack].what);
        hostile.send(
            EventKind::input, 1, ++number,
            {static_cast<std::uint8_t>(static_cast<std::size_t>(CounterInput::attack) + attack)});
        hostile.input(1, ++number, CounterInput::add_one);
        hostile.until([&](const SnapshotParts&) { return hostile.applied(1, number); });
        REQUIRE(hostile.view().sum == attack + 1);  // the event that killed it counts as skipped
        REQUIRE(hostile.link().status().dropped_events.load() == attack + 1);
        other.input(1, static_cast<std::uint32_t>(attack) + 1, CounterInput::add_one);
        other.until([&](const SnapshotParts&) {
            return other.applied(1, static_cast<std::uint32_t>(attack) + 1);
        });
        REQUIRE(other.view().sum == attack + 1);
    }
    DirectoryRecord record;
    REQUIRE(host.front().host().games()[1].read(record));
    REQUIRE(std::string(record.name) == "other");
    REQUIRE(record.restarts == 0);
}

namespace {

/// What /proc says of a process in a sandbox. Whose descriptors, besides standard error's, are
/// counted.
std::size_t expect_poor(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    std::map<std::string, std::string> status;
    for (std::string line; std::getline(file, line);) {
        const auto colon = line.find(':');
        status[line.substr(0, colon)] = line.substr(std::min(colon + 2, line.size()));
    }
    CHECK(status.at("Seccomp") == "2");
    CHECK(status.at("NoNewPrivs") == "1");
    if (geteuid() == 0) {
        CHECK(status.at("Groups").find_first_of("0123456789") == std::string::npos);
        CHECK(status.at("Uid") == "65534\t65534\t65534\t65534");
        CHECK(status.at("CapEff") == "0000000000000000");
        CHECK(status.at("CapPrm") == "0000000000000000");
    }
    const std::filesystem::path fds = "/proc/" + std::to_string(pid) + "/fd";
    CHECK(std::filesystem::is_symlink(std::filesystem::symlink_status(fds / "2")));
    const auto count = std::distance(std::filesystem::directory_iterator(fds), {});
    return static_cast<std::size_t>(count) - 1;
}

}  // namespace

TEST_CASE("host: a game is nobody, has no descriptors and no way to more", "[ipc][host]") {
    LocalHost host = start_host();
    const GameId id = open_game(host, "poor").game;
    Follower game(host, id);
    game.until([](const SnapshotParts&) { return true; });  // its own code runs
    CHECK(expect_poor(pid_of(host, id)) == 0);
    // Its nursery has its orders' socket besides.
    CHECK(expect_poor(test::child_named(host.supervisor_pid(), "nursery/counter")) == 1);
}
#endif

TEST_CASE("watchdog: sleeping too long is hanging, waiting for a CPU is not", "[ipc]") {
    constexpr std::int64_t ms = 1'000'000;
    struct Sleeper {
        Sleeper() : pid(fork()) {
            if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;) {
                    pause();
                }
            }
            while (look_at_process(pid).value().state != 'S') {
            }
        }
        void end() {
            if (pid > 0) {
                kill(pid, SIGKILL);
                waitpid(std::exchange(pid, 0), nullptr, 0);
            }
        }
        ~Sleeper() { end(); }
        pid_t pid;
    } child;
    const pid_t sleeper = child.pid;
    std::int64_t now_ns = 0;
    Watchdog watchdog;
    const auto look = [&](pid_t pid, std::uint64_t sign, bool overdue) {
        now_ns += watch_period_ns;
        return watchdog.hangs(pid, sign, overdue, now_ns);
    };
    const auto looks_until_hangs = [&](pid_t pid) {
        int looks = 1;
        while (!look(pid, 7, true)) {
            ++looks;
        }
        return looks;
    };
    REQUIRE(looks_until_hangs(sleeper) == 1 + hang_after_ns / watch_period_ns);
    REQUIRE_FALSE(look(sleeper, 7, false));  // done in time after all
    for (std::uint64_t sign = 0; sign < 20; ++sign) {
        REQUIRE_FALSE(look(sleeper, sign, true));  // slow, but it gets somewhere
    }
    now_ns += 3'600'000 * ms;  // the machine slept: it has had no chance
    REQUIRE(looks_until_hangs(sleeper) == 1 + hang_after_ns / watch_period_ns);
    child.end();
    REQUIRE_FALSE(look(sleeper, 7, true));

    // This process runs, and by its clock has had next to nothing of the seconds that pass here.
    for (int looks = 0; looks < 20; ++looks) {
        REQUIRE_FALSE(look(getpid(), 7, true));
    }
}

TEST_CASE("host: games outlive their nursery, and the next one is forked by another",
          "[ipc][host][crash]") {
    LocalHost host = start_host();
    Follower game(host, open_game(host, "alpha").game);
    game.send(EventKind::join, 1);
    game.until([&](const SnapshotParts&) { return game.entry(1) != nullptr; });
    const pid_t nursery = child_named(host.supervisor_pid(), "nursery/counter");
    REQUIRE(nursery > 0);
    kill(nursery, SIGKILL);
    Follower other(host, open_game(host, "beta").game);
    other.send(EventKind::join, 2);
    other.until([&](const SnapshotParts&) { return other.entry(2) != nullptr; });
    game.input(1, 1, CounterInput::add_one);
    game.until([&](const SnapshotParts&) { return game.applied(1, 1); });
}

namespace {

/// A host that is killed with two games, and five inputs applied in 'alpha'.
struct DeadHost {
    DeadHost() {
        options.instance = unique_instance();
        options.games_max = 8;
        options.resume_grace = std::chrono::hours(1);
        auto host = LocalHost::start(options, types);
        REQUIRE(host);
        REQUIRE(open_game(*host, "untouched").created);
        id = open_game(*host, "alpha").game;
        path = "/dev/shm/ringside-" + options.instance + "/game-" + std::to_string(id.slot) + "-" +
               std::to_string(id.epoch);
        Follower game(*host, id);
        game.send(EventKind::join, 1);
        for (std::uint32_t number = 1; number <= 5; ++number) {
            game.input(1, number, CounterInput::add_one);
        }
        game.until([&](const SnapshotParts&) { return game.applied(1, 5); });
        game_pid = pid_of(*host, id);
        kill(host->supervisor_pid(), SIGKILL);
    }
    DeadHost(const DeadHost&) = delete;
    DeadHost& operator=(const DeadHost&) = delete;
    ~DeadHost() { std::filesystem::remove_all("/dev/shm/ringside-" + options.instance); }

    /// The next host's complaint; everything is as it was.
    std::string refusal(std::span<const GameType* const> with_types = types) const {
        const auto next = LocalHost::start(options, with_types);
        REQUIRE_FALSE(next);
        REQUIRE(std::filesystem::exists(path));
        return next.error().text();
    }

    HostOptions options;
    GameId id;
    std::string path;
    pid_t game_pid = 0;
};

}  // namespace

TEST_CASE("host: the next one goes on with the games of a killed one", "[ipc][host][crash]") {
    DeadHost dead;
    {
        auto next = LocalHost::start(dead.options, types);
        REQUIRE(next);
        wait_until_gone(dead.game_pid);  // its parent's death killed it
        const OpenAnswer opened = open_game(*next, "alpha");
        REQUIRE_FALSE(opened.created);
        REQUIRE(opened.game == dead.id);
        Follower game(*next, opened.game);
        // Its session may be gone on with by whoever has the key; what it did is there.
        game.until([&](const SnapshotParts&) {
            return game.entry(1) != nullptr && game.entry(1)->detached();
        });
        REQUIRE(game.view().sum == 5);
        game.resume(2, 1, Follower::key_of(1));
        game.input(2, 6, CounterInput::add_one);
        game.until([&](const SnapshotParts&) { return game.applied(2, 6); });
        REQUIRE(game.view().sum == 6);
        const OpenAnswer other = open_game(*next, "beta");
        REQUIRE(other.created);
        REQUIRE_FALSE(other.game == dead.id);
    }
    REQUIRE_FALSE(instance_exists(dead.options.instance));  // it was told to stop
}

TEST_CASE("host: a fresh one ends the games of a killed one", "[ipc][host][crash]") {
    DeadHost dead;
    dead.options.fresh = true;
    auto next = LocalHost::start(dead.options, types);
    REQUIRE(next);
    REQUIRE_FALSE(std::filesystem::exists(dead.path));
    REQUIRE(open_game(*next, "alpha").created);
}

TEST_CASE("host: a game that cannot be gone on with is not lost", "[ipc][host][crash]") {
    DeadHost dead;
    {
        INFO("fewer games");
        dead.options.games_max = dead.id.slot;
        REQUIRE(dead.refusal().find("--games-max to " + std::to_string(dead.id.slot + 1)) !=
                std::string::npos);
        dead.options.games_max = 8;
    }
    {
        INFO("another type");
        const std::array<const GameType*, 1> others{&relay::relay_type()};
        const std::string text = dead.refusal(others);
        REQUIRE(text.find("is a counter, a type this host does not have") != std::string::npos);
        REQUIRE(text.find("--fresh") != std::string::npos);
    }
    {
        INFO("another layout");
        constexpr std::uint32_t version = game_segment_layout_version + 1;
        std::fstream file(dead.path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(offsetof(GameSegmentHeader, layout_version));
        file.write(reinterpret_cast<const char*>(&version), sizeof version);
        file.close();
        REQUIRE(dead.refusal().find("layout version " + std::to_string(version)) !=
                std::string::npos);
    }
}

TEST_CASE("host: a game that the system does not open is not lost", "[ipc][host][crash]") {
    DeadHost dead;
    {
        INFO("a game too large to be mapped: no memory");
        const auto bytes = std::filesystem::file_size(dead.path);
        std::filesystem::resize_file(dead.path, std::uintmax_t{1} << 50);
        const std::string text = dead.refusal();
        REQUIRE(text.find(dead.path) != std::string::npos);
        REQUIRE(text.find("cannot be mapped") != std::string::npos);
        REQUIRE(text.find("games are kept") != std::string::npos);
        std::filesystem::resize_file(dead.path, bytes);
    }
    {
        INFO("the host's own segment, which knows whom to wait for");
        const auto host = std::filesystem::path(dead.path).parent_path() / "host";
        const auto bytes = std::filesystem::file_size(host);
        std::filesystem::resize_file(host, std::uintmax_t{1} << 50);
        REQUIRE(dead.refusal().find(host.string()) != std::string::npos);
        std::filesystem::resize_file(host, bytes);
    }
    auto next = LocalHost::start(dead.options, types);
    REQUIRE(next);
    REQUIRE(open_game(*next, "alpha").game == dead.id);
}

TEST_CASE("host: half-made and foreign files of a killed one are removed", "[ipc][host][crash]") {
    DeadHost dead;
    const auto directory = std::filesystem::path(dead.path).parent_path();
    std::ofstream(directory / "game-7-1") << std::string(100, 'x');
    std::ofstream(directory / "game-6-1");
    std::ofstream(directory / "game-5-1") << std::string(1 << 20, '\0');
    std::ofstream(directory / "game-5-x") << "?";
    std::filesystem::copy_file(dead.path, directory / "game-4-9");  // of another slot
    const auto next = LocalHost::start(dead.options, types);
    REQUIRE(next);
    std::size_t games = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        games += entry.path().filename().string().starts_with("game-") ? 1u : 0u;
    }
    REQUIRE(games == 2);
}
