// kill -9 of each process of a host, with players on real connections.

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "player.hpp"
#include "program.hpp"
#include "served_host.hpp"
#include "tests/ipc/process_watch.hpp"

#include "ringside/net/client.hpp"

using namespace ringside;
using namespace ringside::test;

namespace {

constexpr tron::Config race_config{.width = 128, .height = 128, .seats = 2, .tick_ms = 50};

struct Place {
    int x = 0;
    int y = 0;
};

Place ahead(const tron::Cycle& cycle, tron::Direction direction, int steps) {
    constexpr Place step[]{{0, -1}, {1, 0}, {0, 1}, {-1, 0}};
    const Place& each = step[static_cast<std::size_t>(direction)];
    return {cycle.x + each.x * steps, cycle.y + each.y * steps};
}

/// Whether a cycle may drive that way for a while: no border, and nobody who comes across.
bool is_free(const tron::View& view, const tron::Cycle& cycle, tron::Direction direction) {
    constexpr int steps_ahead = 40;  // 2 s: inputs may be on their way for as long
    for (int steps = 1; steps <= steps_ahead; ++steps) {
        const Place place = ahead(cycle, direction, steps);
        if (place.x < 2 || place.y < 2 || place.x > view.width - 3 || place.y > view.height - 3) {
            return false;
        }
        for (const tron::Cycle& other : view.cycles) {
            const Place there = ahead(other, other.direction, steps);
            // Only one of two gives way, or both would to the same side.
            if (other.number < cycle.number && std::abs(there.x - place.x) <= 2 &&
                std::abs(there.y - place.y) <= 2) {
                return false;
            }
        }
    }
    return true;
}

/// Where a cycle drives that lays no walls and wants a race without end.
tron::Direction way_on(const tron::View& view, const tron::Cycle& cycle) {
    for (const unsigned turn : {0u, 1u, 3u}) {  // straight on, to the right, to the left
        const auto direction = static_cast<tron::Direction>(
            (static_cast<unsigned>(cycle.direction) + turn) % tron::direction_count);
        if (is_free(view, cycle, direction)) {
            return direction;
        }
    }
    return cycle.direction;
}

/// Reads one view and steers.
void drive(Player& player) {
    player.next_view();
    REQUIRE(player.view().phase == tron::MatchPhase::started);
    REQUIRE(player.cycle().state == tron::CycleState::racing);
    const tron::Direction way = way_on(player.view(), player.cycle());
    if (way != player.cycle().direction && player.applied() == player.pressed()) {
        player.press(tron::key_of(way));
    }
}

/// Two players in the middle of a race.
class Race {
public:
    Race(const ServedHost& host, const std::string& game)
        : first(host.endpoint()), second(host.endpoint()) {
        REQUIRE(first.join(game, race_config).seat == 0u);
        REQUIRE(second.join(game, race_config).seat == 1u);
        for (Player* player : {&first, &second}) {
            player->press(tron::Key::insert);
        }
        for (Player* player : {&first, &second}) {
            watch_until(*player, [](const tron::View& view) {
                return view.phase == tron::MatchPhase::started;
            });
        }
    }

    /// Each player presses a key, and both drive on until the game has applied it.
    void expect_inputs_count() {
        constexpr tron::Key harmless = tron::Key::escape;  // neither of them lays walls
        first.press(harmless);
        second.press(harmless);
        while (first.applied() < first.pressed() || second.applied() < second.pressed()) {
            drive(first.tick() <= second.tick() ? first : second);
        }
    }

    Player first;
    Player second;
};

}  // namespace

TEST_CASE("crash: a race survives 20 deaths of its process", "[e2e][crash]") {
    const NothingLeft nothing_left;
    ServedHost host;
    Race race(host, "immortal");
    std::set<pid_t> killed;
    for (int death = 1; death <= 20; ++death) {
        INFO("death " << death);
        pid_t game = 0;
        REQUIRE(eventually([&] {
            game = host.find_game_process("immortal");
            return game != 0 && !killed.contains(game);
        }));
        killed.insert(game);
        const std::uint64_t tick = race.first.tick();
        race.first.press(tron::Key::escape);  // may die with it or come after: counts either way
        kill(game, SIGKILL);
        race.expect_inputs_count();  // on the same connections, seats and cycles
        CHECK(race.first.tick() > tick);
    }
    CHECK(killed.size() == 20);
    CHECK(list_games(host.port()) == std::vector<ListedGame>{{"immortal", "running", 2, 2}});
    race.first.leave();
    CHECK(race.first.left() == LeaveReason::left);
    race.second.leave();
    CHECK(race.second.left() == LeaveReason::left);
    CHECK(eventually([&] { return list_games(host.port()).empty(); }));
    CHECK(host.stop() == 0);
}

TEST_CASE("crash: a game that dies between two joins seats both", "[e2e][crash]") {
    const NothingLeft nothing_left;
    ServedHost host;
    for (int round = 0; round < 20; ++round) {
        const std::string game = "early-" + std::to_string(round);
        Player first(host.endpoint());
        Player second(host.endpoint());
        REQUIRE(first.join(game, race_config).seat == 0u);
        second.ask(game, race_config);
        kill(host.game_process(game), SIGKILL);
        REQUIRE(second.answer().seat == 1u);
        watch_until(first, [](const tron::View& view) { return view.cycles.size() == 2; });
    }
    CHECK(host.stop() == 0);
}

