// A real host with a real front, driven by clients over real sockets.

#include "ringside/net/front.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counter_game.hpp"
#include "test_client.hpp"
#include "test_host.hpp"

#include "ringside/core/limits.hpp"
#include "ringside/ipc/supervisor.hpp"
#include "ringside/net/peer_address.hpp"
#include "ringside/relay/relay.hpp"

using namespace ringside;
using ringside::test::CounterDelta;
using ringside::test::CounterInput;
using ringside::test::CounterView;
using ringside::test::TestClient;
using ringside::test::TestHost;
using wire::ErrorCode;
using wire::JoinMode;

namespace {

CounterView view_of(const wire::Snapshot& snapshot) {
    CounterView view;
    REQUIRE(snapshot.view()->size() == sizeof view);
    std::memcpy(&view, snapshot.view()->data(), sizeof view);
    return view;
}

/// Reads on until a snapshot has the sum.
std::size_t read_until_sum(TestClient& client, std::uint64_t sum) {
    for (std::size_t count = 1;; ++count) {
        if (view_of(client.expect<wire::Snapshot>()).sum >= sum) {
            return count;
        }
    }
}

constexpr std::uint8_t one = static_cast<std::uint8_t>(CounterInput::add_one);

}  // namespace

TEST_CASE("front: a player joins, plays, leaves and joins again", "[net][front]") {
    TestHost host({}, GENERATE(false, true));
    TestClient client = host.greeted();
    for (int round = 0; round < 2; ++round) {
        client.join("arena");
        const auto& joined = client.expect<wire::Joined>();
        REQUIRE(joined.game()->str() == "arena");
        REQUIRE(joined.seat() == 0);
        const auto& first = client.expect<wire::Snapshot>();
        REQUIRE(first.seats()->size() == 1);
        const std::uint64_t sum = view_of(first).sum;
        for (std::uint32_t number = 1; number <= 20; ++number) {
            client.input(number, one);
        }
        read_until_sum(client, sum + 20);
        client.leave();
        REQUIRE(client.expect<wire::Left>().reason() == static_cast<int>(LeaveReason::left));
        client.input(21, one);  // crosses with Left: ignored
        client.ping(7);
        REQUIRE(client.expect<wire::Pong>().nonce() == 7);
    }
    REQUIRE(host.stop() == 0);
}

TEST_CASE("front: everybody in a game is told its nicknames, safe to show", "[net][front]") {
    TestHost host({}, GENERATE(false, true));
    const auto told = [](TestClient& client) {
        std::string text;
        for (const wire::Player* player : *client.expect<wire::Players>().players()) {
            text += std::to_string(player->seat()) + ":" + player->nickname()->str() + " ";
        }
        return text;
    };
    TestClient quiet = host.greeted();
    quiet.join("arena");  // nobody has one: nothing is said
    quiet.expect<wire::Joined>();
    quiet.expect<wire::Snapshot>();
    TestClient anna = host.greeted();
    anna.join_as("  Anna\x1b[2J ", "arena");
    anna.expect<wire::Joined>();
    REQUIRE(told(anna) == "1:Anna?[2J ");
    REQUIRE(told(quiet) == "1:Anna?[2J ");
    TestClient watcher = host.greeted();
    watcher.watch("arena");
    watcher.expect<wire::Watching>();
    REQUIRE(told(watcher) == "1:Anna?[2J ");
    {
        TestClient broken = host.greeted();
        broken.join_as("\xff\xfe", "arena");
        broken.expect<wire::Joined>();
        REQUIRE(told(broken) == "1:Anna?[2J 2:?? ");
        REQUIRE(told(watcher) == "1:Anna?[2J 2:?? ");
        broken.leave();
        broken.expect<wire::Left>();
    }
    REQUIRE(told(watcher) == "1:Anna?[2J ");
    REQUIRE(told(anna) == "1:Anna?[2J 2:?? ");
    REQUIRE(told(anna) == "1:Anna?[2J ");
    anna.leave();
    anna.expect<wire::Left>();
    REQUIRE(told(quiet) == "1:Anna?[2J 2:?? ");
    REQUIRE(told(quiet) == "1:Anna?[2J ");
    REQUIRE(told(quiet).empty());
    REQUIRE(host.stop() == 0);
}

