// `ringside play` in real terminals: what a player sees, and what the terminal is like afterwards.

#include "tmux.hpp"

#include <csignal>
#include <filesystem>
#include <string>

#include <catch2/catch.hpp>

#include "program.hpp"
#include "served_host.hpp"
#include "tests/ipc/process_watch.hpp"

using namespace ringside;
using namespace ringside::test;

namespace {

// The grid is so high that driving straight on takes longer than looking at two screens.
constexpr Size terminal{90, 61};

std::string play_command(const ServedHost& host, const std::string& game) {
    return "$R play -A 127.0.0.1 -P " + host.port() + " -N 2 -W 60 -H 60 -G " + game;
}

/// Starts it in both terminals and returns when both wait on the ready screen.
void sit_down(const ServedHost& host, const Pane& first, const Pane& second) {
    first.enter(play_command(host, "duel"));
    first.expect("waiting for 1 more player");
    second.enter(play_command(host, "duel"));
    for (const Pane* pane : {&first, &second}) {
        pane->expect("2/2");
        pane->expect("press i when you are ready");
    }
}

void get_ready(const Pane& first, const Pane& second) {
    first.type("i");
    first.expect("ready! esc takes it back");
    second.type("i");
    first.expect("get ready");
    second.expect("██");  // the countdown's digits
    second.expect("racing");
    first.expect("racing");
}

/// The first player lays walls and turns into them, while the second drives straight on.
void crash(const Pane& first) {
    first.type("i");
    first.expect("-- INSERT --");
    std::size_t turns = 0;
    REQUIRE(eventually([&] {
        first.type(std::string(1, "ljhk"[turns++ % 4]));
        return first.shows("game over");
    }));
}

}  // namespace

TEST_CASE("play: a match between two terminals, and a third is refused", "[e2e][tmux]") {
    const NothingLeft nothing_left;
    ServedHost host;
    const Tmux tmux;
    const Pane first(tmux, "first", terminal);
    const Pane second(tmux, "second", terminal);
    const Pane third(tmux, "third", terminal);

    first.enter(play_command(host, "duel"));
    first.expect("RINGSIDE TRON");
    first.expect("lay walls");  // the key help
    first.expect("waiting for 1 more player");
    first.expect("friends join with:");
    first.expect("-G duel");
    first.expect("player 1 (blue)  waiting  1/2");
    second.enter(play_command(host, "duel") + " --nick 'Zo\u00eb'");
    second.expect("Zo\u00eb (orange)  waiting  2/2");
    second.expect("you, Zo\u00eb: not ready");
    first.expect("Zo\u00eb: not ready");

    third.enter("$R list -P " + host.port());
    third.expect("duel");
    third.expect("2/2");
    third.expect("60x60");
    third.enter("clear");
    third.enter(play_command(host, "duel"));
    third.expect("the game is full");
    third.expect_restored(1);

    // A terminal that is too small says so; its player still plays.
    first.resize({40, 20});
    first.expect("this game needs 60 x 61");
    first.expect("the terminal has 40 x 20");
    first.type("i");
    second.expect("player 1: ready");
    first.resize(terminal);
    first.expect("ready! esc takes it back");
    first.key("Escape");
    first.expect("press i when you are ready");
    get_ready(first, second);

    // Somebody wins sooner or later: when both crash in the same moment nobody does.
    bool won = false;
    for (int round = 1; round <= 2 || !won; ++round) {
        INFO("round " << round);
        REQUIRE(round <= 6);
        if (round > 1) {
            first.expect("press i to play again, q to quit");
            get_ready(first, second);
        }
        crash(first);
        second.expect("game over");
        const bool first_won = first.shows("You won!");
        const bool second_won = second.shows("You won!");
        CHECK_FALSE((first_won && second_won));
        if (first_won) {
            second.expect("Game over: player 1 won");
        } else if (second_won) {
            first.expect("Game over: Zo\u00eb won");
        } else {
            first.expect("nobody won");
        }
        won = won || first_won || second_won;
    }
    first.expect("press i to play again, q to quit");

    const bool second_stays = second.shows("You won!");
    first.type("q");
    first.expect_restored(0);
    // Who is left stays as the winner; one who has crashed too does not keep the game alive.
    if (second_stays) {
        second.expect("1/2");
        second.type("q");
    } else {
        second.expect("the game has ended");
    }
    second.expect_restored(0);
    CHECK(eventually([&] { return list_games(host.port()).empty(); }));
    CHECK(host.stop() == 0);
}

TEST_CASE("play: a signal to a player restores the terminal", "[e2e][tmux]") {
    const NothingLeft nothing_left;
    ServedHost host;
    const Tmux tmux;
    const Pane first(tmux, "first", terminal);
    const Pane second(tmux, "second", terminal);
    sit_down(host, first, second);
    get_ready(first, second);
    kill(first.program(), SIGTERM);
    first.expect_restored(0);
    second.expect("1/2");  // the seat is free at once
    second.key("C-c");
    second.expect_restored(0);
    CHECK(host.stop() == 0);
}

TEST_CASE("play: when the host goes the players are told and back in their shells", "[e2e][tmux]") {
    const NothingLeft nothing_left;
    ServedHost host;
    const Tmux tmux;
    const Pane first(tmux, "first", terminal);
    const Pane second(tmux, "second", terminal);
    sit_down(host, first, second);
    SECTION("stopped") {
        CHECK(host.stop() == 0);
        for (const Pane* pane : {&first, &second}) {
            pane->expect("the host was stopped");
            pane->expect_restored(1);
        }
    }
    SECTION("killed") {
        host.program().signal(SIGKILL);
        CHECK(host.program().wait() == -SIGKILL);
        for (const Pane* pane : {&first, &second}) {
            pane->expect("connection lost");
            pane->expect_restored(1);
        }
        ServedHost cleaner({}, host.instance());  // takes the directory over
        CHECK(cleaner.stop() == 0);
    }
}

TEST_CASE("play: practice brings its own host and takes it away", "[e2e][tmux]") {
    const NothingLeft nothing_left;
    const Tmux tmux;
    const Pane pane(tmux, "practice", terminal);
    pane.enter("$R");
    pane.expect("RINGSIDE TRON");
    const pid_t program = pane.program();
    const std::string directory = instance_directory("private-" + std::to_string(program));
    CHECK(std::filesystem::exists(directory));
    SECTION("on quitting") {
        pane.type("i");
        pane.expect("get ready");
        pane.type("q");
        pane.expect_restored(0);
    }
    SECTION("on being killed") {
        kill(program, SIGKILL);
        wait_until_gone(program);
    }
    CHECK(eventually([&] { return !std::filesystem::exists(directory); }));
}
