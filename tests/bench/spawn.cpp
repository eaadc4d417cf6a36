// spawn: from asking for a game of a new name to the first snapshot that shows the join.
//
// Floor: a bare fork whose child maps and touches 64 KiB of shared memory, as much as a game may
// reserve, and says so through it. Rival: Node's child_process.fork.

#include <atomic>
#include <cerrno>
#include <csignal>
#include <new>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bare_processes.hpp"
#include "benches.hpp"
#include "local_games.hpp"
#include "node_rival.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/invariant.hpp"
#include "ringside/tron/config.hpp"
#include "ringside/tron/rules.hpp"

namespace ringside::bench {
namespace {

constexpr std::size_t ring_bytes = 64 * 1024;
constexpr std::size_t page_bytes = 4096;
constexpr const char* floor_name = "bare fork + 64 KiB";

struct Sizes {
    std::uint32_t one_by_one;
    std::uint32_t rounds;  // that many ours and floor's, alternately
    std::uint32_t at_once;
    std::uint32_t node_starts;
    std::uint32_t node_alive;
    useconds_t settle_us;
};

template <class Games>
Result<double> time_us(Games& games, std::uint32_t count) {
    const std::int64_t began_ns = monotonic_ns();
    if (auto opened = games.open(count); !opened) {
        return std::unexpected(std::move(opened.error()));
    }
    return static_cast<double>(monotonic_ns() - began_ns) / 1'000;
}

// Children that report in one shared page.
class BareChildren {
public:
    BareChildren()
        : page_(mmap(nullptr, page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                     0)) {
        invariant(page_ != MAP_FAILED, "a page of shared memory");
        shared_ = new (page_) Shared{};
    }
    BareChildren(const BareChildren&) = delete;
    BareChildren& operator=(const BareChildren&) = delete;
    ~BareChildren() { munmap(page_, page_bytes); }

    Result<void> open(std::uint32_t count) {
        const std::uint32_t wanted = opened_ += count;
        for (std::uint32_t i = 0; i < count; ++i) {
            if (auto forked = processes_.fork_one([this] { be_game(); }); !forked) {
                return forked;
            }
        }
        for (;;) {
            announce_sleep(shared_->bell);
            if (shared_->ready.load(std::memory_order_acquire) == wanted) {
                stay_awake(shared_->bell);
                return {};
            }
            wait_until(shared_->bell, monotonic_ns() + 10'000'000);
        }
    }

private:
    struct Shared {
        BellWord bell;
        std::atomic<std::uint32_t> ready;
    };

    void be_game() const {
        auto* ring_memory = static_cast<volatile std::byte*>(
            mmap(nullptr, ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
        for (std::size_t at = 0; at < ring_bytes; at += page_bytes) {
            ring_memory[at] = std::byte{1};
        }
        shared_->ready.fetch_add(1, std::memory_order_release);
        ring(shared_->bell);
        for (;;) {
            pause();
        }
    }

    void* page_;
    Shared* shared_;
    std::uint32_t opened_ = 0;
    BareProcesses processes_;
};

// A process of its own that forks them, made before this one has mapped anything else, as a nursery
// is: a fork copies the page tables of whoever forks. It says itself how long it took.
class BareGames {
public:
    BareGames() {
        int ends[2];
        invariant(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0, "a pair of sockets");
        pid_ = fork();
        invariant(pid_ >= 0, "a process that forks the others");
        if (pid_ == 0) {
            close(ends[0]);
            serve(ends[1]);
            _exit(0);
        }
        close(ends[1]);
        fd_ = ends[0];
    }
    BareGames(const BareGames&) = delete;
    BareGames& operator=(const BareGames&) = delete;
    ~BareGames() {
        close(fd_);
        while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
        }
    }

    Result<double> open(std::uint32_t count) {
        double us = 0;
        if (::send(fd_, &count, sizeof count, MSG_NOSIGNAL) != sizeof count ||
            ::recv(fd_, &us, sizeof us, 0) != sizeof us) {
            return failure(std::errc::no_child_process, "bare processes could not be forked");
        }
        return us;
    }

private:
    static void serve(int fd) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        BareChildren children;
        std::uint32_t count = 0;
        while (::recv(fd, &count, sizeof count, 0) == sizeof count) {
            const auto us = time_us(children, count);
            if (!us || ::send(fd, &*us, sizeof *us, MSG_NOSIGNAL) != sizeof *us) {
                return;
            }
        }
    }