TEST_CASE("front: two clients creating the same name meet", "[net][front]") {
    TestHost host;
    TestClient first = host.greeted();
    TestClient second = host.greeted();
    first.join("meet", JoinMode::join_or_create, "\x02");
    second.join("meet", JoinMode::join_or_create, "\x02");
    const auto sum = first.expect<wire::Joined>().seat() + second.expect<wire::Joined>().seat();
    REQUIRE(sum == 1);
    first.input(1, one);
    read_until_sum(second, 1);

    TestClient third = host.greeted();
    third.join("meet");
    REQUIRE(third.expect<wire::Refused>().reason() == static_cast<int>(RefuseReason::full));
    third.join("meet", JoinMode::create_only);
    REQUIRE(third.expect<wire::Refused>().reason() == static_cast<int>(RefuseReason::name_taken));
    third.join("nowhere", JoinMode::join_only);
    REQUIRE(third.expect<wire::Refused>().reason() == static_cast<int>(RefuseReason::no_such_game));
    third.join("../etc");
    REQUIRE(third.expect<wire::Refused>().reason() == static_cast<int>(RefuseReason::bad_name));
}

TEST_CASE("front: who disconnects gives the seat back", "[net][front]") {
    TestHost host;
    TestClient watcher = host.greeted();
    {
        TestClient player = host.greeted();
        player.join("brief");
        (void)player.expect<wire::Joined>();
        watcher.watch("brief");
        (void)watcher.expect<wire::Watching>();
    }
    while (view_of(watcher.expect<wire::Snapshot>()).players != 0) {
    }
}

TEST_CASE("front: a lost connection's seat is gone on with by whoever has the token",
          "[net][front]") {
    struct Credentials {
        std::uint64_t session;
        std::string token;
    };
    const auto greet = [](TestClient& client) {
        client.hello();
        const auto& welcome = client.expect<wire::Welcome>();
        REQUIRE(welcome.resume_grace_ms() == 3'600'000);
        REQUIRE(welcome.token()->size() == 16);
        return Credentials{welcome.session(), {welcome.token()->begin(), welcome.token()->end()}};
    };
    const auto refused = [](TestClient& client) {
        return static_cast<RefuseReason>(client.expect<wire::Refused>().reason());
    };
    FrontOptions options;
    options.resume_grace = std::chrono::hours(1);
    TestHost host(options);
    TestClient watcher = host.greeted();
    Credentials first;
    std::uint8_t seat = 0;
    {
        TestClient other = host.greeted();
        other.join("kept");
        (void)other.expect<wire::Joined>();
        watcher.watch("kept");
        (void)watcher.expect<wire::Watching>();
        TestClient lost = host.connect();
        first = greet(lost);
        lost.join("kept");
        seat = lost.expect<wire::Joined>().seat();
        lost.input(1, one);
        lost.input(2, one);
        read_until_sum(lost, 2);
    }
    TestClient back = host.connect();
    const Credentials second = greet(back);
    REQUIRE(second.token != first.token);
    back.resume("kept", first.session, second.token);
    REQUIRE(refused(back) == RefuseReason::no_such_session);
    back.resume("kept", first.session + 1, first.token);
    REQUIRE(refused(back) == RefuseReason::no_such_session);
    back.resume("kept", first.session, first.token.substr(1));
    REQUIRE(refused(back) == RefuseReason::no_such_session);
    back.resume("other", first.session, first.token);
    REQUIRE(refused(back) == RefuseReason::no_such_game);
    back.resume("kept", first.session, first.token);
    const auto& joined = back.expect<wire::Joined>();
    REQUIRE(joined.seat() == seat);
    REQUIRE(joined.last_input() == 2);
    back.input(2, one);  // sent again
    back.input(3, one);
    REQUIRE(read_until_sum(back, 3) > 0);
    REQUIRE(read_until_sum(watcher, 3) > 0);

    TestClient again = host.connect();  // while the connection before still lives
    (void)greet(again);
    again.resume("kept", first.session, first.token);  // good for one connection
    REQUIRE(refused(again) == RefuseReason::no_such_session);
    again.resume("kept", second.session, second.token);
    again.input(4, one);  // held until it is let in
    REQUIRE(again.expect<wire::Joined>().last_input() == 3);
    REQUIRE(back.expect<wire::Left>().reason() == static_cast<int>(LeaveReason::moved));
    back.input(4, one);  // of a link that has been left
    back.ping(1);
    (void)back.expect<wire::Pong>();
    again.input(5, one);
    std::uint64_t sum = 0;
    while (sum < 5) {
        sum = view_of(again.expect<wire::Snapshot>()).sum;
    }
    REQUIRE(sum == 5);
}

