// `ringside serve`: where it listens, how it stops, what it refuses; and the program on its own.

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "player.hpp"
#include "program.hpp"
#include "served_host.hpp"
#include "tests/ipc/process_watch.hpp"

#include "ringside/ipc/host_segment.hpp"

namespace fs = std::filesystem;
using namespace ringside;
using namespace ringside::test;

namespace {

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string socket_path() {
    return (fs::temp_directory_path() / ("ringside-" + instance_prefix() + "sock")).string();
}

}  // namespace

TEST_CASE("serve: SIGTERM and SIGINT stop everything and tell the players", "[e2e][serve]") {
    const NothingLeft nothing_left;
    const int signal_number = GENERATE(SIGTERM, SIGINT);
    ServedHost host;
    Player seated(host.endpoint());
    Player unseated(host.endpoint());
    REQUIRE(seated.join("short-life").seat == 0u);
    const pid_t game = host.game_process("short-life");
    host.program().signal(signal_number);
    CHECK(seated.left() == LeaveReason::stopping);
    CHECK(unseated.left() == std::nullopt);  // its connection is closed
    CHECK(host.program().wait() == 0);
    CHECK(host.program().errors().empty());
    wait_until_gone(game);
    CHECK_FALSE(fs::exists(instance_directory(host.instance())));
}

TEST_CASE("serve: a second signal stops at once, and as clean", "[e2e][serve]") {
    const NothingLeft nothing_left;
    ServedHost host;
    Player player(host.endpoint());
    REQUIRE(player.join("shorter-life").seat == 0u);
    const pid_t front = host.process("front/0");
    kill(front, SIGSTOP);  // so that it can tell nobody, and the host would wait for it
    host.program().signal(SIGTERM);
    const int exit_code = host.stop(SIGINT);
    CHECK((exit_code == 1 || exit_code == 0));  // 0: both were pending as one look
    wait_until_gone(front);
}

TEST_CASE("serve: what it prints is the command to join and the link", "[e2e][serve]") {
    const NothingLeft nothing_left;
    ServedHost host;
    CHECK(host.line() == "listening on 127.0.0.1:" + host.port() +
                             "; join with: ringside play -A 127.0.0.1 -P " + host.port());
    CHECK(host.stop() == 0);
    // And nothing else: a QR code is for people, who are not there.
    const std::string link =
        RINGSIDE_WEB ? "in a browser: http://127.0.0.1:" + host.port() + "/\n" : "";
    CHECK(host.program().output() == host.line() + "\n" + link);
}

TEST_CASE("serve: IPv4, IPv6 and a Unix socket lead to the same games", "[e2e][serve]") {
    const NothingLeft nothing_left;
    const std::string path = socket_path();
    ServedHost host({"--listen", "127.0.0.1:0", "--listen", "[::1]:0", "--listen", "unix:" + path});
    REQUIRE(host.endpoints().size() == 3);
    unsigned seat = 0;
    std::vector<Player> players;
    for (const Endpoint& endpoint : host.endpoints()) {
        INFO(endpoint.text());
        CHECK(players.emplace_back(endpoint).join("meeting", {.seats = 3}).seat == seat++);
    }
    for (Player& player : players) {
        watch_until(player, [](const tron::View& view) { return view.cycles.size() == 3; });
    }
    CHECK(host.stop() == 0);
    CHECK_FALSE(fs::exists(path));
}

TEST_CASE("serve: a port in use is refused with the cure", "[e2e][serve]") {
    const NothingLeft nothing_left;
    const ServedHost host;
    const Outcome second =
        run({"serve", "--listen", "127.0.0.1:" + host.port(), "--instance", new_instance()});
    INFO(second.errors);
    CHECK(second.exit_code == 1);
    CHECK(contains(second.errors, host.port()));
    CHECK(contains(second.errors, "choose another"));
    CHECK(second.output.empty());
}

TEST_CASE("serve: a second host of one instance is refused, the first unharmed", "[e2e][serve]") {
    const NothingLeft nothing_left;
    ServedHost host;
    Player player(host.endpoint());
    REQUIRE(player.join("goes-on").seat == 0u);
    const Outcome second = run({"serve", "--listen", "127.0.0.1:0", "--instance", host.instance()});
    INFO(second.errors);
    CHECK(second.exit_code == 1);
    CHECK(contains(second.errors, "'" + host.instance() + "' is running already"));
    CHECK(contains(second.errors, "--instance"));
    player.press(tron::Key::insert);
    watch_until(player, [&](const tron::View&) { return player.applied() == 1; });
    CHECK(host.stop() == 0);
}

