// Many matches at once, and what happens when clients want the same name in the same moment.

#include <array>
#include <csignal>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "player.hpp"
#include "program.hpp"
#include "served_host.hpp"

using namespace ringside;
using namespace ringside::test;

TEST_CASE("matches: 200 at once all come to their end", "[e2e][matches]") {
    const NothingLeft nothing_left;
    ServedHost host;
    const Outcome bots =
        run({"bot", "-P", host.port(), "--games", "200", "--players", "2", "-W", "20", "-H", "12"});
    INFO(bots.errors);
    CHECK(bots.exit_code == 0);
    CHECK(bots.output == "200 matches: 200 finished, 0 failed\n");
    // Their processes go by themselves, without the host's end.
    CHECK(eventually([&] { return list_games(host.port()).empty(); }));
    CHECK(host.stop() == 0);
    CHECK(host.program().errors().empty());
}

TEST_CASE("matches: two who create the same name at once meet", "[e2e][matches]") {
    const NothingLeft nothing_left;
    const std::string fronts = GENERATE("1", "2");  // with two, the host may see them the other way
    ServedHost host({"--fronts", fronts});
    for (int round = 0; round < 100; ++round) {
        const std::string game = "meeting-" + std::to_string(round);
        Player first(host.endpoint());
        Player second(host.endpoint());
        first.ask(game, {.seats = 2});
        second.ask(game, {.seats = 2});
        const auto first_seat = first.answer().seat;
        const auto second_seat = second.answer().seat;
        REQUIRE(first_seat.has_value());
        REQUIRE(second_seat.has_value());
        REQUIRE(*first_seat + *second_seat == 1);
        // In one game, not in two of the same name.
        watch_until(first, [](const tron::View& view) { return view.cycles.size() == 2; });
        watch_until(second, [](const tron::View& view) { return view.cycles.size() == 2; });
    }
    CHECK(host.stop() == 0);
}

TEST_CASE("matches: a join into a game that is just ending is answered", "[e2e][matches]") {
    const NothingLeft nothing_left;
    const std::string fronts = GENERATE("1", "2");
    // With two seats there is always one. With one, the old game is full while the leaver is in it:
    // also a right answer, and who asks again once the leaver is out gets in.
    const std::uint8_t seats = GENERATE(std::uint8_t{1}, std::uint8_t{2});
    // Rounds are short: two players who ask again after each "full" are beyond the usual rate.
    ServedHost host({"--fronts", fronts, "--messages-per-second", "1000000"});
    std::array<Player, 2> players{Player(host.endpoint()), Player(host.endpoint())};
    REQUIRE(players[0].join("relay", {.seats = seats}).seat.has_value());
    for (std::size_t round = 0; round < 200; ++round) {
        Player& leaver = players[round % 2];
        Player& joiner = players[(round + 1) % 2];
        INFO("round " << round);
        if (round % 3 == 0) {
            joiner.ask("relay", {.seats = seats});
            leaver.leave();
        } else {
            leaver.leave();
            joiner.ask("relay", {.seats = seats});
        }
        auto answer = joiner.answer();
        REQUIRE(leaver.left() == LeaveReason::left);
        if (!answer.seat && seats == 1) {
            REQUIRE(answer.reason == RefuseReason::full);
            answer = joiner.join("relay", {.seats = seats});
        }
        REQUIRE(answer.seat.has_value());
    }
    CHECK(host.stop() == 0);
}

TEST_CASE("matches: leaving with the connection frees the name as well", "[e2e][matches]") {
    const NothingLeft nothing_left;
    ServedHost host({"--resume-grace", "0"});
    for (int round = 0; round < 50; ++round) {
        {  // gone without a word, and its seat with it; two seats, so that it is never full
            Player leaver(host.endpoint());
            REQUIRE(leaver.join("dropped", {.seats = 2}).seat.has_value());
        }
        Player joiner(host.endpoint());
        REQUIRE(joiner.join("dropped", {.seats = 2}).seat.has_value());
    }
    CHECK(host.stop() == 0);
}
