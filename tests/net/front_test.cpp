// A real host with a real front, driven by clients over real sockets.

#include "ringside/net/front.hpp"

#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "counter_client.hpp"
#include "counter_game.hpp"
#include "test_client.hpp"
#include "test_host.hpp"

#include "ringside/core/limits.hpp"
#include "ringside/net/peer_address.hpp"

using namespace ringside;
using namespace ringside::test;
using wire::ErrorCode;
using wire::JoinMode;

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
    TestClient silent = host.connect();
    TestClient second = host.connect();
    second.hello();
    REQUIRE(second.expect_error() == ErrorCode::busy);
    REQUIRE(silent.expect_error() == ErrorCode::busy);
    first.ping(1);
    REQUIRE(first.expect<wire::Pong>().nonce() == 1);
}

TEST_CASE("front: who floods it from one address is told nothing in the end", "[net][front]") {
    FrontOptions options;
    options.connections_per_address_max = 1;
    options.limit_own_address = true;
    TestHost host(options);
    TestClient player = host.greeted();
    std::vector<TestClient> flood;
    for (int i = 0; i < 300; ++i) {
        flood.push_back(host.connect());
    }
    int told = 0;
    for (TestClient& client : flood) {
        if (const auto* root = client.next(); root != nullptr) {
            REQUIRE(root->message_as_Error() != nullptr);
            REQUIRE(root->message_as_Error()->code() == static_cast<int>(ErrorCode::busy));
            ++told;
        }
    }
    CHECK(told > 0);
    CHECK(told < 300);
    player.ping(1);
    REQUIRE(player.expect<wire::Pong>().nonce() == 1);
    REQUIRE(host.stop() == 0);
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
