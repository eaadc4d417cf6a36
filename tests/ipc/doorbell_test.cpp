#include "ringside/ipc/doorbell.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "ring_memory.hpp"

#include "ringside/core/clock.hpp"

using namespace ringside;

namespace {

constexpr std::int64_t never_ns = std::numeric_limits<std::int64_t>::max();

// Returns once `ready` says so; sleeps on the bell in between, without a deadline: a lost wake-up
// would hang here, and CTest's timeout would end it.
template <class Ready>
void sleep_while_not(BellWord& bell, Ready ready) {
    while (!ready()) {
        announce_sleep(bell);
        if (ready()) {
            stay_awake(bell);
            return;
        }
        wait_until(bell, never_ns);
    }
}

}  // namespace

TEST_CASE("doorbell: an announcement is taken once", "[ipc][doorbell]") {
    BellWord bell{};
    REQUIRE_FALSE(take_announcement(bell));
    announce_sleep(bell);
    REQUIRE(take_announcement(bell));
    REQUIRE_FALSE(take_announcement(bell));
    announce_sleep(bell);
    stay_awake(bell);
    REQUIRE_FALSE(take_announcement(bell));
}

TEST_CASE("doorbell: waiting ends at once when no longer announced", "[ipc][doorbell]") {
    BellWord bell{};
    announce_sleep(bell);
    ring(bell);
    wait_until(bell, never_ns);
    REQUIRE(bell.asleep == 0);
}

TEST_CASE("doorbell: waiting lasts until the deadline and withdraws the announcement",
          "[ipc][doorbell]") {
    BellWord bell{};
    const std::int64_t deadline_ns = monotonic_ns() + 2'000'000;
    while (monotonic_ns() < deadline_ns) {  // spurious returns happen
        announce_sleep(bell);
        wait_until(bell, deadline_ns);
        REQUIRE(bell.asleep == 0);
    }
    announce_sleep(bell);
    wait_until(bell, std::numeric_limits<std::int64_t>::min());
    REQUIRE_FALSE(take_announcement(bell));
}

TEST_CASE("doorbell: sleep_until sleeps until then, whoever rings", "[ipc][doorbell]") {
    const std::int64_t deadline_ns = monotonic_ns() + 2'000'000;
    sleep_until(deadline_ns);
    REQUIRE(monotonic_ns() >= deadline_ns);
    sleep_until(-1);
}

TEST_CASE("doorbell: no wake-up is lost between two threads", "[ipc][doorbell]") {
    constexpr std::uint32_t rounds = 100'000;
    BellWord bells[2] = {};
    std::atomic<std::uint32_t> ball = 0;  // even: the first thread's
    const auto play = [&](std::uint32_t mine) {
        for (std::uint32_t round = mine; round < rounds; round += 2) {
            sleep_while_not(bells[mine],
                            [&] { return ball.load(std::memory_order_relaxed) == round; });
            ball.store(round + 1, std::memory_order_relaxed);  // BELL makes it visible
            ring(bells[1 - mine]);
        }
    };
    std::thread other(play, 1);
    play(0);
    other.join();
    REQUIRE(ball == rounds);
}

TEST_CASE("doorbell: a ringer that died before it woke anybody is stood in for",
          "[ipc][doorbell]") {
    BellWord bell{};
    std::atomic<pid_t> sleeper_id = 0;
    std::thread sleeper([&] {
        sleeper_id = gettid();
        announce_sleep(bell);
        wait_until(bell, never_ns);
    });
    const auto asleep = [&] {  // proc(5): the state follows the name
        std::ifstream file("/proc/self/task/" + std::to_string(sleeper_id) + "/stat");
        std::string line;
        std::getline(file, line);
        return line.find(") S ") != std::string::npos;
    };
    while (sleeper_id == 0 || bell.asleep != 1 || !asleep()) {
        std::this_thread::yield();
    }
    REQUIRE(take_announcement(bell));  // and dies
    ring_for_dead(bell);
    sleeper.join();
}

TEST_CASE("doorbell: rings from one process to another", "[ipc][doorbell]") {
    struct Court {
        BellWord bells[2];
        std::atomic<std::uint32_t> ball;
    };
    const test::SharedMemory memory(sizeof(Court));
    auto* court = new (memory.bytes().data()) Court{};
    constexpr std::uint32_t rounds = 2000;
    const auto play = [&](std::uint32_t mine) {
        for (std::uint32_t round = mine; round < rounds; round += 2) {
            sleep_while_not(court->bells[mine], [&] { return court->ball == round; });
            court->ball = round + 1;
            ring(court->bells[1 - mine]);
        }
    };
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        play(1);
        ::_exit(0);
    }
    play(0);
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(status == 0);
    REQUIRE(court->ball == rounds);
}

TEST_CASE("ringing games: drain visits each set bit once", "[ipc][doorbell]") {
    std::array<std::atomic<std::uint64_t>, 3> words{};
    RingingGames games(words);
    REQUIRE_FALSE(games.any());
    const std::vector<std::uint32_t> slots = {0, 1, 63, 64, 100, 127, 128, 191};
    for (const std::uint32_t slot : slots) {
        games.set(slot);
        games.set(slot);
    }
    REQUIRE(games.any());
    std::vector<std::uint32_t> visited;
    games.drain([&](std::uint32_t slot) { visited.push_back(slot); });
    REQUIRE(visited == slots);
    REQUIRE_FALSE(games.any());
    games.drain([&](std::uint32_t) { FAIL("nothing is set"); });
}

TEST_CASE("ringing games: a front that sleeps misses no game", "[ipc][doorbell]") {
    constexpr std::uint32_t rings_per_game = 5000;
    std::array<std::atomic<std::uint64_t>, 2> words{};
    BellWord bell{};
    std::array<std::atomic<std::uint32_t>, 128> published{};
    const auto game = [&](std::uint32_t slot) {
        RingingGames games(words);
        for (std::uint32_t count = 1; count <= rings_per_game; ++count) {
            published[slot].store(count, std::memory_order_relaxed);
            games.set(slot);  // carries it
            ring(bell);
        }
    };
    const std::uint32_t slots[] = {3, 70};
    std::vector<std::thread> threads;
    for (const std::uint32_t slot : slots) {
        threads.emplace_back(game, slot);
    }
    RingingGames games(words);
    std::array<std::uint32_t, 128> seen{};
    while (seen[3] < rings_per_game || seen[70] < rings_per_game) {
        sleep_while_not(bell, [&] { return games.any(); });
        games.drain([&](std::uint32_t slot) {
            seen[slot] = published[slot].load(std::memory_order_relaxed);
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    REQUIRE_FALSE(games.any());
}
