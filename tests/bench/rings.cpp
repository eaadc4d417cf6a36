// rings: what the event ring carries between two processes on two CPUs, and how fast a message goes
// there and back.
//
// Floor   of a round trip: one cache line that each side writes in turn. Of throughput: memcpy into
//         the shared memory and every word read on the other side, in blocks of an eighth.
// Rivals  boost::lockfree::spsc_queue of as many bytes, pushed and popped as the shape allows;
// pipe. Slices of all follow each other and are repeated; each figure is the median of its slices.

#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "benches.hpp"
#include "contest.hpp"
#include "lanes.hpp"

#include "ringside/core/clock.hpp"

namespace ringside::bench {
namespace {

struct Scale {
    int rounds;
    std::uint64_t bytes;        // a throughput slice of a queue
    std::uint64_t writes;       // a throughput slice of the pipe: each is a system call
    std::uint64_t round_trips;  // a slice
};
constexpr Scale full_scale{9, 16u << 20, 2'000, 20'000};
constexpr Scale smoke_scale{1, 64u << 10, 100, 100};

// ---- throughput --------------------------------------------------------------------------------

/// Millions of messages a second.
template <template <std::uint32_t...> class Lane, std::uint32_t payload_bytes,
          std::uint32_t... more>
Result<double> messages_per_us(std::uint64_t messages, std::uint32_t at_once) {
    using ThisLane = Lane<payload_bytes, more...>;
    ThisLane lane;
    const SliceMemory memory;
    const auto send = [&] {
        typename ThisLane::Sender sender(lane);
        memory.slice().start_together(2);
        Spin spin;
        for (std::uint64_t sent = 0; sent < messages;) {
            const auto count = std::min<std::uint64_t>(at_once, messages - sent);
            const std::uint32_t went = sender.send(sent, static_cast<std::uint32_t>(count));
            if (went == 0) {
                spin.wait();
            }
            sent += went;
        }
        return true;
    };
    const auto receive = [&] {
        typename ThisLane::Receiver receiver(lane);
        Check<payload_bytes> check;
        memory.slice().start_together(2);
        const std::int64_t start_ns = monotonic_ns();
        Spin spin;
        while (check.intact() && check.received() < messages) {
            const std::uint64_t before = check.received();
            receiver.receive(check);
            if (check.received() == before) {
                spin.wait();
            }
        }
        memory.slice().elapsed_ns.store(monotonic_ns() - start_ns, std::memory_order_release);
        return check.intact();
    };
    if (const auto ran = run_roles(ThisLane::name, std::array<Role, 2>{send, receive}); !ran) {
        return std::unexpected(ran.error());
    }
    return static_cast<double>(messages) * 1e3 / memory.elapsed_ns();
}

constexpr std::size_t block_count = 8;
constexpr std::size_t block_bytes = lane_bytes / block_count;

struct Blocks {
    alignas(cache_line_bytes) std::atomic<std::uint64_t> written;
    alignas(cache_line_bytes) std::atomic<std::uint64_t> read;
    alignas(
        cache_line_bytes) std::array<std::array<std::uint64_t, block_bytes / 8>, block_count> words;
};

/// Millions of messages a second: the floor of throughput.
Result<double> copied_messages_per_us(std::uint64_t bytes, std::uint32_t payload_bytes) {
    const SharedMemory shared(sizeof(Blocks));
    auto& blocks = *new (shared.bytes().data()) Blocks;
    const SliceMemory memory;
    const std::uint64_t count = bytes / block_bytes;
    const auto write = [&] {
        std::array<std::uint64_t, block_bytes / 8> block;
        block.fill(1);
        memory.slice().start_together(2);
        Spin spin;
        for (std::uint64_t at = 0; at < count; ++at) {
            while (at - blocks.read.load(std::memory_order_acquire) == block_count) {
                spin.wait();
            }
            std::memcpy(&blocks.words[at % block_count], &block, block_bytes);
            blocks.written.store(at + 1, std::memory_order_release);
        }
        return true;
    };
    const auto read = [&] {
        memory.slice().start_together(2);
        const std::int64_t start_ns = monotonic_ns();
        std::uint64_t sum = 0;
        Spin spin;
        for (std::uint64_t at = 0; at < count; ++at) {
            while (blocks.written.load(std::memory_order_acquire) == at) {
                spin.wait();
            }
            sum = std::accumulate(blocks.words[at % block_count].begin(),
                                  blocks.words[at % block_count].end(), sum);
            blocks.read.store(at + 1, std::memory_order_release);
        }
        memory.slice().elapsed_ns.store(monotonic_ns() - start_ns, std::memory_order_release);
        return sum == count * (block_bytes / 8);
    };
    if (const auto ran = run_roles("memcpy", std::array<Role, 2>{write, read}); !ran) {
        return std::unexpected(ran.error());
    }
    return static_cast<double>(count * block_bytes / payload_bytes) * 1e3 / memory.elapsed_ns();
}

// ---- round trip --------------------------------------------------------------------------------

/// ns, the mean of the slice.
template <class Lane, std::uint32_t payload_bytes>
Result<double> round_trip_ns(std::uint64_t round_trips) {
    Lane there;
    Lane back;
    const SliceMemory memory;
    const auto wait_for = [](typename Lane::Receiver& receiver, Check<payload_bytes>& check,
                             std::uint64_t number) {
        for (Spin spin; check.received() <= number;) {
            receiver.receive(check);
            spin.wait();
        }
        return check.intact();
    };
    const auto ask = [&] {
        typename Lane::Sender sender(there);
        typename Lane::Receiver receiver(back);
        Check<payload_bytes> check;
        memory.slice().start_together(2);
        const std::int64_t start_ns = monotonic_ns();
        for (std::uint64_t number = 0; number < round_trips; ++number) {
            sender.send(number, 1);
            wait_for(receiver, check, number);
        }
        memory.slice().elapsed_ns.store(monotonic_ns() - start_ns, std::memory_order_release);
        return check.intact();
    };
    const auto answer = [&] {
        typename Lane::Sender sender(back);
        typename Lane::Receiver receiver(there);
        Check<payload_bytes> check;
        memory.slice().start_together(2);
        for (std::uint64_t number = 0; number < round_trips; ++number) {
            wait_for(receiver, check, number);
            sender.send(number, 1);
        }
        return check.intact();
    };
    if (const auto ran = run_roles(Lane::name, std::array<Role, 2>{ask, answer}); !ran) {
        return std::unexpected(ran.error());
    }
    return memory.elapsed_ns() / static_cast<double>(round_trips);
}

/// ns: the floor of a round trip.
Result<double> cache_line_ns(std::uint64_t round_trips) {
    const SharedMemory shared(cache_line_bytes);
    auto& line = *new (shared.bytes().data()) std::atomic<std::uint64_t>{0};
    const SliceMemory memory;
    const auto write_in_turn = [&](std::uint64_t first) {
        memory.slice().start_together(2);
        const std::int64_t start_ns = monotonic_ns();
        for (std::uint64_t turn = first; turn < 2 * round_trips; turn += 2) {
            for (Spin spin; line.load(std::memory_order_acquire) != turn;) {
                spin.wait();
            }
            line.store(turn + 1, std::memory_order_release);
        }
        memory.slice().elapsed_ns.store(monotonic_ns() - start_ns, std::memory_order_release);
        return true;
    };
    if (const auto ran =
            run_roles("one cache line", std::array<Role, 2>{[&] { return write_in_turn(0); },
                                                            [&] { return write_in_turn(1); }});
        !ran) {
        return std::unexpected(ran.error());
    }
    return memory.elapsed_ns() / static_cast<double>(round_trips);
}

// ---- a producer that makes no system call ------------------------------------------------------

/// From here on any system call of this thread kills its process, but for the one that ends it.
bool allow_only_exit() noexcept {
    std::array<sock_filter, 4> program{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    }};
    const sock_fprog filter{.len = program.size(), .filter = program.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/// ns per message published one by one, each with a look at the bell, while the consumer is awake.
/// A system call of the producer would kill it, and thus fail the benchmark.
Result<double> ns_without_system_calls(std::uint64_t messages) {
    constexpr std::uint32_t payload_bytes = 32;
    using Lane = RingsideLane<payload_bytes>;
    Lane lane;
    const SharedMemory bell_memory(sizeof(BellWord));
    auto& bell = *new (bell_memory.bytes().data()) BellWord{};
    const SliceMemory memory;
    const auto send = [&] {
        Lane::Sender sender(lane);
        memory.slice().start_together(2);
        if (!allow_only_exit()) {
            return false;
        }
        for (std::uint64_t sent = 0; sent < messages;) {
            sent += sender.send(sent, 1);
            ring(bell);
        }
        return true;
    };
    const auto receive = [&] {
        Lane::Receiver receiver(lane);
        Check<payload_bytes> check;
        memory.slice().start_together(2);
        const std::int64_t start_ns = monotonic_ns();
        for (Spin spin; check.intact() && check.received() < messages; spin.wait()) {
            receiver.receive(check);
        }
        memory.slice().elapsed_ns.store(monotonic_ns() - start_ns, std::memory_order_release);
        return check.intact();
    };
    if (const auto ran = run_roles("strict producer", std::array<Role, 2>{send, receive}); !ran) {
        return std::unexpected(ran.error());
    }
    return memory.elapsed_ns() / static_cast<double>(messages);
}

// ---- the report --------------------------------------------------------------------------------

std::string throughput_name(std::uint32_t payload_bytes, std::uint32_t at_once) {
    return fmt::format("{} B, {} at once", payload_bytes, at_once);
}

template <std::uint32_t payload_bytes>
Result<void> add_throughput(Report& report, const Options& options, const Scale& scale) {
    Chart chart{.title = fmt::format("Throughput, {} B messages", payload_bytes),
                .x_label = "messages published at once",
                .y_label = "million messages a second",
                .log_x = false,
                .log_y = true,
                .lines = {}};
    for (const std::uint32_t at_once : {1u, 16u, 64u}) {
        if (!options.wants(throughput_name(payload_bytes, at_once))) {
            continue;
        }
        const std::uint64_t messages = scale.bytes / payload_bytes;
        std::vector<Contestant> contestants{
            {RingsideLane<payload_bytes>::name,
             [=] { return messages_per_us<RingsideLane, payload_bytes>(messages, at_once); },
             {}},
            {"memcpy", [=] { return copied_messages_per_us(scale.bytes, payload_bytes); }, {}},
            {BoostLane<payload_bytes, messages_at_once_max>::name,
             [=] {
                 return messages_per_us<BoostLane, payload_bytes, messages_at_once_max>(messages,
                                                                                        at_once);
             },
             {}},
            {BoostLane<payload_bytes, 1>::name,
             [=] { return messages_per_us<BoostLane, payload_bytes, 1>(messages, at_once); },
             {}},
            {PipeLane<payload_bytes>::name,
             [=] {
                 return messages_per_us<PipeLane, payload_bytes>(scale.writes * at_once, at_once);
             },
             {}}};
        if (const auto ran = take_turns(contestants, scale.rounds); !ran) {
            return std::unexpected(ran.error());
        }
        Figure figure = figure_of(contestants, {.against = Against::rival,
                                                .bound = Bound::at_least,
                                                .factor = payload_bytes == 256 ? 2.0 : 1.0});
        figure.name = throughput_name(payload_bytes, at_once);
        figure.unit = "M/s";
        report.figures.push_back(figure);
        chart.lines.resize(contestants.size());
        for (std::size_t at = 0; at < contestants.size(); ++at) {
            chart.lines[at].name = contestants[at].name;
            chart.lines[at].points.emplace_back(at_once, contestants[at].yardstick().value.median);
        }
    }
    report.charts.push_back(std::move(chart));
    return {};
}

template <std::uint32_t payload_bytes>
Result<void> add_round_trip(Report& report, const Options& options, const Scale& scale) {
    const std::string name = fmt::format("round trip, {} B", payload_bytes);
    if (!options.wants(name)) {
        return {};
    }
    const std::uint64_t trips = scale.round_trips;
    std::vector<Contestant> contestants{
        {RingsideLane<payload_bytes>::name,
         [=] { return round_trip_ns<RingsideLane<payload_bytes>, payload_bytes>(trips); },
         {}},
        {"one cache line", [=] { return cache_line_ns(trips); }, {}},
        {BoostLane<payload_bytes, 1>::name,
         [=] { return round_trip_ns<BoostLane<payload_bytes, 1>, payload_bytes>(trips); },
         {}},
        {PipeLane<payload_bytes>::name,
         [=] { return round_trip_ns<PipeLane<payload_bytes>, payload_bytes>(trips / 10); },
         {}}};
    if (const auto ran = take_turns(contestants, scale.rounds); !ran) {
        return std::unexpected(ran.error());
    }
    Figure figure = figure_of(contestants,
                              {.against = Against::floor, .bound = Bound::at_most, .factor = 1.25});
    figure.name = name;
    figure.unit = "ns";
    report.figures.push_back(figure);
    return {};
}

Result<void> add_strict_producer(Report& report, const Options& options, const Scale& scale) {
    const std::string name = "publish one and ring, consumer awake";
    if (!options.wants(name)) {
        return {};
    }
    std::vector<Contestant> contestants{
        {"strict", [&] { return ns_without_system_calls(scale.bytes / 32); }, {}}};
    if (const auto ran = take_turns(contestants, scale.rounds); !ran) {
        return ran;
    }
    report.figures.push_back(
        {.name = name,
         .unit = "ns",
         .value = contestants[0].yardstick().value,
         .note = "the producer ran under a seccomp filter: a futex call would have killed it"});
    return {};
}

}  // namespace

Result<Report> run_rings(const Options& options) {
    const Scale scale = options.smoke ? smoke_scale : full_scale;
    Report report{.bench = "rings"};
    for (const auto part : {add_round_trip<32>, add_round_trip<256>, add_throughput<32>,
                            add_throughput<256>, add_strict_producer}) {
        if (const auto ran = part(report, options, scale); !ran) {
            return std::unexpected(ran.error());
        }
    }
    report.notes.push_back(fmt::format(
        "Two processes on two CPUs, rings and pipe of {} KiB. Every message is made anew and every "
        "word of it read; numbers are checked, nothing lost or doubled.",
        lane_bytes / 1024));
    return report;
}

}  // namespace ringside::bench
