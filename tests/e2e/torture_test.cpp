// A live host, its processes killed and stopped at random, and what is left when that ends. How
// much of it is said by the environment: `bazel-free-scripts/torture` takes the long form.

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host_facts.hpp"
#include "ipc/process.hpp"
#include "player.hpp"
#include "program.hpp"
#include "served_host.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/random.hpp"
#include "ringside/net/client.hpp"

using namespace ringside;
using namespace ringside::test;

namespace {

constexpr std::int64_t ms = 1'000'000;

std::uint32_t setting(const char* name, std::uint32_t usual) {
    const char* text = std::getenv(name);
    return text == nullptr ? usual : static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10));
}

void pause_for(std::int64_t duration_ns) {
    sleep_until(monotonic_ns() + duration_ns);
}

std::string name_of(pid_t pid) {
    std::string name;
    std::getline(std::ifstream(fmt::format("/proc/{}/comm", pid)), name);
    return name;
}

std::optional<pid_t> parent_of(pid_t pid) {
    std::ifstream in(fmt::format("/proc/{}/stat", pid));
    std::string line;
    std::getline(in, line);
    const auto close = line.rfind(')');
    int parent = 0;
    char state = 0;
    return close != std::string::npos &&
                   std::sscanf(line.c_str() + close + 1, " %c %d", &state, &parent) == 2
               ? std::optional(pid_t{parent})
               : std::nullopt;
}

/// Only if it is this host's child: a pid read a moment ago may be somebody else's by now.
bool signal_child(pid_t host, pid_t pid, int signal_number) {
    const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    if (fd < 0) {
        return false;
    }
    const bool sent = parent_of(pid) == host &&
                      syscall(SYS_pidfd_send_signal, fd, signal_number, nullptr, 0) == 0;
    close(fd);
    return sent;
}

/// A child of the host: a game mostly, a front or a nursery now and then.
pid_t pick_victim(pid_t host, Random& random) {
    const auto children = children_of(host);
    const std::uint32_t dice = random.below(100);
    const std::string kind = dice < 5 ? "nursery/" : dice < 15 ? "front/" : "";
    std::vector<pid_t> found;
    std::ranges::copy_if(children, std::back_inserter(found), [&](pid_t pid) {
        const std::string name = name_of(pid);
        const bool is_game = !name.starts_with("nursery/") && !name.starts_with("front/");
        return kind.empty() ? is_game : name.starts_with(kind);
    });
    return found.empty() ? 0 : found[random.below(static_cast<std::uint32_t>(found.size()))];
}

std::uint64_t missed_ticks(const std::string& instance) {
    std::uint64_t sum = 0;
    for (const GameFacts& game : look_at_games(instance)) {
        sum += game.missed_ticks;
    }
    return sum;
}

/// Games of two bots each that race until the end of the test.
class Racing {
public:
    Racing(const std::string& port, const std::string& instance, std::size_t games)
        : instance_(instance),
          games_(games),
          bots_({"bot", "-P", port, "--games", std::to_string(games), "--players", "2", "--width",
                 "24", "--height", "16", "--forever", "--json"}) {
        REQUIRE(eventually([&] { return all_seated(); }));
    }

    [[nodiscard]] bool all_seated() const {
        const auto games = look_at_games(instance_);
        return std::ranges::count(games, 2u, &GameFacts::players) >=
               static_cast<std::ptrdiff_t>(games_);
    }

    /// All games tick, all players are seated; prints how many ticks that took.
    void expect_recovered() const {
        const std::int64_t begin_ns = monotonic_ns();
        std::map<std::string, std::uint64_t> before;
        for (const GameFacts& game : look_at_games(instance_)) {
            before.emplace(game.name, game.sequence);
        }
        REQUIRE(before.size() >= games_);
        CHECK(eventually([&] {
            const auto games = look_at_games(instance_);
            return games.size() >= games_ && std::ranges::all_of(games, [&](const auto& game) {
                       return game.players < 2 || game.sequence > before[game.name];
                   });
        }));
        CHECK(eventually([&] { return all_seated(); }));
        std::cout << fmt::format("all games tick and all players are seated after {} ms\n",
                                 (monotonic_ns() - begin_ns) / ms);
    }

