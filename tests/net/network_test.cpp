// The simulated network: what it may do to a connection, and what it may not.

#include <chrono>
#include <cstring>
#include <string>

#include <catch2/catch.hpp>

#include "counter_game.hpp"
#include "test_client.hpp"
#include "test_host.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/net/network_conditions.hpp"

using namespace ringside;
using namespace std::chrono_literals;
using ringside::test::CounterInput;
using ringside::test::CounterView;
using ringside::test::TestClient;
using ringside::test::TestHost;

TEST_CASE("network: conditions are read as they are written", "[net][network]") {
    const auto all = parse_network_conditions("delay=80ms,jitter=20ms,stall=1.5%");
    REQUIRE(all.has_value());
    REQUIRE(all->delay == 80ms);
    REQUIRE(all->jitter == 20ms);
    REQUIRE(all->stall_percent == 1.5);
    REQUIRE(all->any());
    const auto one = parse_network_conditions("stall=50%");
    REQUIRE(one.has_value());
    REQUIRE(one->any());
    REQUIRE_FALSE(parse_network_conditions("delay=0ms")->any());
    for (const char* wrong :
         {"", ",", "delay", "delay=", "delay=80", "delay=80s", "delay=-1ms", "delay=10001ms",
          "delay=nanms", "delay=infms", "delay=80ms,", "delay=80ms,delay=80ms", "stall=51%",
          "stall=1ms", "jitter=1ms", "delay=10ms,jitter=11ms", "loss=1%", "delay =80ms"}) {
        INFO(wrong);
        const auto refused = parse_network_conditions(wrong);
        REQUIRE_FALSE(refused.has_value());
        REQUIRE(refused.error().message.find("delay=80ms,jitter=20ms,stall=1%") !=
                std::string::npos);
    }
}

TEST_CASE("network: nothing comes sooner than the delay allows", "[net][network]") {
    FrontOptions options;
    options.network = {.delay = 30ms, .jitter = 10ms, .stall_percent = 0};
    TestHost host(options);
    TestClient client = host.greeted();
    for (std::uint64_t nonce = 1; nonce <= 5; ++nonce) {
        const std::int64_t asked_ns = monotonic_ns();
        client.ping(nonce);
        REQUIRE(client.expect<wire::Pong>().nonce() == nonce);
        REQUIRE(monotonic_ns() - asked_ns >= std::chrono::nanoseconds(2 * (30ms - 10ms)).count());
    }
    REQUIRE(host.stop() == 0);
}

// Thousands of pieces each way, some of them "lost": whole, in order, and the end as well.
TEST_CASE("network: everything arrives, in order, to the last word", "[net][network]") {
    FrontOptions options;
    options.messages_per_second_max = 100'000;
    options.network = {.delay = 2ms, .jitter = 2ms, .stall_percent = 0.5};
    TestHost host(options);
    TestClient client = GENERATE(false, true) ? host.greeted_web() : host.greeted();
    client.join("arena");
    client.expect<wire::Joined>();
    constexpr std::uint32_t inputs = 2'000;
    for (std::uint32_t number = 1; number <= inputs; ++number) {
        client.input(number, static_cast<std::uint8_t>(CounterInput::add_one));
    }
    std::uint64_t tick = 0;
    for (CounterView view{}; view.sum < inputs;) {
        const auto& snapshot = client.expect<wire::Snapshot>();
        REQUIRE(snapshot.tick() >= tick);
        tick = snapshot.tick();
        REQUIRE(snapshot.view()->size() == sizeof view);
        std::memcpy(&view, snapshot.view()->data(), sizeof view);
    }
    TestClient wrong = host.connect();
    wrong.hello(99);
    REQUIRE(wrong.expect_error() == wire::ErrorCode::version);
    REQUIRE(wrong.next() == nullptr);
    REQUIRE(host.stop() == 0);
}

TEST_CASE("network: a client that vanishes is noticed, and the others play on", "[net][network]") {
    FrontOptions options;
    options.network = {.delay = 1ms, .jitter = 0ms, .stall_percent = 0};
    TestHost host(options);
    TestClient stays = host.greeted();
    stays.join("arena");
    stays.expect<wire::Joined>();
    {
        TestClient goes = host.greeted();
        goes.join("arena");
        goes.expect<wire::Joined>();
    }
    while (stays.expect<wire::Snapshot>().seats()->size() != 1) {
    }
    REQUIRE(host.stop() == 0);
}