TEST_CASE("front: who crashes a game is told, and plays on", "[net][front][crash]") {
    TestHost host;
    TestClient player = host.greeted();
    player.join("alpha");
    (void)player.expect<wire::Joined>();
    player.input(1, static_cast<std::uint8_t>(CounterInput::crash));
    player.input(2, one);
    const auto& notice = player.expect<wire::Notice>();
    CHECK(notice.code() == static_cast<std::uint16_t>(wire::NoticeCode::input_dropped));
    player.input(3, one);
    read_until_sum(player, 2);
}

TEST_CASE("front: an ended game sends its last snapshot, then Left; its name is free again",
          "[net][front]") {
    TestHost host;
    TestClient player = host.greeted();
    TestClient watcher = host.greeted();
    player.join("final");
    (void)player.expect<wire::Joined>();
    watcher.watch("final");
    (void)watcher.expect<wire::Watching>();
    player.input(1, static_cast<std::uint8_t>(CounterInput::end));
    for (TestClient* client : {&player, &watcher}) {
        while (view_of(client->expect<wire::Snapshot>()).ended == 0) {
        }
        const auto* last = client->next();
        REQUIRE(last != nullptr);
        REQUIRE(last->message_type() == wire::HostMessage::Left);
    }
    player.join("final");
    (void)player.expect<wire::Joined>();
    REQUIRE(view_of(player.expect<wire::Snapshot>()).sum == 0);
}

TEST_CASE("front: a join into a game that is ending finds the next one", "[net][front]") {
    TestHost host;
    for (int round = 0; round < 10; ++round) {
        TestClient first = host.greeted();
        TestClient second = host.greeted();
        first.join("ending");
        (void)first.expect<wire::Joined>();
        first.input(1, static_cast<std::uint8_t>(CounterInput::end));
        second.join("ending");
        const auto* answer = second.next();
        REQUIRE(answer != nullptr);
        REQUIRE(answer->message_type() == wire::HostMessage::Joined);
    }
}

TEST_CASE("front: lists come in name order, by prefix and in pages", "[net][front]") {
    TestHost host;
    std::vector<TestClient> players;
    for (const char* name : {"b2", "a1", "b1", "b3"}) {
        players.push_back(host.greeted());
        players.back().join(name);
        (void)players.back().expect<wire::Joined>();
    }
    TestClient client = host.greeted();
    client.list();
    const auto& all = client.expect<wire::Games>();
    REQUIRE(all.games()->size() == 4);
    REQUIRE(all.games()->Get(0)->name()->str() == "a1");
    REQUIRE_FALSE(all.more());
    client.list("b", "", 2);
    const auto& page = client.expect<wire::Games>();
    REQUIRE(page.games()->size() == 2);
    REQUIRE(page.games()->Get(0)->name()->str() == "b1");
    REQUIRE(page.more());
    client.list("b", "b2", 2);
    const auto& last = client.expect<wire::Games>();
    REQUIRE(last.games()->size() == 1);
    REQUIRE(last.games()->Get(0)->name()->str() == "b3");
    REQUIRE_FALSE(last.more());
}

