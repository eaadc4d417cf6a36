// `ringside top` in a real terminal.

#include <csignal>
#include <string>

#include <catch2/catch.hpp>

#include "player.hpp"
#include "program.hpp"
#include "served_host.hpp"
#include "tests/ipc/process_watch.hpp"
#include "tmux.hpp"

using namespace ringside;
using namespace ringside::test;

namespace {
constexpr Size terminal{80, 24};

std::string top_command(const ServedHost& host) {
    return "$R top --instance " + host.instance();
}
}  // namespace

TEST_CASE("top: shows games live, finds one, and gives the terminal back", "[e2e][tmux][top]") {
    const NothingLeft nothing_left;
    ServedHost host;
    Player first(host.endpoint());
    Player second(host.endpoint());
    REQUIRE(first.join("bright", {.seats = 2}).seat == 0u);
    REQUIRE(second.join("dull", {.seats = 2}).seat == 0u);
    const Tmux tmux;
    const Pane pane(tmux, "top", terminal);
    pane.enter(top_command(host));
    pane.expect("2 games");
    pane.expect("bright");
    pane.expect("front 0: 2 sessions");
    pane.expect("1/2");

    Player third(host.endpoint());  // comes while it is looked at
    REQUIRE(third.join("late-comer", {.seats = 2}).seat == 0u);
    pane.expect("late-comer");
    pane.type("/late");
    pane.expect("show names with: late_");
    pane.key("Enter");
    REQUIRE(eventually([&] { return pane.shows("late-comer") && !pane.shows("bright"); }));
    pane.key("Down");
    pane.key("Enter");
    pane.expect("how late its ticks were");
    pane.expect("late-comer tron");
    pane.resize({120, 40});
    pane.expect("how long they took");
    pane.resize({30, 8});
    pane.expect("late-comer");
    pane.resize(terminal);
    pane.key("Escape");
    pane.key("Escape");
    pane.expect("bright");
    pane.type("q");
    pane.expect_restored(0);
    CHECK(host.stop() == 0);
}

TEST_CASE("top: a signal to it restores the terminal, and its host's end it outlives",
          "[e2e][tmux][top]") {
    const NothingLeft nothing_left;
    const Tmux tmux;
    const Pane pane(tmux, "top", terminal);
    ServedHost host;
    Player player(host.endpoint());
    REQUIRE(player.join("brief", {.seats = 2}).seat == 0u);
    pane.enter(top_command(host));
    pane.expect("brief");
    host.program().signal(SIGSTOP);
    wait_until_stopped(host.program().pid());
    pane.expect(host.instance() + " stopped");
    host.program().signal(SIGCONT);
    pane.expect(host.instance() + " running");
    CHECK(host.stop() == 0);
    pane.expect(host.instance() + " gone");
    kill(pane.program(), SIGTERM);
    pane.expect_restored(0);

    pane.enter("clear; " + top_command(host));
    pane.expect("no host named");
    pane.expect_restored(1);
}
