// `ringside upgrade`: another program goes on with a host's games in its place.

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "host_facts.hpp"
#include "player.hpp"
#include "program.hpp"
#include "served_host.hpp"

#include "ringside/net/client.hpp"

using namespace ringside;
using namespace ringside::test;
namespace fs = std::filesystem;

namespace {

/// A program's file, which can be replaced as a package manager does it.
class Installed {
public:
    Installed() { install_ringside(); }
    Installed(const Installed&) = delete;
    Installed& operator=(const Installed&) = delete;
    ~Installed() { fs::remove_all(folder_); }

    void install_ringside() { replace_by(RINGSIDE_PROGRAM); }

    void install_script(const std::string& script) {
        const fs::path source = folder_ / "script";
        std::ofstream(source) << "#!/bin/sh\n" << script;
        replace_by(source);
    }

    [[nodiscard]] std::string path() const { return folder_ / "ringside"; }

private:
    void replace_by(const fs::path& source) {
        const fs::path copy = folder_ / "new";
        fs::create_directories(folder_);
        fs::copy_file(source, copy);
        fs::permissions(copy, fs::perms::owner_all);
        fs::rename(copy, path());
    }

    fs::path folder_ = fs::temp_directory_path() / ("ringside-" + instance_prefix() + "installed");
};

/// Which checks that it is the same seat.
void come_back(Player& player) {
    REQUIRE_FALSE(player.left().has_value());  // the connection ends without a word
    player.come_back();
}

}  // namespace

TEST_CASE("upgrade: games, seats and listening sockets stay", "[e2e][upgrade]") {
    const NothingLeft nothing_left;
    Installed installed;
    ServedHost host = ServedHost::of_program(installed.path(), {"--fronts", "2", "--fresh"});
    const pid_t pid = host.program().pid();
    Player player(host.endpoint());
    Player opponent(host.endpoint());
    REQUIRE(player.join("kept", {.seats = 2}).seat == 0u);
    REQUIRE(opponent.join("kept", {.seats = 2}).seat.has_value());

    std::atomic<bool> stop = false;
    std::atomic<std::uint64_t> welcomed = 0;
    std::atomic<std::uint64_t> refused = 0;
    std::thread connecting([&] {
        while (!stop) {
            auto client = Client::connect(host.endpoint());
            if (!client) {
                ++refused;
            } else if (client->receive(patience).has_value()) {
                ++welcomed;  // else its front ended before it was greeted
            }
        }
    });
    const Footprint before = footprint_of(pid, host.instance());
    for (int times = 1; times <= 3; ++times) {
        const pid_t nursery = host.process("nursery/tron");
        const Outcome upgraded = run({"upgrade", "--instance", host.instance()});
        INFO(upgraded.errors);
        REQUIRE(upgraded.exit_code == 0);
        CHECK(upgraded.output == "another program goes on with 1 games\n");
        REQUIRE(eventually([&] { return host.process("nursery/tron") != nursery; }));
        come_back(player);
        come_back(opponent);
        CHECK(look_at_games(host.instance()).size() == 1);
    }
    const std::uint64_t until_now = welcomed;
    CHECK(eventually([&] { return welcomed > until_now; }));
    stop = true;
    connecting.join();
    CHECK(refused == 0);
    CHECK(eventually([&] {
        const Footprint after = footprint_of(pid, host.instance());
        return after.processes == before.processes && after.descriptors == before.descriptors &&
               after.files == before.files;
    }));
    CHECK(host.stop() == 0);
}

TEST_CASE("upgrade: a program that would not go on is refused and nothing stops",
          "[e2e][upgrade]") {
    const NothingLeft nothing_left;
    Installed installed;
    ServedHost host = ServedHost::of_program(installed.path(), {});
    Player player(host.endpoint());
    REQUIRE(player.join("kept", {.seats = 2}).seat.has_value());
    const pid_t nursery = host.process("nursery/tron");
    const auto expect_refused = [&](const std::string& why) {
        const Outcome refused = run({"upgrade", "--instance", host.instance()});
        CHECK(refused.exit_code == 1);
        INFO(refused.errors);
        CHECK(refused.errors.find(why) != std::string::npos);
    };
    installed.install_script("echo 'of another layout' >&2\nexit 1\n");
    expect_refused("of another layout");
    installed.install_script("kill -9 $$\n");
    expect_refused("would not go on");
    fs::remove(installed.path());
    expect_refused("cannot run");
    CHECK(host.process("nursery/tron") == nursery);
    CHECK(host.program().errors().empty());
    installed.install_ringside();
    host.program().signal(SIGUSR2);
    REQUIRE(eventually([&] { return host.process("nursery/tron") != nursery; }));
    come_back(player);
    const Outcome drained = run({"drain", "--instance", host.instance()});
    CHECK(drained.exit_code == 0);
    expect_refused("about to end");
    CHECK(host.stop() == 0);
}

TEST_CASE("upgrade: a host could say whether it would go on with another's games",
          "[e2e][upgrade]") {
    const NothingLeft nothing_left;
    ServedHost host({"--games-max", "8"});
    std::vector<Player> players;
    for (int i = 0; i < 5; ++i) {
        Player& player = players.emplace_back(host.endpoint());
        REQUIRE(player.join("game-" + std::to_string(i), {.seats = 2}).seat == 0u);
    }
    const auto check = [&](std::vector<std::string> flags) {
        flags.insert(flags.begin(), {"serve", "--instance", host.instance(), "--check"});
        return run(flags);
    };
    CHECK(check({}).output == "would go on with 5 games\n");
    const Outcome too_few = check({"--games-max", "4"});
    CHECK(too_few.exit_code == 1);
    CHECK(too_few.errors.find("raise --games-max to 5 or more") != std::string::npos);
    CHECK(host.stop() == 0);
    CHECK(check({}).output == "would go on with 0 games\n");
}