TEST_CASE("crash: games outlive their nursery, and new ones start", "[e2e][crash]") {
    const NothingLeft nothing_left;
    ServedHost host;
    Race race(host, "orphan");
    const pid_t game = host.game_process("orphan");
    for (int death = 1; death <= 5; ++death) {
        const pid_t nursery = host.process("nursery/tron");
        kill(nursery, SIGKILL);
        wait_until_gone(nursery);
        Player player(host.endpoint());  // asks while there may be no nursery
        CHECK(player.join("new-" + std::to_string(death)).seat == 0u);
        race.expect_inputs_count();
    }
    CHECK(host.find_game_process("orphan") == game);
    kill(game, SIGKILL);  // the new nursery restores it
    race.expect_inputs_count();
    CHECK(host.stop() == 0);
}

TEST_CASE("crash: after a front's death players come back, and new ones come", "[e2e][crash]") {
    const NothingLeft nothing_left;
    ServedHost host;
    Race race(host, "kept");
    for (int death = 1; death <= 5; ++death) {
        const pid_t front = host.process("front/0");
        race.first.press(tron::Key::escape);  // applied before, or sent again: counts either way
        kill(front, SIGKILL);
        wait_until_gone(front);
        CHECK(race.first.left() == std::nullopt);
        CHECK(race.second.left() == std::nullopt);
        race.first.press(tron::Key::escape);  // waits until it is back
        race.first.come_back();
        race.second.come_back();
        race.expect_inputs_count();
        // The listening sockets are the host's: nobody is refused meanwhile.
        Player next(host.endpoint());
        CHECK(next.join("after-" + std::to_string(death)).seat == 0u);
        next.press(tron::Key::insert);
        watch_until(next, [&](const tron::View&) { return next.applied() == 1; });
        next.leave();
        CHECK(next.left() == LeaveReason::left);
    }
    race.first.leave();
    race.second.leave();
    CHECK(eventually([&] { return list_games(host.port()).empty(); }));
    CHECK(host.stop() == 0);
}

TEST_CASE("crash: a seat nobody comes back to is given up", "[e2e][crash]") {
    const NothingLeft nothing_left;
    ServedHost host({"--resume-grace", "1"});
    {
        Player lost(host.endpoint());
        REQUIRE(lost.join("left-alone", {.seats = 2}).seat == 0u);
    }
    CHECK(eventually([&] { return list_games(host.port()).empty(); }));
    CHECK(host.stop() == 0);
}

TEST_CASE("crash: matches go on to their end through the deaths of everything", "[e2e][crash]") {
    const NothingLeft nothing_left;
    constexpr std::size_t games = 12;
    const std::string instance = new_instance();
    std::string port;
    {
        ServedHost host({"--fronts", "2", "--resume-grace", "60"}, instance);
        port = host.port();
        Program bots({"bot", "-P", port, "--games", std::to_string(games), "--players", "2",
                      "--width", "24", "--height", "16"});
        const auto all_seated = [&] {
            const auto listed = list_games(port);
            return listed.size() == games &&
                   std::ranges::all_of(listed, [](const auto& game) { return game.players == 2; });
        };
        REQUIRE(eventually(all_seated));
        for (const char* name : {"front/0", "nursery/tron", "front/1", "front/0", "front/1"}) {
            const pid_t process = host.process(name);
            kill(process, SIGKILL);
            wait_until_gone(process);
        }
        for (const ListedGame& game : list_games(port)) {
            kill(host.game_process(game.name), SIGKILL);
        }
        host.program().signal(SIGKILL);
        CHECK(host.program().wait() == -SIGKILL);
        ServedHost next({"--fronts", "2", "--resume-grace", "60", "--listen", "127.0.0.1:" + port},
                        instance);
        const int exit_code = bots.wait();
        INFO(bots.errors() << next.program().errors());
        CHECK(exit_code == 0);
        CHECK(bots.output() == "12 matches: 12 finished, 0 failed\n");
        CHECK(next.stop() == 0);
    }
}

TEST_CASE("crash: a front that has stopped keeps nobody out", "[e2e][crash]") {
    ServedHost host({"--fronts", "2"});
    const pid_t stopped = host.process("front/1");
    REQUIRE(kill(stopped, SIGSTOP) == 0);
    wait_until_stopped(stopped);  // until then it still accepts, and that client would die with it
    std::vector<Client> clients;
    for (int i = 0; i < 40; ++i) {  // far more than one front has ahead of another
        auto client = Client::connect(host.endpoint());
        REQUIRE(client.has_value());
        const auto message = client->receive(std::chrono::seconds(20));
        INFO("client " << i << ": " << (message ? "" : message.error().message));
        REQUIRE(message.has_value());
        REQUIRE(*message != nullptr);
        REQUIRE((*message)->message_as_Welcome() != nullptr);
        clients.push_back(std::move(*client));
    }
    wait_until_gone(stopped);  // it hangs, so it is killed
    CHECK(host.process("front/1") != stopped);
    clients.clear();
    REQUIRE(host.stop() == 0);
}

TEST_CASE("crash: nothing outlives a killed supervisor", "[e2e][crash]") {
    const NothingLeft nothing_left;
    const std::string instance = new_instance();
    {
        ServedHost host({}, instance);
        Player player(host.endpoint());
        REQUIRE(player.join("doomed").seat == 0u);
        const pid_t processes[]{host.process("front/0"), host.process("nursery/tron"),
                                host.game_process("doomed")};
        host.program().signal(SIGKILL);
        CHECK(host.program().wait() == -SIGKILL);
        for (const pid_t process : processes) {
            wait_until_gone(process);
        }
        CHECK(player.left() == std::nullopt);
    }
    ServedHost next({"--fresh"}, instance);
    CHECK(list_games(next.port()).empty());
    CHECK(next.stop() == 0);
}
