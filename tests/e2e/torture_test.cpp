// A live host, its processes killed and stopped at random, and what is left when that ends. How
// much of it is said by the environment: `bazel-free-scripts/torture` takes the long form.

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host_facts.hpp"
#include "ipc/process.hpp"
#include "player.hpp"
#include "program.hpp"
#include "served_host.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/histogram.hpp"
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

/// As ps shows it.
std::string name_of(pid_t pid) {
    std::string name;
    std::getline(std::ifstream(fmt::format("/proc/{}/cmdline", pid)), name, '\0');
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

/// Whether the game of this process name is left alone: it shows what the deaths of others cost.
bool is_bystander(const std::string& process_name) {
    return std::hash<std::string>()(process_name) % 2 == 0;
}

/// How late the bystanders' ticks were since they were made.
std::vector<std::int64_t> lateness_of_bystanders(const std::string& instance) {
    std::vector<std::int64_t> ticks(LatenessHistogram::bucket_count);
    for (const GameFacts& game : look_at_games(instance)) {
        if (is_bystander("game tron/" + game.name)) {
            std::ranges::transform(ticks, game.lateness, ticks.begin(), std::plus<>());
        }
    }
    return ticks;
}

/// "p50 0.1 ms, p99 2.3 ms" of those between the two.
std::string lateness_text(const std::vector<std::int64_t>& before,
                          const std::vector<std::int64_t>& after) {
    LatenessHistogram between;
    for (std::uint32_t bucket = 0; bucket < before.size(); ++bucket) {
        between.add(bucket, static_cast<std::uint64_t>(after[bucket] - before[bucket]));
    }
    const auto ms_of = [&](double share) {
        return static_cast<double>(between.quantile(share) << lateness_unit_bits) / ms;
    };
    return fmt::format("p50 {:.2f}, p99 {:.2f}, p99.9 {:.2f} ms", ms_of(0.5), ms_of(0.99),
                       ms_of(0.999));
}

/// Until another process has the game's segment, for a second at most; what that took.
std::optional<std::int64_t> time_to_successor_ns(const GameSegment& segment, pid_t killed) {
    const std::int64_t begin_ns = monotonic_ns();
    while (monotonic_ns() - begin_ns < 1'000 * ms) {
        const pid_t owner = segment.layout().header.owner_pid.load(std::memory_order_relaxed);
        if (owner != 0 && owner != killed) {
            return monotonic_ns() - begin_ns;
        }
        pause_for(ms / 10);
    }
    return std::nullopt;
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
        return kind.empty() ? is_game && !is_bystander(name) : name.starts_with(kind);
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

// ---- clients that are slow, silent or hasty
// ------------------------------------------------------

/// Sockets that are served at leisure by a thread of their own, until the end.
class Nuisance {
public:
    Nuisance(const Endpoint& endpoint, const std::string& game, std::size_t each)
        : endpoint_(endpoint), game_(game), each_(each), thread_([this] { run(); }) {}
    Nuisance(const Nuisance&) = delete;
    Nuisance& operator=(const Nuisance&) = delete;
    ~Nuisance() {
        stop_ = true;
        thread_.join();
        for (const int fd : silent_) {
            close(fd);
        }
    }

    [[nodiscard]] bool all_there() const { return all_there_; }
    [[nodiscard]] std::uint64_t closed_readers() const { return closed_readers_; }
    [[nodiscard]] std::uint64_t closed_silent() const { return closed_silent_; }
    [[nodiscard]] std::uint64_t closed_hasty() const { return closed_hasty_; }

private:
    static constexpr int hasty_messages_a_turn = 200;  // turns of 100 ms: ten times the limit

    void run() {
        for (int turn = 0; !stop_; ++turn) {
            if (turn % 10 == 0) {  // once a second
                read_one_byte_each();
                connect_silent();
            }
            be_hasty();
            all_there_ = readers_.size() == each_ && silent_.size() == each_;
            pause_for(100 * ms);
        }
    }

    /// Watches, and reads one byte.
    void read_one_byte_each() {
        std::erase_if(readers_, [this](const Client& reader) {
            char byte = 0;
            const ssize_t got = recv(reader.fd(), &byte, 1, MSG_DONTWAIT);
            const bool closed = got == 0 || (got < 0 && errno != EAGAIN);
            closed_readers_ += closed ? 1 : 0;
            return closed;
        });
        while (readers_.size() < each_ && !stop_) {
            auto client = Client::connect(endpoint_);
            if (!client || !client->receive(std::chrono::seconds(20))) {
                return;
            }
            const int bytes = 2048;
            setsockopt(client->fd(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
            client->watch(game_);
            readers_.push_back(std::move(*client));
        }
    }

    /// Says the first bytes of a message, and no more.
    void connect_silent() {
        std::erase_if(silent_, [this](int fd) {
            char bytes[256];
            const ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
            const bool closed = got >= 0 || errno != EAGAIN;
            if (closed) {
                close(fd);
                ++closed_silent_;
            }
            return closed;
        });
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(endpoint_.port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        while (silent_.size() < each_ && !stop_) {
            const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
                send(fd, "\x10\0", 2, MSG_NOSIGNAL) != 2) {
                close(fd);
                return;
            }
            silent_.push_back(fd);
        }
    }

    /// Floods with what costs the host most for its size: lists.
    void be_hasty() {
        if (!hasty_) {
            if (auto client = Client::connect(endpoint_)) {
                hasty_.emplace(std::move(*client));
            }
        }
        for (int i = 0; hasty_ && i < hasty_messages_a_turn; ++i) {
            hasty_->list({}, {});
        }
        for (bool more = hasty_.has_value(); more;) {
            const auto message = hasty_->try_receive();
            more = message && *message != nullptr;
            if (!message) {
                hasty_.reset();
                ++closed_hasty_;
            }
        }
    }

    Endpoint endpoint_;
    std::string game_;
    std::size_t each_;
    std::vector<Client> readers_;
    std::vector<int> silent_;
    std::optional<Client> hasty_;
    std::atomic<bool> stop_ = false;
    std::atomic<bool> all_there_ = false;
    std::atomic<std::uint64_t> closed_readers_ = 0;
    std::atomic<std::uint64_t> closed_silent_ = 0;
    std::atomic<std::uint64_t> closed_hasty_ = 0;
    std::thread thread_;
};

/// When a spectator gets the views of a game, ms after the one before; sorted.
std::vector<double> view_intervals_ms(const Endpoint& endpoint, const std::string& game,
                                      std::int64_t duration_ns) {
    auto client = Client::connect(endpoint);
    REQUIRE(client.has_value());
    client->watch(game);
    std::vector<double> intervals;
    std::int64_t last_ns = 0;
    for (const std::int64_t end_ns = monotonic_ns() + duration_ns; monotonic_ns() < end_ns;) {
        const auto message = client->receive(std::chrono::seconds(20));
        REQUIRE(message.has_value());
        REQUIRE(*message != nullptr);
        if ((*message)->message_as_Snapshot() != nullptr) {
            const std::int64_t now_ns = monotonic_ns();
            if (last_ns != 0) {
                intervals.push_back(static_cast<double>(now_ns - last_ns) / ms);
            }
            last_ns = now_ns;
        }
    }
    std::ranges::sort(intervals);
    REQUIRE(!intervals.empty());
    return intervals;
}

/// Of the fronts of a host, what is theirs alone included in full.
std::uint64_t front_memory_kib(pid_t host) {
    std::uint64_t sum = 0;
    for (const pid_t child : children_of(host)) {
        if (!name_of(child).starts_with("front/")) {
            continue;
        }
        std::ifstream in(fmt::format("/proc/{}/smaps_rollup", child));
        for (std::string word; in >> word;) {
            std::uint64_t kib = 0;
            if (word == "Pss:" && in >> kib) {
                sum += kib;
            }
        }
    }
    return sum;
}

void raise_descriptor_limit() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

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
    const auto late_before = lateness_of_bystanders(host.instance());
    const std::int64_t begin_ns = monotonic_ns();
    std::map<std::string, std::uint32_t> hit;
    Histogram successors;
    for (std::uint32_t done = 0; done < wanted;) {
        const pid_t victim = pick_victim(pid, random);
        const std::string name = name_of(victim);
        const auto segment = segment_of(host.instance(), victim);
        if (victim != 0 && signal_child(pid, victim, stops ? SIGSTOP : SIGKILL)) {
            ++done;
            ++hit[name.starts_with("nursery/") ? "nurseries"
                  : name.starts_with("front/") ? "fronts"
                                               : "games"];
            if (stops) {  // less than what counts as hanging, mostly
                pause_for(random.below(10) == 0 ? 3'000 * ms : random.below(200) * ms);
                signal_child(pid, victim, SIGCONT);
            } else if (segment) {
                if (const auto time_ns = time_to_successor_ns(*segment, victim)) {
                    successors.record(static_cast<std::uint64_t>(*time_ns));
                }
            }
        }
        pause_for(random.below(20) * ms);
    }
    const std::int64_t elapsed_ns = monotonic_ns() - begin_ns;
    std::cout << fmt::format("{}: {} games, {} fronts, {} nurseries in {} s; ticks missed: {}\n",
                             stops ? "SIGSTOP" : "SIGKILL", hit["games"], hit["fronts"],
                             hit["nurseries"], elapsed_ns / 1'000 / ms,
                             missed_ticks(host.instance()) - missed_before);
    const auto late_after = lateness_of_bystanders(host.instance());
    if (!stops) {
        std::cout << fmt::format(
            "from a game's death to its successor's first step: p50 {:.1f}, p99 {:.1f} ms\n",
            static_cast<double>(successors.quantile(0.5)) / ms,
            static_cast<double>(successors.quantile(0.99)) / ms);
    }
    pause_for(elapsed_ns);
    std::cout << fmt::format("ticks of games left alone late by {}; in as long without: {}\n",
                             lateness_text(late_before, late_after),
                             lateness_text(late_after, lateness_of_bystanders(host.instance())));
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
                auto client = Client::connect(first->endpoint());
                if (client && client->receive(std::chrono::seconds(20))) {
                    client->join({.game = fmt::format("extra-{}", ++extra),
                                  .type = {},
                                  .config = {},
                                  .parameters = {}});
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
        reap_orphans();
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

TEST_CASE("torture: slow and silent and hasty clients hurt nobody", "[e2e][torture]") {
    const NothingLeft nothing_left;
    constexpr std::int64_t measured_ns = 10'000 * ms;
    const std::uint32_t each = setting("RINGSIDE_TORTURE_SLOW", 200);
    raise_descriptor_limit();
    ServedHost host(host_flags());
    const pid_t pid = host.program().pid();
    const pid_t fronts[]{host.process("front/0"), host.process("front/1")};
    Racing racing(host.port(), host.instance(), 20);
    const std::string game = look_at_games(host.instance()).front().name;

    const auto without = view_intervals_ms(host.endpoint(), game, measured_ns);
    const std::uint64_t kib_without = front_memory_kib(pid);
    {
        const Nuisance nuisance(host.endpoint(), game, each);
        REQUIRE(eventually([&] { return nuisance.all_there(); }));
        const auto with = view_intervals_ms(host.endpoint(), game, measured_ns);
        const std::uint64_t kib_with = front_memory_kib(pid);
        CHECK(eventually(
            [&] { return nuisance.closed_silent() >= each && nuisance.closed_hasty() > 0; }));
        const auto p99 = [](const std::vector<double>& sorted) {
            return sorted[sorted.size() * 99 / 100];
        };
        std::cout << fmt::format(
            "{0} that read a byte a second, {0} that say no Hello, one that floods: a spectator's "
            "views p99 {1:.1f} ms, without them {2:.1f}, ratio {3:.2f}; memory of the fronts {4} "
            "KiB, "
            "without them {5}, ratio {6:.2f}; closed: {7} slow, {8} silent, {9} hasty\n",
            each, p99(with), p99(without), p99(with) / p99(without), kib_with, kib_without,
            static_cast<double>(kib_with) / static_cast<double>(kib_without),
            nuisance.closed_readers(), nuisance.closed_silent(), nuisance.closed_hasty());
        // Half a minute later they have taken no more: what each may hold is bounded.
        const std::uint64_t closed_by_then = nuisance.closed_silent() + 2 * each;
        CHECK(eventually([&] { return nuisance.closed_silent() >= closed_by_then; }));
        CHECK(front_memory_kib(pid) < kib_with + kib_with / 2);
    }
    CHECK(host.process("front/0") == fronts[0]);
    CHECK(host.process("front/1") == fronts[1]);
    racing.expect_recovered();
    racing.expect_kept();
    CHECK(host.stop() == 0);
}
