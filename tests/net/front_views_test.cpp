// How a game's snapshots and deltas reach clients that are slow, late, many or only watch.

#include <chrono>
#include <cstring>
#include <span>
#include <vector>

#include <catch2/catch.hpp>

#include "counter_client.hpp"
#include "counter_game.hpp"
#include "test_client.hpp"
#include "test_host.hpp"

#include "ringside/net/front.hpp"
#include "ringside/relay/relay.hpp"

using namespace ringside;
using namespace ringside::test;
using wire::JoinMode;

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