TEST_CASE("front: bad input gets an Error with a code, and the others play on", "[net][front]") {
    FrontOptions options;
    options.handshake_timeout = std::chrono::milliseconds(100);
    options.messages_per_second_max = 50;
    TestHost host(options);
    TestClient player = host.greeted();
    player.join("steady");
    (void)player.expect<wire::Joined>();
    TestClient client = host.connect();
    using namespace std::string_literals;
    SECTION("garbage") {
        client.raw("\x08\0\0\0garbage!"s);
        REQUIRE(client.expect_error() == ErrorCode::malformed);
    }
    SECTION("an empty message") {
        client.raw("\0\0\0\0"s);
        REQUIRE(client.expect_error() == ErrorCode::malformed);
    }
    SECTION("an oversized message") {
        client.raw("\x01\x04\0\0"s + std::string(3000, 'x'));
        REQUIRE(client.expect_error() == ErrorCode::message_too_large);
    }
    SECTION("another version") {
        client.hello(99);
        REQUIRE(client.expect_error() == ErrorCode::version);
    }
    SECTION("silence") {
        REQUIRE(client.expect_error() == ErrorCode::handshake_timeout);
    }
    SECTION("a truncated message, then silence") {
        client.raw("\x20\0\0\0half"s);
        REQUIRE(client.expect_error() == ErrorCode::handshake_timeout);
    }
    SECTION("no Hello") {
        client.ping(1);
        REQUIRE(client.expect_error() == ErrorCode::out_of_order);
    }
    SECTION("a gap in the inputs") {
        client.hello();
        (void)client.expect<wire::Welcome>();
        client.join("steady");
        (void)client.expect<wire::Joined>();
        client.input(2, one);
        REQUIRE(client.expect_error() == ErrorCode::out_of_order);
    }
    SECTION("too many messages") {
        client.hello();
        (void)client.expect<wire::Welcome>();
        for (int i = 0; i < 60; ++i) {
            client.leave();  // the first one is out of order
        }
        REQUIRE(client.expect_error() == ErrorCode::out_of_order);
        TestClient hasty = host.greeted();
        for (int i = 0; i < 60; ++i) {
            hasty.ping(1);
        }
        for (const auto* root = hasty.next(); root != nullptr; root = hasty.next()) {
            if (root->message_type() == wire::HostMessage::Error) {
                REQUIRE(root->message_as_Error()->code() == static_cast<int>(ErrorCode::rate));
            }
        }
    }
    SECTION("TLS") {
        client.raw("\x16\x03\x01\x02\0"s);
        REQUIRE(client.rest().empty());
    }
    player.input(1, one);
    read_until_sum(player, 1);
}

TEST_CASE("front: beyond the most connections a client is told to come back", "[net][front]") {
    FrontOptions options;
    options.connections_max = 1;
    TestHost host(options);
    TestClient first = host.greeted();
    TestClient second = host.connect();
    REQUIRE(second.expect_error() == ErrorCode::busy);
}

