// A real host with a real front, as browsers find it: HTTP and WebSockets over real sockets.

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "counter_game.hpp"
#include "test_client.hpp"
#include "test_host.hpp"
#include "web_socket_frames.hpp"

#include "ringside/core/limits.hpp"

using namespace ringside;
using namespace std::string_literals;
using test::client_frame;
using test::Opcode;
using test::TestClient;
using test::TestHost;
using wire::ErrorCode;

namespace {

const std::string page = "<!doctype html><title>page</title>" + std::string(5'000, ' ');
const std::string zipped = "as if it were gzip";
const std::vector<WebAsset> assets{
    {.path = "/",
     .content_type = "text/html; charset=utf-8",
     .entity_tag = "\"page-1\"",
     .content = std::as_bytes(std::span(page)),
     .gzip = std::as_bytes(std::span(zipped))},
    {.path = "/a/script-1.js",
     .content_type = "text/javascript",
     .entity_tag = "\"script-1\"",
     .immutable = true,
     .content = std::as_bytes(std::span(page)),
     .gzip = {}},
};

FrontOptions with_assets() {
    FrontOptions options;
    options.web_assets = assets;
    return options;
}

/// Everything that is answered to `requests`, the last of which asks to close.
std::string answers(const TestHost& host, const std::string& requests) {
    TestClient client = host.connect();
    client.raw(requests);
    return client.rest();
}

std::string get(const TestHost& host, const std::string& target, const std::string& headers = {}) {
    return answers(
        host, "GET " + target + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + headers + "\r\n");
}

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++count;
    }
    return count;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("web: the page and what belongs to it", "[net][web]") {
    TestHost host(with_assets());
    const std::string plain = get(host, "/");
    CHECK(plain.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(plain.ends_with("\r\n\r\n" + page));
    CHECK(has(plain, "\r\nContent-Length: " + std::to_string(page.size()) + "\r\n"));
    CHECK(has(plain, "\r\nETag: \"page-1\"\r\n"));
    CHECK(has(plain, "\r\nCache-Control: no-cache\r\n"));
    CHECK(has(plain, "\r\nContent-Security-Policy: default-src 'none'; script-src 'self';"));
    CHECK(has(plain, "\r\nX-Content-Type-Options: nosniff\r\n"));
    CHECK(get(host, "/g/any-game").ends_with(page));
    CHECK(get(host, "/g/any-game?x=1").ends_with(page));
    const std::string small = get(host, "/", "Accept-Encoding: deflate, gzip\r\n");
    CHECK(has(small, "\r\nContent-Encoding: gzip\r\n"));
    CHECK(small.ends_with("\r\n\r\n" + zipped));
    const std::string script = get(host, "/a/script-1.js", "Accept-Encoding: gzip\r\n");
    CHECK(has(script, "\r\nCache-Control: public, max-age=31536000, immutable\r\n"));
    CHECK(script.ends_with(page));
    const std::string again = get(host, "/", "If-None-Match: \"other\", \"page-1\"\r\n");
    CHECK(again.starts_with("HTTP/1.1 304 Not Modified\r\n"));
    CHECK(again.ends_with("\r\n\r\n"));
    const std::string head =
        answers(host, "HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    CHECK(has(head, "\r\nContent-Length: " + std::to_string(page.size()) + "\r\n"));
    CHECK(head.ends_with("\r\n\r\n"));
    CHECK(host.stop() == 0);
}

TEST_CASE("web: what is not there, and what cannot be asked", "[net][web]") {
    TestHost host(with_assets());
    CHECK(get(host, "/nothing").starts_with("HTTP/1.1 404 "));
    CHECK(get(host, "/g/").starts_with("HTTP/1.1 404 "));
    CHECK(
        get(host, "/g/" + std::string(game_name_bytes_max + 1, 'a')).starts_with("HTTP/1.1 404 "));
    CHECK(get(host, "/a/../a/script-1.js").starts_with("HTTP/1.1 404 "));
    CHECK(get(host, "/healthz").ends_with("\r\n\r\nok\n"));
    CHECK(get(host, "/games?after=..").starts_with("HTTP/1.1 400 "));
    const std::string post = answers(host,
                                     "POST /games HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                                     "\r\nabc");
    CHECK(post.starts_with("HTTP/1.1 405 "));
    CHECK(has(post, "\r\nAllow: GET, HEAD\r\n"));
    CHECK(answers(host, "GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 400 "));
    CHECK(answers(host, "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
              .starts_with("HTTP/1.1 413 "));
    CHECK(answers(host, "GET /" + std::string(20'000, 'a')).starts_with("HTTP/1.1 431 "));
    CHECK(answers(host, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").starts_with("HTTP/1.1 505 "));
    CHECK(host.stop() == 0);
}

TEST_CASE("web: recorded matches", "[net][web]") {
    const auto folder =
        std::filesystem::temp_directory_path() / ("ringside-replays-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder / "folder.replay");
    const std::string recording(300'000, 'r');
    std::ofstream(folder / "duel.replay") << recording;
    std::ofstream(folder / "empty.replay");
    std::ofstream(folder / "secret") << "secret";
    std::filesystem::create_symlink("nowhere", folder / "gone.replay");
    FrontOptions options = with_assets();
    options.replays_folder = folder;
    {
        TestHost host(options);
        const std::string found = get(host, "/replays/duel");
        CHECK(found.starts_with("HTTP/1.1 200 OK\r\n"));
        CHECK(has(found, "\r\nContent-Type: application/octet-stream\r\n"));
        CHECK(found.ends_with("\r\n\r\n" + recording));
        for (const char* name : {"nobody", "empty", "gone", "folder", "secret", "..%2fduel"}) {
            INFO(name);
            CHECK(get(host, "/replays/"s + name).starts_with("HTTP/1.1 404 "));
        }
        CHECK(get(host, "/replays/../secret").starts_with("HTTP/1.1 404 "));
        CHECK(get(host, "/replays?game=duel").ends_with("{\"recorded\":true}\n"));
        CHECK(get(host, "/replays?game=nobody").ends_with("{\"recorded\":false}\n"));
        CHECK(get(host, "/replays?game=..").starts_with("HTTP/1.1 404 "));
        CHECK(get(host, "/r/duel").ends_with(page));  // the page that shows it
        // What is behind it on the connection waits for the file.
        const std::string three = answers(host,
                                          "GET /replays/duel HTTP/1.1\r\nHost: h\r\n\r\n"
                                          "HEAD /replays/duel HTTP/1.1\r\nHost: h\r\n\r\n"
                                          "GET /healthz HTTP/1.1\r\nHost: h\r\n"
                                          "Connection: close\r\n\r\n");
        CHECK(count_of(three, "\r\nContent-Length: 300000\r\n") == 2);
        CHECK(three.ends_with("\r\n\r\nok\n"));
        for (int i = 0; i < 40; ++i) {  // and who does not wait for it hurts nobody
            host.connect().raw("GET /replays/duel HTTP/1.1\r\nHost: h\r\n\r\n");
        }
        CHECK(get(host, "/healthz").ends_with("ok\n"));
        CHECK(host.stop() == 0);
    }
    TestHost without(with_assets());
    CHECK(get(without, "/replays/duel").starts_with("HTTP/1.1 404 "));
    CHECK(get(without, "/replays?game=duel").ends_with("{\"recorded\":false}\n"));
    CHECK(without.stop() == 0);
    std::filesystem::remove_all(folder);
}

TEST_CASE("web: a host without a web client says so", "[net][web]") {
    TestHost host;
    CHECK(has(get(host, "/"), "built without its web client"));
    CHECK(get(host, "/x").starts_with("HTTP/1.1 404 "));
    CHECK(host.stop() == 0);
}

TEST_CASE("web: a connection is used again and again", "[net][web]") {
    TestHost host(with_assets());
    // The lists wait for the supervisor, and what is behind them waits for them.
    std::string requests;
    for (int i = 0; i < 10; ++i) {
        requests +=
            "GET /games HTTP/1.1\r\nHost: h\r\n\r\n"
            "HEAD /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    }
    requests += "GET /games HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    const std::string all = answers(host, requests);
    CHECK(count_of(all, "HTTP/1.1 200 OK\r\n") == 31);
    CHECK(count_of(all, R"({"games":[],"more":false})") == 11);
    CHECK(count_of(all, page) == 10);
    CHECK(count_of(all, "Connection: close\r\n") == 1);
    CHECK(host.stop() == 0);
}

TEST_CASE("web: games as JSON", "[net][web]") {
    FrontOptions options;
    options.allowed_origins = {"https://friend.example"};
    TestHost host(options);
    TestClient player = host.greeted();
    player.join("arena");
    (void)player.expect<wire::Joined>();
    const std::string all = get(host, "/games");
    CHECK(has(all, R"({"games":[{"name":"arena","type":"counter","state":")"));
    CHECK(has(all, R"("players":1,)"));
    CHECK_FALSE(has(all, "Access-Control"));
    CHECK(has(get(host, "/games?after=arena"), R"({"games":[],"more":false})"));
    CHECK(has(get(host, "/games?prefix=are"), R"("name":"arena")"));
    CHECK(has(get(host, "/games?prefix=b"), R"({"games":[],)"));
    CHECK(has(get(host, "/games", "Origin: https://friend.example\r\n"),
              "\r\nAccess-Control-Allow-Origin: https://friend.example\r\n"));
    CHECK_FALSE(has(get(host, "/games", "Origin: https://other.example\r\n"), "Access-Control"));
    CHECK(host.stop() == 0);
}

TEST_CASE("web: who may turn to a WebSocket", "[net][web]") {
    FrontOptions options;
    options.allowed_origins = {"https://friend.example"};
    TestHost host(options);
    const auto upgraded = [&](const std::string& headers) {
        return host.connect().upgrade(headers);
    };
    const std::string head = upgraded("Origin: http://here\r\n");
    CHECK(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
    CHECK(has(head, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    CHECK(has(head, "\r\nSec-WebSocket-Protocol: ringside.v1\r\n"));
    CHECK(upgraded("").starts_with("HTTP/1.1 101 "));
    CHECK(upgraded("Origin: https://here\r\n").starts_with("HTTP/1.1 101 "));
    CHECK(upgraded("Origin: https://friend.example\r\n").starts_with("HTTP/1.1 101 "));
    CHECK(upgraded("Origin: http://elsewhere\r\n").starts_with("HTTP/1.1 403 "));
    CHECK(upgraded("Origin: http://here.elsewhere\r\n").starts_with("HTTP/1.1 403 "));
    CHECK(upgraded("Origin: null\r\n").starts_with("HTTP/1.1 403 "));
    const std::string plain = get(host, "/play");
    CHECK(plain.starts_with("HTTP/1.1 426 "));
    CHECK(has(plain, "\r\nSec-WebSocket-Version: 13\r\n"));
    const std::string asked = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const std::string version = "Sec-WebSocket-Version: 13\r\n";
    const std::string protocol = "Sec-WebSocket-Protocol: ringside.v1\r\n";
    const auto refused = [&](const std::string& headers) {
        TestClient client = host.connect();
        client.raw("GET /play HTTP/1.1\r\nHost: h\r\n" + headers +
                   "\r\nGET / HTTP/1.1\r\nHost: h\r\n"
                   "Connection: close\r\n\r\n");
        return client.rest();
    };
    CHECK(refused(asked + key + protocol).starts_with("HTTP/1.1 426 "));
    CHECK(refused(asked + key + protocol + "Sec-WebSocket-Version: 12\r\n")
              .starts_with("HTTP/1.1 426 "));
    CHECK(refused(asked + version + protocol).starts_with("HTTP/1.1 400 "));
    CHECK(refused(asked + version + protocol + "Sec-WebSocket-Key: short\r\n")
              .starts_with("HTTP/1.1 400 "));
    CHECK(refused(asked + version + key).starts_with("HTTP/1.1 400 "));
    CHECK(refused(asked + version + key + "Sec-WebSocket-Protocol: chat\r\n")
              .starts_with("HTTP/1.1 400 "));
    CHECK(host.stop() == 0);
}

TEST_CASE("web: players in browsers and in terminals meet", "[net][web]") {
    TestHost host;
    TestClient web = host.greeted_web();
    TestClient terminal = host.greeted();
    TestClient watcher = host.greeted_web();
    web.join("meet", wire::JoinMode::join_or_create, "\x02");
    const auto web_seat = web.expect<wire::Joined>().seat();
    terminal.join("meet");
    CHECK(terminal.expect<wire::Joined>().seat() + web_seat == 1);
    watcher.watch("meet");
    (void)watcher.expect<wire::Watching>();
    web.input(1, static_cast<std::uint8_t>(test::CounterInput::add_one));
    terminal.input(1, static_cast<std::uint8_t>(test::CounterInput::add_one));
    for (TestClient* client : {&web, &terminal, &watcher}) {
        test::CounterView view;
        do {
            const auto& snapshot = client->expect<wire::Snapshot>();
            REQUIRE(snapshot.view()->size() == sizeof view);
            std::memcpy(&view, snapshot.view()->data(), sizeof view);
        } while (view.sum < 2);
    }
    web.list();
    CHECK(web.expect<wire::Games>().games()->size() == 1);
    web.leave();
    CHECK(web.expect<wire::Left>().reason() == static_cast<int>(LeaveReason::left));
    web.raw(client_frame(Opcode::close, test::close_payload(1001)));
    CHECK(web.rest().empty());
    CHECK(web.close_code() == 1001);
    host.ask_to_stop();
    CHECK(watcher.expect<wire::Left>().reason() == static_cast<int>(LeaveReason::stopping));
    CHECK(watcher.expect_error() == ErrorCode::stopping);
    CHECK(watcher.close_code() == 4008);
    CHECK(host.stop() == 0);
}

TEST_CASE("web: a WebSocket's mistakes are answered and hurt nobody", "[net][web]") {
    FrontOptions options;
    options.messages_per_second_max = 40;
    TestHost host(options);
    TestClient player = host.greeted_web();
    player.join("arena");
    (void)player.expect<wire::Joined>();
    TestClient client = host.connect();
    (void)client.upgrade();
    SECTION("bytes that are no message") {
        client.raw(client_frame(Opcode::binary, "\x04\0\0\0abcd"s));
        CHECK(client.expect_error() == ErrorCode::malformed);
        CHECK(client.close_code() == 4000);
    }
    SECTION("a prefix that is not the length") {
        client.raw(client_frame(Opcode::binary, "\x05\0\0\0abcd"s));
        CHECK(client.expect_error() == ErrorCode::malformed);
    }
    SECTION("an HTTP request inside") {
        client.raw(client_frame(Opcode::binary, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        CHECK(client.expect_error() == ErrorCode::malformed);
    }
    SECTION("an empty message") {
        client.raw(client_frame(Opcode::binary));
        CHECK(client.expect_error() == ErrorCode::malformed);
    }
    SECTION("text") {
        client.raw(client_frame(Opcode::text, "hello"));
        CHECK(client.next() == nullptr);
        CHECK(client.close_code() == 1003);
    }
    SECTION("too long") {
        client.raw(client_frame(Opcode::binary, std::string(client_message_bytes_max + 5, 'x')));
        CHECK(client.next() == nullptr);
        CHECK(client.close_code() == 1009);
    }
    SECTION("not masked") {
        client.raw(client_frame(Opcode::binary, "x", {.masked = false}));
        CHECK(client.next() == nullptr);
        CHECK(client.close_code() == 1002);
    }
    SECTION("too many pings") {
        client.hello();
        (void)client.expect<wire::Welcome>();
        std::string pings;
        for (int i = 0; i < 200; ++i) {
            pings += client_frame(Opcode::ping);
        }
        client.raw(pings);
        CHECK(client.expect_error() == ErrorCode::rate);
        CHECK(client.pongs().size() <= 40);
    }
    SECTION("too many fragments") {
        client.hello();
        (void)client.expect<wire::Welcome>();
        std::string fragments = client_frame(Opcode::binary, {}, {.final = false});
        for (int i = 0; i < 200; ++i) {
            fragments += client_frame(Opcode::continuation, {}, {.final = false});
        }
        client.raw(fragments);
        CHECK(client.expect_error() == ErrorCode::rate);
    }
    SECTION("pings are answered") {
        client.raw(client_frame(Opcode::ping, "are you there"));
        client.hello();
        (void)client.expect<wire::Welcome>();
        CHECK(client.pongs() == std::vector<std::string>{"are you there"});
    }
    player.input(1, static_cast<std::uint8_t>(test::CounterInput::add_one));
    test::CounterView view;
    do {
        const auto& snapshot = player.expect<wire::Snapshot>();
        std::memcpy(&view, snapshot.view()->data(), sizeof view);
    } while (view.sum < 1);
    CHECK(host.stop() == 0);
}

TEST_CASE("web: who turns to a WebSocket and says nothing is closed", "[net][web]") {
    FrontOptions options;
    options.handshake_timeout = std::chrono::milliseconds(300);
    TestHost host(options);
    TestClient client = host.connect();
    REQUIRE(client.upgrade().starts_with("HTTP/1.1 101 "));
    CHECK(client.expect_error() == ErrorCode::handshake_timeout);
    CHECK(client.close_code() == 4004);
    CHECK(host.stop() == 0);
}

TEST_CASE("web: a WebSocket resumes its seat", "[net][web]") {
    FrontOptions options;
    options.resume_grace = std::chrono::milliseconds(10'000);
    TestHost host(options);
    std::uint64_t session = 0;
    std::string token;
    {
        TestClient lost = host.connect();
        (void)lost.upgrade();
        lost.hello();
        const auto& welcome = lost.expect<wire::Welcome>();
        session = welcome.session();
        token.assign(reinterpret_cast<const char*>(welcome.token()->data()),
                     welcome.token()->size());
        lost.join("arena");
        (void)lost.expect<wire::Joined>();
    }
    TestClient back = host.greeted_web();
    back.resume("arena", session, token);
    CHECK(back.expect<wire::Joined>().seat() == 0);
    CHECK(host.stop() == 0);
}

TEST_CASE("web: who finds no place is told so as it asked", "[net][web]") {
    FrontOptions options = with_assets();
    std::string reason;
    SECTION("at the host") {
        options.connections_max = 1;
        reason = "this host has no room for another connection; try again later";
    }
    SECTION("for its address") {
        options.connections_per_address_max = 1;
        options.limit_own_address = true;
        reason = "at most 1 connections from one address";
    }
    TestHost host(options);
    TestClient player = host.greeted();
    const std::string page_refused = get(host, "/");
    CHECK(page_refused.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
    CHECK(has(page_refused, "\r\nRetry-After: 5\r\n"));
    CHECK(has(page_refused, "\r\nCache-Control: no-store\r\n"));
    CHECK(has(page_refused, "\r\nConnection: close\r\n"));
    CHECK(page_refused.ends_with("\r\n\r\n" + reason + "\n"));
    const std::string head = answers(host, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(head.starts_with("HTTP/1.1 503 "));
    CHECK(head.ends_with("\r\n\r\n"));
    TestClient socket = host.connect();
    const std::string upgraded = socket.upgrade();
    CHECK(upgraded.starts_with("HTTP/1.1 503 "));
    CHECK(has(upgraded, "\r\nRetry-After: 5\r\n"));
    CHECK(socket.rest() == reason + "\n");
    TestClient terminal = host.connect();
    terminal.hello();
    CHECK(terminal.expect_error() == ErrorCode::busy);
    player.ping(1);
    CHECK(player.expect<wire::Pong>().nonce() == 1);
    CHECK(host.stop() == 0);
}

TEST_CASE("web: limits count a proxy's clients, not the proxy", "[net][web]") {
    FrontOptions options;
    options.connections_per_address_max = 2;
    SECTION("which is trusted") {
        options.trusted_proxies = {*parse_address_range("127.0.0.0/8")};
        TestHost host(options);
        const auto upgraded = [&](const std::string& forwarded) {
            TestClient client = host.connect();
            const std::string head =
                client.upgrade("X-Forwarded-For: " + forwarded + "\r\n").substr(0, 12);
            return std::pair(std::move(client), head);
        };
        const auto first = upgraded("203.0.113.9");
        {
            const auto second = upgraded("198.51.100.1, 203.0.113.9");
            CHECK(second.second == "HTTP/1.1 101");
            const auto third = upgraded("203.0.113.9");
            CHECK(third.second == "HTTP/1.1 503");
            CHECK(upgraded("203.0.113.10").second == "HTTP/1.1 101");
        }
        // Those that have gone count no more; requests of many clients come on one connection.
        std::string requests;
        for (int i = 0; i < 10; ++i) {
            requests += "GET /healthz HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 203.0.113." +
                        std::to_string(i) + "\r\n\r\n";
        }
        requests += "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
        CHECK(count_of(answers(host, requests), "\r\n\r\nok\n") == 11);
        const auto again = upgraded("203.0.113.9");
        CHECK(again.second == "HTTP/1.1 101");
        CHECK(host.stop() == 0);
    }
    SECTION("which is not") {
        options.limit_own_address = true;
        TestHost host(options);
        std::vector<TestClient> clients;
        for (int i = 0; i < 3; ++i) {
            clients.push_back(host.connect());
            if (i < 2) {
                CHECK(clients.back()
                          .upgrade("X-Forwarded-For: 203.0.113." + std::to_string(i) + "\r\n")
                          .starts_with("HTTP/1.1 101"));
            } else {
                CHECK(clients.back().expect_error() == ErrorCode::busy);
            }
        }
        clients.clear();
        CHECK(host.stop() == 0);
    }
}