TEST_CASE("serve: a directory left by a killed host is taken over", "[e2e][serve]") {
    const NothingLeft nothing_left;
    const std::string instance = new_instance();
    {
        ServedHost killed({}, instance);
        Player player(killed.endpoint());
        REQUIRE(player.join("cut-short", {.seats = 2}).seat == 0u);
        const pid_t game = killed.game_process("cut-short");
        killed.program().signal(SIGKILL);
        CHECK(killed.program().wait() == -SIGKILL);
        wait_until_gone(game);
        CHECK(player.left() == std::nullopt);  // its front has gone too
        CHECK(fs::exists(instance_directory(instance)));
    }
    {
        ServedHost host({}, instance);
        CHECK(list_games(host.port()).size() == 1);
        Player player(host.endpoint());
        CHECK(player.join("cut-short", {.seats = 2}).seat == 1u);  // the first one may come back
        host.program().signal(SIGKILL);
        CHECK(host.program().wait() == -SIGKILL);
    }
    ServedHost host({"--fresh"}, instance);
    CHECK(list_games(host.port()).empty());
    CHECK(host.stop() == 0);
}

TEST_CASE("serve: without futexes in io_uring a match is played all the same", "[e2e][serve]") {
    const NothingLeft nothing_left;
    ServedHost host({"--no-uring-futex"});
    const Outcome bots =
        run({"bot", "-P", host.port(), "--players", "2", "-W", "12", "-H", "8", "--games", "2"});
    INFO(bots.errors);
    CHECK(bots.exit_code == 0);
    CHECK(bots.output == "2 matches: 2 finished, 0 failed\n");
    CHECK(host.stop() == 0);
}

TEST_CASE("serve: a game nobody touches ends with its process", "[e2e][serve]") {
    const NothingLeft nothing_left;
    ServedHost host({"--idle-timeout", "1"});
    Player player(host.endpoint());
    REQUIRE(player.join("forgotten", {.seats = 2}).seat == 0u);
    const pid_t game = host.game_process("forgotten");
    CHECK(player.left() == LeaveReason::idle);
    wait_until_gone(game);
    CHECK(eventually([&] { return list_games(host.port()).empty(); }));
    CHECK(player.join("forgotten", {.seats = 2}).seat == 0u);  // the name is free
    CHECK(host.stop() == 0);
}

TEST_CASE("serve: a game everybody has left ends with its process", "[e2e][serve]") {
    const NothingLeft nothing_left;
    ServedHost host;
    Player first(host.endpoint());
    Player second(host.endpoint());
    REQUIRE(first.join("left-alone", {.seats = 2}).seat == 0u);
    REQUIRE(second.join("left-alone").seat == 1u);
    const pid_t game = host.game_process("left-alone");
    first.leave();
    CHECK(first.left() == LeaveReason::left);
    second.leave();
    CHECK(second.left() == LeaveReason::left);
    wait_until_gone(game);
    CHECK(eventually([&] { return list_games(host.port()).empty(); }));
    CHECK(host.stop() == 0);
}

TEST_CASE("serve: more games than it may have are refused with the number", "[e2e][serve]") {
    const NothingLeft nothing_left;
    ServedHost host({"--games-max", "2"});
    Player first(host.endpoint());
    Player second(host.endpoint());
    Player third(host.endpoint());
    REQUIRE(first.join("one").seat == 0u);
    REQUIRE(second.join("two").seat == 0u);
    const auto refused = third.join("three");
    CHECK(refused.reason == RefuseReason::no_room);
    INFO(refused.text);
    CHECK(contains(refused.text, "all 2 games"));
    CHECK(contains(refused.text, "--games-max"));
    first.leave();
    CHECK(first.left() == LeaveReason::left);
    CHECK(eventually([&] { return third.join("three").seat == 0u; }));  // one's process has to go
    CHECK(host.stop() == 0);
}