TEST_CASE("front: one address has no more than its connections and games", "[net][front]") {
    FrontOptions options;
    options.connections_per_address_max = 2;
    options.limit_own_address = true;
    TestHost host(options);
    TestClient player = host.greeted();
    {
        TestClient other = host.greeted();
        REQUIRE(host.connect().expect_error() == ErrorCode::busy);
        player.join("first");
        (void)player.expect<wire::Joined>();
        other.join("second");
        const auto& refused = other.expect<wire::Refused>();
        CHECK(refused.reason() == static_cast<int>(RefuseReason::no_room));
        CHECK(refused.text()->str().find("one address") != std::string::npos);
        other.join("first");  // somebody else's is no game more
        (void)other.expect<wire::Joined>();
    }
    // As soon as the front has seen the other one go there is room again.
    for (;;) {
        TestClient next = host.connect();
        next.hello();
        const auto* root = next.next();
        REQUIRE(root != nullptr);
        if (root->message_as_Welcome() != nullptr) {
            break;
        }
        REQUIRE(root->message_as_Error()->code() == static_cast<int>(ErrorCode::busy));
    }
}

TEST_CASE("front: who is in no game and asks for nothing is closed", "[net][front]") {
    FrontOptions options;
    options.idle_timeout = std::chrono::milliseconds(200);
    TestHost host(options);
    TestClient player = host.greeted();
    player.join("quiet");
    (void)player.expect<wire::Joined>();
    REQUIRE(host.greeted().expect_error() == ErrorCode::idle);
    REQUIRE(host.greeted().expect_error() == ErrorCode::idle);
    player.ping(1);  // silent all the time, but in a game
    (void)player.expect<wire::Pong>();
    player.leave();
    (void)player.expect<wire::Left>();
    REQUIRE(player.expect_error() == ErrorCode::idle);
}