    /// Every bot has kept its seat, all the time.
    void expect_kept() {
        bots_.signal(SIGINT);
        bots_.wait();
        const auto summary = nlohmann::json::parse(bots_.output());
        CHECK(summary.at("matches") == games_);
        for (const auto& failure : summary.at("failures")) {
            // So it calls a match that has not come to its first end by then.
            CHECK(failure.at("reason") == "stopped by a signal");
        }
    }

private:
    std::string instance_;
    std::size_t games_;
    Program bots_;
};

std::vector<std::string> host_flags() {
    return {"--fronts", "2", "--resume-grace", "60", "--restores-per-second", "0"};
}

}  // namespace

TEST_CASE("torture: after kills and stops at random all is as if nothing had been",
          "[e2e][torture]") {
    const NothingLeft nothing_left;
    constexpr std::size_t games = 100;
    const bool stops = GENERATE(false, true);
    const std::uint32_t wanted = setting("RINGSIDE_TORTURE_KILLS", 300) / (stops ? 5 : 1);
    Random random(Catch::rngSeed());
    ServedHost host(host_flags());
    const pid_t pid = host.program().pid();
    Racing racing(host.port(), host.instance(), games);
    const Footprint before = footprint_of(pid, host.instance());
    const std::uint64_t missed_before = missed_ticks(host.instance());
    const std::int64_t begin_ns = monotonic_ns();
    std::map<std::string, std::uint32_t> hit;
    for (std::uint32_t done = 0; done < wanted;) {
        const pid_t victim = pick_victim(pid, random);
        const std::string name = name_of(victim);
        if (victim != 0 && signal_child(pid, victim, stops ? SIGSTOP : SIGKILL)) {
            ++done;
            ++hit[name.starts_with("nursery/") ? "nurseries"
                  : name.starts_with("front/") ? "fronts"
                                               : "games"];
            if (stops) {  // less than what counts as hanging, mostly
                pause_for(random.below(10) == 0 ? 3'000 * ms : random.below(200) * ms);
                signal_child(pid, victim, SIGCONT);
            }
        }
        pause_for(random.below(20) * ms);
    }
    const std::int64_t elapsed_ns = monotonic_ns() - begin_ns;
    std::cout << fmt::format("{}: {} games, {} fronts, {} nurseries in {} s; ticks missed: {}\n",
                             stops ? "SIGSTOP" : "SIGKILL", hit["games"], hit["fronts"],
                             hit["nurseries"], elapsed_ns / 1'000 / ms,
                             missed_ticks(host.instance()) - missed_before);
    racing.expect_recovered();
    const auto as_before = [&] {
        const Footprint after = footprint_of(pid, host.instance());
        return after.processes == before.processes && after.descriptors == before.descriptors &&
               after.files == before.files && after.mappings == before.mappings;
    };
    CHECK(eventually(as_before));
    racing.expect_kept();
    CHECK(host.stop() == 0);
}

TEST_CASE("torture: a supervisor that dies at any time loses no game", "[e2e][torture]") {
    const NothingLeft nothing_left;
    constexpr std::size_t games = 20;
    const std::uint32_t wanted = setting("RINGSIDE_TORTURE_RESTARTS", 20);
    Random random(Catch::rngSeed());
    const std::string instance = new_instance();
    std::optional<ServedHost> first(std::in_place, host_flags(), instance);
    const std::string port = first->port();
    Racing racing(port, instance, games);
    std::set<std::string> expected;
    const auto note_games = [&] {
        for (const GameFacts& game : look_at_games(instance)) {
            if (game.sequence > 0 && !game.ended) {
                expected.insert(game.name);
            }
        }
    };
    std::size_t restored = 0;
    std::size_t cut_short = 0;
    const auto flags = [&] {
        auto all = host_flags();
        all.insert(all.end(), {"--listen", "127.0.0.1:" + port});
        return all;
    };
    std::uint32_t extra = 0;
    for (std::uint32_t done = 0; done < wanted; ++done) {
        if (first) {
            // In the middle of making games, that nobody will come back to.
            std::vector<Client> joining;
            for (std::uint32_t i = 0; i < 3; ++i) {
                if (auto client = Client::connect(first->endpoint())) {
                    client->join({.game = fmt::format("extra-{}", ++extra),
                                  .type = {},
                                  .config = {},
                                  .parameters = {}});
                    client->flush();
                    joining.push_back(std::move(*client));
                }
            }
            pause_for(random.below(20'000) * 1'000);
            first->program().signal(SIGKILL);
            REQUIRE(first->program().wait() == -SIGKILL);
            first.reset();
        } else {
            auto all = flags();
            all.insert(all.begin(), "serve");
            all.insert(all.end(), {"--instance", instance});
            Program next(all);
            pause_for(random.below(100'000) * 1'000);  // mostly before it serves
            next.signal(SIGKILL);
            REQUIRE(next.wait() == -SIGKILL);
            ++cut_short;
        }
        note_games();
        if (random.below(2) == 0 || done + 1 == wanted) {
            first.emplace(flags(), instance);
            std::set<std::string> found;
            for (const GameFacts& game : look_at_games(instance)) {
                found.insert(game.name);
            }
            for (const std::string& name : expected) {
                INFO(name << " after restart " << done);
                REQUIRE(found.contains(name));
                ++restored;
            }
            expected.clear();
        }
    }
    std::cout << fmt::format(
        "{} kills of the supervisor, {} of them while it started; {} games "
        "restored\n",
        wanted, cut_short, restored);
    racing.expect_recovered();
    racing.expect_kept();
    CHECK(first->stop() == 0);
}

TEST_CASE("torture: fronts that die refuse nobody and lose no seat", "[e2e][torture]") {
    const NothingLeft nothing_left;
    constexpr std::size_t games = 50;
    const std::uint32_t wanted = setting("RINGSIDE_TORTURE_FRONT_KILLS", 20);
    Random random(Catch::rngSeed());
    ServedHost host(host_flags());
    const pid_t pid = host.program().pid();
    Racing racing(host.port(), host.instance(), games);

    std::atomic<bool> stop = false;
    std::atomic<std::uint64_t> connected = 0;
    std::atomic<std::uint64_t> greeted = 0;
    std::atomic<int> refused_errno = 0;
    std::thread connecting([&] {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(host.endpoint().port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        while (!stop) {
            const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
                refused_errno = errno;
            }
            ++connected;
            close(fd);
            if (auto client = Client::connect(host.endpoint())) {
                const auto welcome = client->receive(std::chrono::seconds(20));
                greeted += welcome && *welcome != nullptr ? 1 : 0;
            }
        }
    });
    const auto missed_over = [&](std::int64_t duration_ns, std::uint32_t kills) {
        const std::uint64_t before = missed_ticks(host.instance());
        const std::int64_t begin_ns = monotonic_ns();
        for (std::uint32_t done = 0; done < kills;) {
            const std::string name = fmt::format("front/{}", random.below(2));
            for (const pid_t child : children_of(pid)) {
                done += name_of(child) == name && signal_child(pid, child, SIGKILL) ? 1u : 0u;
            }
            pause_for((50 + random.below(200)) * ms);
        }
        sleep_until(begin_ns + duration_ns);
        return missed_ticks(host.instance()) - before;
    };
    const std::int64_t begin_ns = monotonic_ns();
    const std::uint64_t missed = missed_over(0, wanted);
    const std::int64_t elapsed_ns = monotonic_ns() - begin_ns;
    const std::uint64_t missed_without = missed_over(elapsed_ns, 0);
    stop = true;
    connecting.join();
    std::cout << fmt::format(
        "{} kills of fronts in {} s: {} connects, {} of {} greeted at once; ticks missed: {}, in "
        "as "
        "long without kills {}\n",
        wanted, elapsed_ns / 1'000 / ms, connected.load(), greeted.load(), connected.load(), missed,
        missed_without);
    INFO(std::strerror(refused_errno.load()));
    CHECK(refused_errno == 0);
    CHECK(greeted > 0);
    racing.expect_recovered();
    racing.expect_kept();
    CHECK(host.stop() == 0);
}