TEST_CASE("serve: a game is ended by the operator, and its players are told", "[e2e][serve]") {
    const NothingLeft nothing_left;
    ServedHost host;
    Player player(host.endpoint());
    Player other(host.endpoint());
    REQUIRE(player.join("too-loud", {.seats = 2}).seat == 0u);
    REQUIRE(other.join("quiet", {.seats = 2}).seat == 0u);
    const pid_t game = host.game_process("too-loud");
    const Outcome ended = run({"end", "too-loud", "--instance", host.instance()});
    INFO(ended.errors);
    CHECK(ended.exit_code == 0);
    CHECK(ended.output == "ended 'too-loud'\n");
    CHECK(player.left() == LeaveReason::game_failed);
    wait_until_gone(game);
    CHECK(eventually([&] { return list_games(host.port()).size() == 1; }));
    const Outcome again = run({"end", "too-loud", "--instance", host.instance()});
    CHECK(again.exit_code == 1);
    CHECK(contains(again.errors, "no game is named 'too-loud'"));
    other.press(tron::Key::insert);
    watch_until(other, [&](const tron::View&) { return other.applied() == 1; });
    CHECK(host.stop() == 0);
}

TEST_CASE("serve: a drained host refuses new games and ends with its last", "[e2e][serve]") {
    const NothingLeft nothing_left;
    ServedHost host;
    Player player(host.endpoint());
    REQUIRE(player.join("going-on", {.seats = 2}).seat == 0u);
    const Outcome drained = run({"drain", "--instance", host.instance()});
    INFO(drained.errors);
    CHECK(drained.exit_code == 0);
    CHECK(drained.output.starts_with("draining: no new games; 1 go on"));
    {
        Player late(host.endpoint());
        CHECK(late.join("new-one").reason == RefuseReason::stopping);
        CHECK(late.join("going-on").seat == 1u);  // the match that goes on takes players
        late.leave();
        CHECK(late.left() == LeaveReason::left);
    }
    player.leave();
    CHECK(host.program().wait() == 0);
    CHECK_FALSE(fs::exists(instance_directory(host.instance())));
    const Outcome gone = run({"drain", "--instance", host.instance()});
    CHECK(gone.exit_code == 1);
    CHECK(contains(gone.errors, "no host named"));
}

TEST_CASE("serve: a full /dev/shm refuses one game, and the others go on", "[e2e][serve]") {
    const NothingLeft nothing_left;
    ServedHost host = ServedHost::with_little_memory("1m", {"--games-max", "64"});
    Player first(host.endpoint());
    REQUIRE(first.join("the-first", {.seats = 2}).seat == 0u);
    std::vector<Player> others;
    Player::Answer answer{.seat = 0};
    while (answer.seat && others.size() < 64) {
        others.emplace_back(host.endpoint());
        answer = others.back().join("game-" + std::to_string(others.size()), {.seats = 2});
    }
    INFO(answer.text);
    CHECK(answer.reason == RefuseReason::no_room);
    CHECK(contains(answer.text, "/dev/shm"));
    CHECK(others.size() > 5);
    first.press(tron::Key::insert);  // who is in, plays on
    watch_until(first, [&](const tron::View&) { return first.applied() == 1; });

    // When one has ended there is room again.
    others.front().leave();
    CHECK(others.front().left() == LeaveReason::left);
    CHECK(eventually([&] { return others.back().join("at-last", {.seats = 2}).seat == 0u; }));
    CHECK(host.stop() == 0);
}

TEST_CASE("serve: wrong usage ends with 2", "[e2e][serve]") {
    const NothingLeft nothing_left;
    const Outcome unknown = run({"serve", "--frobnicate"});
    CHECK(unknown.exit_code == 2);
    CHECK(contains(unknown.errors, "--frobnicate"));
    const Outcome number = run({"serve", "--games-max", "0"});
    CHECK(number.exit_code == 2);
    CHECK(contains(number.errors, "1 to 32768"));
}

TEST_CASE("demo: without arguments and terminal a match is printed", "[e2e][demo]") {
    const NothingLeft nothing_left;
    const Outcome demo = run(std::vector<std::string>());
    INFO(demo.output << demo.errors);
    CHECK(demo.exit_code == 0);
    CHECK(demo.errors.empty());
    CHECK(contains(demo.output, "bots 1 and 2 race"));
    const std::string result = last_line(demo.output);
    CHECK((result == "A draw: nobody is left." || result == "Bot 1 wins." ||
           result == "Bot 2 wins."));
}