    pid_t pid_ = 0;
    int fd_ = -1;
};

Result<double> time_us(BareGames& games, std::uint32_t count) {
    return games.open(count);
}

// So that both are opened by open(count).
struct TronGames {
    LocalGames games;
    std::vector<std::byte> config = tron::encode_config({});
    Result<void> open(std::uint32_t count) { return games.open(count, config); }
};

Result<TronGames> start_tron(std::uint32_t games_max) {
    auto games = LocalGames::start(tron::tron_type(), games_max);
    if (!games) {
        return std::unexpected(std::move(games.error()));
    }
    return TronGames{std::move(*games)};
}

Result<void> sample(TronGames& ours, BareGames& bare, std::uint32_t count,
                    std::vector<double>& our_us, std::vector<double>& floor_us) {
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto our_time = time_us(ours, 1);
        const auto floor_time = our_time ? time_us(bare, 1) : our_time;
        if (!floor_time) {
            return std::unexpected(floor_time.error());
        }
        our_us.push_back(*our_time);
        floor_us.push_back(*floor_time);
    }
    return {};
}

Result<Figure> one_by_one(const Sizes& sizes) {
    std::vector<double> our_us;
    std::vector<double> floor_us;
    // Few alive at a time, so that neither pays for what the other's many processes do.
    for (std::uint32_t round = 0; round < sizes.rounds; ++round) {
        BareGames bare;
        auto ours = start_tron(sizes.one_by_one);
        if (!ours) {
            return std::unexpected(std::move(ours.error()));
        }
        if (auto done = sample(*ours, bare, sizes.one_by_one, our_us, floor_us); !done) {
            return std::unexpected(std::move(done.error()));
        }
    }
    return Figure{.name = "new name to first snapshot",
                  .unit = "µs",
                  .value = measured(our_us),
                  .floor = Yardstick{floor_name, measured(floor_us)},
                  .goal = Goal{.factor = 300}};
}

struct Crowds {
    std::vector<double> seconds;
    std::vector<double> kib_each;
};

template <class Games>
Result<void> sample_crowd(Games& games, const Sizes& sizes, Crowds& crowds) {
    const std::uint32_t count = sizes.at_once;
    usleep(sizes.settle_us);
    const std::int64_t before_kib = mem_available_kib();
    const auto took_us = time_us(games, count);
    if (!took_us) {
        return std::unexpected(took_us.error());
    }
    usleep(sizes.settle_us);
    crowds.seconds.push_back(*took_us / 1e6);
    crowds.kib_each.push_back(static_cast<double>(before_kib - mem_available_kib()) / count);
    return {};
}

Result<void> add_crowds(const Sizes& sizes, Report& report) {
    Crowds ours;
    Crowds floor;
    for (std::uint32_t round = 0; round < sizes.rounds; ++round) {
        {
            auto games = start_tron(sizes.at_once);
            if (!games) {
                return std::unexpected(std::move(games.error()));
            }
            if (auto done = sample_crowd(*games, sizes, ours); !done) {
                return done;
            }
        }
        BareGames bare;
        if (auto done = sample_crowd(bare, sizes, floor); !done) {
            return done;
        }
    }
    const auto figure = [](std::string name, std::string unit, std::vector<double>& value,
                           std::vector<double>& of_floor, double goal) {
        return Figure{
            .name = std::move(name),
            .unit = std::move(unit),
            .value = {.median = measured(value).median},
            .floor = Yardstick{floor_name, {.median = measured(of_floor).median}},
            .goal = Goal{.factor = goal},
        };
    };
    report.figures.push_back(figure(fmt::format("{} games at once", sizes.at_once), "s",
                                    ours.seconds, floor.seconds, 0.5));
    report.figures.push_back(
        figure("host memory of a game", "KiB", ours.kib_each, floor.kib_each, 200));
    return {};
}

Result<void> add_node(const Sizes& sizes, Report& report) {
    const std::vector<std::string> arguments{std::to_string(sizes.node_starts),
                                             std::to_string(sizes.node_alive),
                                             std::to_string(sizes.settle_us / 1'000)};
    const auto node = run_node("fork_games.mjs", arguments, std::chrono::seconds(60));
    if (!node) {
        return std::unexpected(node.error());
    }
    if (!*node) {
        report.notes.emplace_back(no_node);
        return {};
    }
    std::vector<double> start_us;
    for (const double ms : (**node)["ms"]) {
        start_us.push_back(ms * 1'000);
    }
    constexpr const char* name = "Node child_process.fork";
    const auto add = [&](Figure figure, std::string what, Measured of_node, double times) {
        figure.name += what;
        figure.rival = Yardstick{name, of_node};
        figure.goal = Goal{.against = Against::rival, .factor = 1 / times};
        report.figures.push_back(std::move(figure));
    };
    const Figure start = report.figures.front();
    const Figure memory = report.figures.back();
    add(start, ", against Node", measured(start_us), 150);
    add(memory, ", against Node", {.median = (**node)["kib_each"]}, 35);
    return {};
}

}  // namespace

Result<Report> run_spawn(const Options& options) {
    const Sizes sizes = options.smoke ? Sizes{.one_by_one = 5,
                                              .rounds = 1,
                                              .at_once = 20,
                                              .node_starts = 1,
                                              .node_alive = 1,
                                              .settle_us = 10'000}
                                      : Sizes{.one_by_one = 100,
                                              .rounds = 5,
                                              .at_once = 1'000,
                                              .node_starts = 30,
                                              .node_alive = 20,
                                              .settle_us = 700'000};
    Report report{.bench = "spawn"};
    auto alone = one_by_one(sizes);
    if (!alone) {
        return std::unexpected(std::move(alone.error()));
    }
    report.figures.push_back(std::move(*alone));
    if (auto added = add_crowds(sizes, report); !added) {
        return std::unexpected(std::move(added.error()));
    }
    if (auto added = add_node(sizes, report); !added) {
        return std::unexpected(std::move(added.error()));
    }
    report.notes.emplace_back(
        "Memory is the difference of MemAvailable: whatever else the machine does is in it.");
    return report;
}

}  // namespace ringside::bench
