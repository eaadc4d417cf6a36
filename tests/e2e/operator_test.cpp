// What the operator of a running host does: looks who is there, removes them, keeps them out.

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "player.hpp"
#include "program.hpp"
#include "served_host.hpp"

#include "ringside/core/wire.hpp"
#include "ringside/net/client.hpp"
#include "ringside/net/endpoint.hpp"

using namespace ringside;
using namespace ringside::test;

namespace {

nlohmann::json sessions_of(const ServedHost& host) {
    const Outcome listed = run({"sessions", "--json", "--instance", host.instance()});
    INFO(listed.errors);
    REQUIRE(listed.exit_code == 0);
    return nlohmann::json::parse(listed.output).at("sessions");
}

Outcome operate(const ServedHost& host, std::vector<std::string> what) {
    what.insert(what.end(), {"--instance", host.instance()});
    return run(what);
}

/// Why the host ends a connection: the code of its Error.
std::string last_words(Client& client) {
    for (;;) {
        const auto message = client.receive(patience);
        if (!message) {
            return message.error().text();
        }
        REQUIRE(*message != nullptr);
    }
}

Client connected(const ServedHost& host) {
    auto client = Client::connect(host.endpoint());
    REQUIRE(client.has_value());
    return std::move(*client);
}

/// The first line that a browser is answered.
std::string page_status(const ServedHost& host) {
    const auto fd = connect_to(host.endpoint(), patience);
    REQUIRE(fd.has_value());
    const std::string_view request = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    REQUIRE(::send(*fd, request.data(), request.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(request.size()));
    std::string line;
    for (char byte = 0; line.find('\r') == std::string::npos;) {
        pollfd readable{.fd = *fd, .events = POLLIN, .revents = 0};
        const std::chrono::milliseconds wait_ms = patience;
        REQUIRE(::poll(&readable, 1, static_cast<int>(wait_ms.count())) == 1);
        REQUIRE(::recv(*fd, &byte, 1, 0) == 1);
        line += byte;
    }
    ::close(*fd);
    return line.substr(0, line.size() - 1);
}

}  // namespace

TEST_CASE("operator: a session is listed with its address and game, and can be removed",
          "[e2e][operator]") {
    const NothingLeft nothing_left;
    ServedHost host({"--fronts", "2"});
    Client idle = connected(host);
    REQUIRE(idle.receive(patience).has_value());
    Client watching = connected(host);
    Player seated(host.endpoint(), "Zo\u00eb");
    REQUIRE(seated.join("arena", {.seats = 2}).seat == 0u);
    watching.watch("arena");
    for (bool there = false; !there;) {
        const auto message = watching.receive(patience);
        REQUIRE(message.has_value());
        there = *message != nullptr && (*message)->message_as_Watching() != nullptr;
    }
    const auto sessions = sessions_of(host);
    REQUIRE(sessions.size() == 3);
    std::string watcher;
    std::string player;
    for (const auto& session : sessions) {
        CHECK(session.at("address") == "127.0.0.1");
        const bool plays = session.at("game") == "arena" && !session.at("watching");
        CHECK(session.at("nickname") == (plays ? "Zo\u00eb" : ""));
        if (session.at("game") == "arena") {
            (session.at("watching") ? watcher : player) = session.at("session");
        }
    }
    REQUIRE(watcher.size() == 16);
    REQUIRE(player.size() == 16);

    CHECK(operate(host, {"kick", watcher}).exit_code == 0);
    CHECK(last_words(watching).find("4011") != std::string::npos);
    CHECK_FALSE(watching.can_reconnect());

    const Outcome kicked = operate(host, {"kick", player});
    CHECK(kicked.output == fmt::format("session {} is closed\n", player));
    CHECK_FALSE(seated.left().has_value());
    Player next(host.endpoint());  // the seat was not kept
    REQUIRE(next.join("arena", {.seats = 2}).seat == 0u);
    CHECK(eventually([&] { return sessions_of(host).size() == 2; }));

    CHECK(operate(host, {"kick", player}).exit_code == 0);  // of a session that has gone
    CHECK(operate(host, {"kick", "0900000100000001"}).errors.find("no such session") !=
          std::string::npos);
    CHECK(operate(host, {"kick", "17"}).exit_code == 1);
    CHECK(sessions_of(host).size() == 2);
    CHECK(host.stop() == 0);
    CHECK(run({"sessions", "--instance", host.instance()}).errors.find("no host named") !=
          std::string::npos);
}

TEST_CASE("operator: nobody gets in from a banned address until the ban is over",
          "[e2e][operator]") {
    const NothingLeft nothing_left;
    ServedHost host({"--fronts", "2", "--listen", "127.0.0.1:0", "--listen",
                     "unix:" + instance_directory("ban-") + ".sock"});
    Client first = connected(host);
    Client second = connected(host);
    REQUIRE(first.receive(patience).has_value());
    REQUIRE(second.receive(patience).has_value());
    auto local = Client::connect(host.endpoints().at(1));
    REQUIRE(local.has_value());
    REQUIRE(local->receive(patience).has_value());

    CHECK(operate(host, {"ban", "203.0.113.7"}).exit_code == 0);  // somebody else
    const auto sessions = sessions_of(host);
    REQUIRE(sessions.size() == 3);
    std::string one;
    for (const auto& session : sessions) {
        if (session.at("address") == "127.0.0.1") {
            one = session.at("session");
        }
    }
    const Outcome banned = operate(host, {"ban", one, "--for", "600"});
    INFO(banned.errors);
    CHECK(banned.output == "banned for 600 s\n");
    CHECK(last_words(first).find("4012") != std::string::npos);
    CHECK(last_words(second).find("4012") != std::string::npos);
    Client late = connected(host);
    CHECK(last_words(late).find("4012") != std::string::npos);
    CHECK(page_status(host) == "HTTP/1.1 403 Forbidden");
    local->ping(1);  // a Unix socket has no address
    const auto pong = local->receive(patience);
    REQUIRE(pong.has_value());
    REQUIRE(*pong != nullptr);

    const pid_t nursery = host.process("nursery/tron");
    CHECK(operate(host, {"upgrade"}).exit_code == 0);
    REQUIRE(eventually([&] { return host.process("nursery/tron") != nursery; }));
    CHECK(last_words(*local).find("closed") != std::string::npos);
    Client after_upgrade = connected(host);
    CHECK(last_words(after_upgrade).find("4012") != std::string::npos);

    CHECK(operate(host, {"unban", "127.0.0.1"}).exit_code == 0);
    Client back = connected(host);
    REQUIRE(back.receive(patience).has_value());
    CHECK(operate(host, {"ban", "127.0.0.1", "--for", "1"}).exit_code == 0);
    CHECK(last_words(back).find("4012") != std::string::npos);
    CHECK(eventually([&] {
        Client again = connected(host);
        const auto message = again.receive(patience);
        return message && *message != nullptr && (*message)->message_as_Welcome() != nullptr;
    }));
    CHECK(operate(host, {"ban", "nobody"}).exit_code == 1);
    CHECK(host.stop() == 0);
}