TEST_CASE("serve: a private game lets in who has its password, and may be unlisted",
          "[e2e][serve]") {
    const NothingLeft nothing_left;
    const std::string instance = new_instance();
    std::optional<ServedHost> host(std::in_place, std::vector<std::string>{}, instance);
    std::vector<Client> clients;
    const auto client = [&]() -> Client& {
        auto connected = Client::connect(host->endpoint());
        REQUIRE(connected.has_value());
        return clients.emplace_back(std::move(*connected));
    };
    // The reason why it is refused; none when it is let in.
    const auto answer = [](Client& asking) {
        for (;;) {
            const auto message = asking.receive(patience);
            REQUIRE(message.has_value());
            REQUIRE(*message != nullptr);
            if (const auto* refused = (*message)->message_as_Refused()) {
                return static_cast<RefuseReason>(refused->reason());
            }
            if ((*message)->message_as_Joined() != nullptr ||
                (*message)->message_as_Watching() != nullptr) {
                return RefuseReason::none;
            }
        }
    };
    const auto join = [&](const std::string& game, const std::string& password,
                          bool unlisted = false) {
        Client& joining = client();
        joining.join({.game = game,
                      .type = {},
                      .config = tron::encode_config({.seats = 3}),
                      .parameters = {},
                      .password = password,
                      .unlisted = unlisted});
        return answer(joining);
    };
    const auto watch = [&](const std::string& game, const std::string& password) {
        Client& watching = client();
        watching.watch(game, password);
        return answer(watching);
    };
    CHECK(join("secret", "swordfish", /*unlisted=*/true) == RefuseReason::none);
    CHECK(join("locked", "swordfish") == RefuseReason::none);
    CHECK(join("open", "") == RefuseReason::none);
    const auto expect_private = [&] {
        CHECK(join("secret", "Swordfish") == RefuseReason::wrong_password);
        CHECK(join("secret", "") == RefuseReason::wrong_password);
        CHECK(watch("locked", "") == RefuseReason::wrong_password);
        CHECK(watch("locked", "swordfish") == RefuseReason::none);
        CHECK(join("open", "swordfish") == RefuseReason::wrong_password);
        CHECK(watch("open", std::string(65, 'x')) == RefuseReason::bad_parameters);
        const auto listed = list_games(host->port());
        REQUIRE(listed.size() == 2);
        CHECK(listed[0].name == "locked");
        CHECK(listed[1].name == "open");
    };
    expect_private();
    const std::string listed = run({"list", "-P", host->port()}).output;
    CHECK(listed.find("  password\n") < listed.find("open"));
    {
        setenv("RINGSIDE_PASSWORD", "swordfish", 1);
        const Program bot({"bot", "-P", host->port(), "-G", "locked"});
        CHECK(eventually([&] { return list_games(host->port())[0].players == 2; }));
        unsetenv("RINGSIDE_PASSWORD");
    }

    const std::string port = host->port();
    host->program().signal(SIGKILL);
    REQUIRE(host->program().wait() == -SIGKILL);
    host.reset();
    host.emplace(std::vector<std::string>{"--listen", "127.0.0.1:" + port}, instance);
    // A seat is gone on with by its token alone.
    Client& first = clients.front();
    while (first.receive(patience).has_value()) {
    }
    REQUIRE(first.reconnect());
    CHECK(answer(first) == RefuseReason::none);
    expect_private();
    CHECK(join("secret", "swordfish") == RefuseReason::none);
    CHECK(host->stop() == 0);
}

TEST_CASE("serve: a front out of descriptors lets clients wait and does not spin", "[e2e][serve]") {
    const NothingLeft nothing_left;
    ServedHost host = ServedHost::with_few_descriptors(64);
    Player there(host.endpoint());
    REQUIRE(there.join("going-on", {.seats = 2}).seat == 0u);
    const auto welcomed = [](Client& client, std::chrono::milliseconds in) {
        const auto message = client.receive(in);
        REQUIRE(message.has_value());
        return *message != nullptr && (*message)->message_as_Welcome() != nullptr;
    };
    std::vector<Client> crowd;
    do {
        auto client = Client::connect(host.endpoint());  // the kernel answers: into the backlog
        REQUIRE(client.has_value());
        crowd.push_back(std::move(*client));
        REQUIRE(crowd.size() < 64);
    } while (welcomed(crowd.back(), std::chrono::seconds(1)));

    const auto turns = [&] {
        const auto segment =
            HostSegment::open(instance_directory(host.instance()) + "/host", Access::read_only);
        REQUIRE(segment.has_value());
        return segment->layout().front[0].turns.load(std::memory_order_relaxed);
    };
    const std::uint64_t turns_before = turns();
    CHECK_FALSE(welcomed(crowd.back(), std::chrono::seconds(1)));
    CHECK(turns() - turns_before < 500);  // one that asks again at once turns 100,000 times
    there.leave();                        // who is there is served
    CHECK(there.left() == LeaveReason::left);
    crowd.erase(crowd.begin());
    CHECK(welcomed(crowd.back(), patience));
    CHECK(host.stop() == 0);
}