TEST_CASE("peer address: IPv4, mapped or not, an IPv6 network, or nobody", "[net]") {
    const auto peer_of_connection = [](int family, const sockaddr* bound, socklen_t bytes,
                                       const sockaddr_in* other = nullptr) {
        const int listening = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        REQUIRE(bind(listening, bound, bytes) == 0);
        REQUIRE(listen(listening, 1) == 0);
        sockaddr_in6 address{};
        socklen_t size = sizeof address;
        REQUIRE(getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size) == 0);
        sockaddr_in v4 = other != nullptr ? *other : sockaddr_in{};
        v4.sin_port = address.sin6_port;
        const int client =
            socket(other != nullptr ? AF_INET : family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const auto* to = other != nullptr ? reinterpret_cast<const sockaddr*>(&v4)
                                          : reinterpret_cast<const sockaddr*>(&address);
        REQUIRE(connect(client, to, other != nullptr ? sizeof v4 : size) == 0);
        const int accepted = accept(listening, nullptr, nullptr);
        const PeerAddress peer = peer_address_of(accepted);
        for (const int fd : {listening, client, accepted}) {
            close(fd);
        }
        return peer;
    };
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const PeerAddress plain =
        peer_of_connection(AF_INET, reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
    CHECK(is_loopback(plain));
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    CHECK(peer_of_connection(AF_INET6, reinterpret_cast<const sockaddr*>(&any), sizeof any, &v4) ==
          plain);
    any.sin6_addr = in6addr_loopback;
    CHECK(peer_of_connection(AF_INET6, reinterpret_cast<const sockaddr*>(&any), sizeof any) ==
          plain);
    int pair[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    CHECK(peer_address_of(pair[0]) == PeerAddress::none);
    close(pair[0]);
    close(pair[1]);
    CHECK_FALSE(is_loopback(PeerAddress{0x2001'0db8'0000'0000}));
}

TEST_CASE("peer address: what is printed is read back", "[net]") {
    const auto printed = [](const char* typed) {
        const auto address = parse_peer_address(typed);
        REQUIRE(address.has_value());
        CHECK(parse_peer_address(text_of(*address)) == address);
        return text_of(*address);
    };
    CHECK(printed("203.0.113.7") == "203.0.113.7");
    CHECK(printed("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
    CHECK(printed("2001:db8:1:2::/64") == "2001:db8:1:2::/64");
    CHECK(printed("::ffff:10.0.0.1") == "10.0.0.1");
    CHECK(printed("::1") == "127.0.0.1");
    for (const char* wrong : {"", "unix", "10.0.0", "10.0.0.1/24", "10.0.0.1/64", "2001:db8::/32",
                              "example.org", "::1 ", "::"}) {
        CHECK_FALSE(parse_peer_address(wrong).has_value());
    }
}

TEST_CASE("front: a slow reader gets fewer snapshots, but the newest", "[net][front]") {
    FrontOptions options;
    options.messages_per_second_max = 1'000'000;
    TestHost host(options);
    TestClient player = host.greeted();
    player.join("busy");
    (void)player.expect<wire::Joined>();
    TestClient watcher = host.greeted();
    watcher.watch("busy");
    (void)watcher.expect<wire::Watching>();
    constexpr std::uint32_t rounds = 2'000;
    for (std::uint32_t number = 1; number <= rounds; ++number) {
        player.input(number, one);  // each is answered before the next: a snapshot each
        read_until_sum(player, number);
    }
    REQUIRE(read_until_sum(watcher, rounds) < rounds / 2);
}

TEST_CASE("front: a crowd gets a view in several turns, and its end in order", "[net][front]") {
    TestHost host;
    TestClient player = host.greeted();
    player.join("crowded");
    (void)player.expect<wire::Joined>();
    std::vector<TestClient> watchers;
    for (int i = 0; i < 600; ++i) {  // more than two turns start sends for
        watchers.push_back(host.greeted());
        watchers.back().watch("crowded");
        (void)watchers.back().expect<wire::Watching>();
    }
    player.input(1, one);
    for (TestClient& watcher : watchers) {
        read_until_sum(watcher, 1);
    }
    for (int i = 0; i < 100; ++i) {
        watchers.pop_back();  // without a word
    }
    player.input(2, one);
    player.input(3, static_cast<std::uint8_t>(CounterInput::end));
    for (TestClient& watcher : watchers) {
        read_until_sum(watcher, 2);  // the last view, however it is told, then the end
        REQUIRE(watcher.expect<wire::Left>().reason() ==
                static_cast<std::uint16_t>(LeaveReason::game_ended));
    }
}

TEST_CASE("front: who never reads is closed, and the others play on", "[net][front]") {
    FrontOptions options;
    options.messages_per_second_max = 1'000'000;
    options.stall_timeout = std::chrono::milliseconds(200);
    TestHost host(options);
    TestClient player = host.greeted();
    player.join("calm");
    (void)player.expect<wire::Joined>();
    TestClient deaf = host.greeted();
    for (std::uint64_t nonce = 0; nonce < 500'000; ++nonce) {
        deaf.ping(nonce);  // ends early: the front closes, or resets
    }
    player.input(1, one);
    read_until_sum(player, 1);
    std::size_t pongs = 0;
    while (const auto* root = deaf.next()) {
        pongs += root->message_type() == wire::HostMessage::Pong ? 1u : 0u;
    }
    REQUIRE(pongs < 500'000);
}

TEST_CASE("front: no input is lost or applied twice when the ring is full", "[net][front]") {
    FrontOptions options;
    options.messages_per_second_max = 1'000'000;
    TestHost host(options);
    TestClient player = host.greeted();
    player.join("flood");
    constexpr std::uint32_t inputs = 20'000;  // 40 B each: a hundred times the ring
    for (std::uint32_t number = 1; number <= inputs; ++number) {
        player.input(number, one);
    }
    (void)player.expect<wire::Joined>();
    for (;;) {
        const auto& snapshot = player.expect<wire::Snapshot>();
        REQUIRE(view_of(snapshot).sum == snapshot.seats()->Get(0)->number());
        if (snapshot.seats()->Get(0)->number() == inputs) {
            break;
        }
    }
}

namespace {

/// Follows a game by whatever the front sends.
struct Follower {
    CounterView view{};
    std::uint64_t tick = 0;
    std::uint32_t own_input = 0;  // last one of seat 0 that the view has
    std::size_t snapshots = 0;
    std::size_t deltas = 0;

    void take(const wire::FromHost& message) {
        if (const auto* snapshot = message.message_as_Snapshot()) {
            ++snapshots;
            view = view_of(*snapshot);
            tick = snapshot->tick();
            note(snapshot->seats());
        } else if (const auto* delta = message.message_as_Delta()) {
            ++deltas;
            CounterDelta added;
            REQUIRE(snapshots > 0);
            REQUIRE(delta->bytes()->size() == sizeof added);
            std::memcpy(&added, delta->bytes()->data(), sizeof added);
            view.sum += added.sum_added;
            view.ticks += added.ticks_added;
            tick += static_cast<std::uint16_t>(delta->tick() - static_cast<std::uint16_t>(tick));
            note(delta->seats());
        }
        REQUIRE(view.ticks == tick);  // the counter counts its own
    }

    void note(const flatbuffers::Vector<const wire::SeatInput*>* seats) {
        for (std::uint32_t i = 0; seats != nullptr && i < seats->size(); ++i) {
            own_input = seats->Get(i)->seat() == 0 ? seats->Get(i)->number() : own_input;
        }
    }
};

}  // namespace

TEST_CASE("front: deltas make the same views as snapshots, for players, watchers and the slow",
          "[net][front][delta]") {
    FrontOptions options;
    options.messages_per_second_max = 1'000'000;
    TestHost host(options);
    TestClient player = host.connect();
    player.hello(wire::protocol_version, true);
    (void)player.expect<wire::Welcome>();
    player.join("changes");
    (void)player.expect<wire::Joined>();
    player.input(1, static_cast<std::uint8_t>(CounterInput::run));

    Follower followed;
    std::uint64_t sent_sum = static_cast<std::uint64_t>(CounterInput::run);
    std::uint32_t number = 1;
    const auto follow_for = [&](std::size_t messages) {
        for (std::size_t i = 0; i < messages; ++i) {
            followed.take(*player.next());
            player.input(++number, one);
            sent_sum += one;
        }
    };
    follow_for(50);
    REQUIRE(followed.deltas > 30);

    // A newcomer gets a whole view although the others need none, also of a game that has parked.
    TestClient watcher = host.connect();
    watcher.hello(wire::protocol_version, true);
    (void)watcher.expect<wire::Welcome>();
    watcher.watch("changes");
    (void)watcher.expect<wire::Watching>();
    Follower watched;
    watched.take(*watcher.next());
    REQUIRE(watched.snapshots == 1);

    // It sleeps while more is said than its socket holds: what it missed comes as a whole view.
    follow_for(400);
    player.input(++number, static_cast<std::uint8_t>(CounterInput::park));
    sent_sum += static_cast<std::uint64_t>(CounterInput::park);
    while (followed.own_input < number) {
        followed.take(*player.next());
    }
    REQUIRE(followed.view.sum == sent_sum);
    while (watched.own_input < number) {
        watched.take(*watcher.next());
    }
    REQUIRE(watched.view.sum == sent_sum);
    REQUIRE(watched.deltas > 0);
    REQUIRE(watched.snapshots > 1);

    TestClient late = host.connect();
    late.hello(wire::protocol_version, true);
    (void)late.expect<wire::Welcome>();
    late.watch("changes");
    (void)late.expect<wire::Watching>();
    REQUIRE(view_of(late.expect<wire::Snapshot>()).sum == sent_sum);
    REQUIRE(host.stop() == 0);
}

TEST_CASE("front: what one sends through a relay, all see at once", "[net][front][relay]") {
    TestHost host;
    TestClient first = host.greeted();
    TestClient second = host.greeted();
    for (TestClient* client : {&first, &second}) {
        client->join("meeting", JoinMode::join_or_create, {}, {}, "relay");
        (void)client->expect<wire::Joined>();
    }
    for (std::uint32_t number = 1; number <= 100; ++number) {
        (number % 2 == 0 ? first : second)
            .input((number + 1) / 2, static_cast<std::uint8_t>(number));
        for (TestClient* client : {&first, &second}) {
            for (;;) {  // both joins were told too
                const auto& snapshot = client->expect<wire::Snapshot>();
                const auto view = relay::decode_view(
                    std::as_bytes(std::span(snapshot.view()->data(), snapshot.view()->size())));
                REQUIRE(view.has_value());
                if (view->count == number) {
                    REQUIRE(view->events.back().bytes[0] == std::byte(number));
                    REQUIRE(view->events.back().seat == number % 2);
                    break;
                }
            }
        }
    }
    REQUIRE(host.stop() == 0);
}

TEST_CASE("front: when the host stops, clients are told", "[net][front]") {
    TestHost host;
    TestClient player = host.greeted();
    TestClient idle = host.greeted();
    player.join("last");
    (void)player.expect<wire::Joined>();
    host.ask_to_stop();
    (void)player.expect<wire::Left>();
    REQUIRE(player.expect_error() == ErrorCode::stopping);
    REQUIRE(idle.expect_error() == ErrorCode::stopping);
    REQUIRE(host.stop() == 0);
}

TEST_CASE("peer address: ranges", "[net]") {
    const auto in_range = [](const char* range, const char* address) {
        const auto parsed = parse_address_range(range);
        REQUIRE(parsed.has_value());
        const auto peer = parse_peer_address(address);
        return parsed->contains(peer ? *peer : PeerAddress::none);
    };
    CHECK(in_range("10.0.0.0/8", "10.255.3.4"));
    CHECK(in_range("10.1.2.3/8", "10.255.3.4"));  // whatever stands behind the 8 bits
    CHECK_FALSE(in_range("10.0.0.0/8", "11.0.0.1"));
    CHECK(in_range("0.0.0.0/0", "203.0.113.9"));
    CHECK_FALSE(in_range("0.0.0.0/0", "2001:db8::1"));
    CHECK(in_range("203.0.113.9", "203.0.113.9"));
    CHECK_FALSE(in_range("203.0.113.9", "203.0.113.8"));
    CHECK(in_range("127.0.0.0/8", "::1"));
    CHECK(in_range("2001:db8::/32", "2001:db8:ffff::1"));
    CHECK_FALSE(in_range("2001:db8::/32", "2001:db9::1"));
    CHECK(in_range("2001:db8:1:2::/64", "2001:db8:1:2:3::"));
    CHECK(in_range("unix", "a socket has none"));
    CHECK_FALSE(in_range("unix", "10.0.0.1"));
    for (const char* wrong : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/8x", "10.0.0.0/-1",
                              "2001:db8::/65", "example.org", "10.0.0.0/8/8"}) {
        CHECK_FALSE(parse_address_range(wrong).has_value());
    }
}

TEST_CASE("peer address: whom a proxy speaks for", "[net]") {
    const std::vector<AddressRange> proxies{*parse_address_range("10.0.0.0/8"),
                                            *parse_address_range("127.0.0.0/8")};
    const auto client_of = [&](std::string_view header) {
        const auto peer = forwarded_peer(header, proxies);
        return peer ? text_of(*peer) : "";
    };
    CHECK(client_of("203.0.113.9") == "203.0.113.9");
    CHECK(client_of("198.51.100.1, 203.0.113.9") == "203.0.113.9");  // the first may be a lie
    CHECK(client_of("203.0.113.9, 10.1.1.1 ,\t127.0.0.1") == "203.0.113.9");
    CHECK(client_of("2001:db8::1:2") == "2001:db8::/64");
    CHECK(client_of("") == "");
    CHECK(client_of("10.1.1.1") == "");
    CHECK(client_of("unknown, 10.1.1.1") == "");
    CHECK(client_of(", ,") == "");
    CHECK(client_of("203.0.113.9, nonsense") == "");
}
