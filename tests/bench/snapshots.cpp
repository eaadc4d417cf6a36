// snapshots: what a snapshot costs its producer while many read.
//
// Floor   memcpy of the same bytes into a ring of four slots and one store that names the newest,
//         while as many readers copy the newest out, without a check.
// Paced, the producer leaves its readers the time to copy every snapshot, as a game does, so that
// all of each has to be taken back from their CPU's caches, by ours and by memcpy alike. Without a
// pause it depends on both sides' speed how many are read at all, and a faster copy is read less.
// Slices of both follow each other.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <ctime>
#include <new>
#include <numeric>

#include <fmt/format.h>

#include "benches.hpp"
#include "contest.hpp"
#include "pinned_roles.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/ipc/snapshot_ring.hpp"

namespace ringside::bench {
namespace {

struct Scale {
    int rounds;
    std::int64_t slice_ns;  // long enough for each reader to get its turn
};
constexpr Scale full_scale{9, 20'000'000};
constexpr Scale smoke_scale{1, 2'000'000};

constexpr std::uint64_t published_between_looks = 64;  // at the clock, when there is no pace
constexpr std::int64_t pace_ns = 20'000;               // a copy of 16 KiB takes a fifth

constexpr std::uint32_t slots = 4;

// Snapshot number n is filled with the byte n % 3: a copy that mixes a record with the one that
// overwrites it, four later, shows.
class Snapshots {
public:
    explicit Snapshots(std::uint32_t bytes) {
        for (std::size_t at = 0; at < fillings_.size(); ++at) {
            fillings_[at].assign(bytes, static_cast<std::byte>(at));
        }
    }
    [[nodiscard]] Bytes operator[](std::uint64_t number) const noexcept {
        return fillings_[number % fillings_.size()];
    }
    [[nodiscard]] static bool is_whole(Bytes snapshot) noexcept {
        return std::memcmp(snapshot.data(), snapshot.data() + 1, snapshot.size() - 1) == 0;
    }

private:
    std::array<std::vector<std::byte>, 3> fillings_;
};

class RingsideBroadcast {
public:
    static constexpr const char* name = "Ringside";

    explicit RingsideBroadcast(std::uint32_t bytes)
        : memory_(snapshot_ring_region_bytes(snapshot_ring_capacity_for(bytes))) {
        create_snapshot_ring(memory_.bytes(), snapshot_ring_capacity_for(bytes));
    }

    class Producer {
    public:
        explicit Producer(RingsideBroadcast& broadcast)
            : ring_(SnapshotProducer::attach(broadcast.memory_.bytes()).value()) {}
        void publish(Bytes snapshot) noexcept { ring_.publish(std::array{snapshot}); }

    private:
        SnapshotProducer ring_;
    };

    class Reader {
    public:
        explicit Reader(RingsideBroadcast& broadcast)
            : ring_(SnapshotReader::attach(broadcast.memory_.bytes()).value()),
              copy_(ring_.payload_bytes_max()) {}

        bool read() noexcept {
            std::size_t bytes = 0;
            const SnapshotRead read = ring_.read_newest(copy_, bytes);
            return read == SnapshotRead::record ? Snapshots::is_whole(Bytes(copy_).first(bytes))
                                                : read != SnapshotRead::damaged;
        }

    private:
        SnapshotReader ring_;
        std::vector<std::byte> copy_;
    };

private:
    SharedMemory memory_;
};

class MemcpyBroadcast {
public:
    static constexpr const char* name = "memcpy";

    explicit MemcpyBroadcast(std::uint32_t bytes)
        : bytes_(bytes), memory_(cache_line_bytes + std::size_t{slots} * bytes) {}

    class Producer {
    public:
        explicit Producer(MemcpyBroadcast& broadcast) : broadcast_(broadcast) {}
        void publish(Bytes snapshot) noexcept {
            std::memcpy(broadcast_.slot(++number_), snapshot.data(), snapshot.size());
            broadcast_.newest().store(number_, std::memory_order_release);
        }

    private:
        MemcpyBroadcast& broadcast_;
        std::uint64_t number_ = 0;
    };

    class Reader {
    public:
        explicit Reader(MemcpyBroadcast& broadcast)
            : broadcast_(broadcast), copy_(broadcast.bytes_) {}
        bool read() noexcept {
            const std::uint64_t newest = broadcast_.newest().load(std::memory_order_acquire);
            if (newest != number_) {
                number_ = newest;
                std::memcpy(copy_.data(), broadcast_.slot(newest), copy_.size());
                whole_count_ += Snapshots::is_whole(copy_) ? 1u : 0u;
            }
            return whole_count_ <= newest;  // so that the copy is used
        }

    private:
        MemcpyBroadcast& broadcast_;
        std::vector<std::byte> copy_;
        std::uint64_t number_ = 0;
        std::uint64_t whole_count_ = 0;
    };

private:
    [[nodiscard]] std::atomic<std::uint64_t>& newest() const noexcept {
        return *reinterpret_cast<std::atomic<std::uint64_t>*>(memory_.bytes().data());
    }
    [[nodiscard]] std::byte* slot(std::uint64_t number) const noexcept {
        return memory_.bytes().data() + cache_line_bytes + number % slots * bytes_;
    }

    std::uint32_t bytes_;
    SharedMemory memory_;
};

// Of this process: what publishing costs, not how long it took. A producer whose CPU was given to
// somebody else for a while has not become slower.
std::int64_t cpu_ns() {
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return used.tv_sec * 1'000'000'000 + used.tv_nsec;
}

enum class Pace : std::uint8_t { readers, none };

/// ns of CPU of one snapshot, the mean of as many as fit into the slice.
template <class Producer>
double publish_without_pause(Producer& producer, const Snapshots& source, std::int64_t slice_ns) {
    const std::int64_t start_ns = cpu_ns();
    std::int64_t elapsed_ns = 0;
    std::uint64_t number = 0;
    while (elapsed_ns < slice_ns) {
        for (std::uint64_t left = published_between_looks; left > 0; --left) {
            producer.publish(source[number++]);
        }
        elapsed_ns = cpu_ns() - start_ns;
    }
    return static_cast<double>(elapsed_ns) / static_cast<double>(number);
}

/// ns of what is done once at every turn of the pace. The mean without the slowest tenth, in which
/// the CPU was given to somebody else: the clock is too coarse for a median.
template <class Do>
double timed_at_pace(std::int64_t slice_ns, Do act) {
    std::vector<std::int64_t> took_ns;
    std::atomic<int> drain{0};  // TSan would not see a fence
    const std::int64_t end_ns = monotonic_ns() + slice_ns;
    for (std::int64_t due_ns = monotonic_ns(); due_ns < end_ns; due_ns += pace_ns) {
        while (monotonic_ns() < due_ns) {
        }
        const std::int64_t before_ns = monotonic_ns();
        act(took_ns.size());
        drain.exchange(1, std::memory_order_seq_cst);  // comes back when its stores are out
        took_ns.push_back(monotonic_ns() - before_ns);
    }
    std::ranges::sort(took_ns);
    took_ns.resize(took_ns.size() - took_ns.size() / 10);
    return static_cast<double>(std::reduce(took_ns.begin(), took_ns.end())) /
           static_cast<double>(took_ns.size());
}

/// ns of one snapshot, without what the clock itself takes.
template <class Producer>
double publish_at_pace(Producer& producer, const Snapshots& source, std::int64_t slice_ns) {
    const double clock_ns = timed_at_pace(slice_ns / 4, [](std::uint64_t) {});
    return timed_at_pace(slice_ns,
                         [&](std::uint64_t number) { producer.publish(source[number]); }) -
           clock_ns;
}

/// What a snapshot costs its producer, ns.
template <class Broadcast>
Result<double> publish_ns(std::uint32_t bytes, std::uint32_t readers, Pace pace,
                          std::int64_t slice_ns) {
    Broadcast broadcast(bytes);
    const Snapshots source(bytes);
    const SliceMemory memory;
    const SharedMemory cost_memory(sizeof(double));
    auto& cost_ns = *new (cost_memory.bytes().data()) double{0};
    const std::uint32_t role_count = readers + 1;
    const Role publish = [&] {
        typename Broadcast::Producer producer(broadcast);
        memory.slice().start_together(role_count);
        cost_ns = pace == Pace::none ? publish_without_pause(producer, source, slice_ns)
                                     : publish_at_pace(producer, source, slice_ns);
        memory.slice().elapsed_ns.store(slice_ns, std::memory_order_release);
        return true;
    };
    const Role read = [&] {
        typename Broadcast::Reader reader(broadcast);
        memory.slice().start_together(role_count);
        while (memory.slice().elapsed_ns.load(std::memory_order_acquire) == 0) {
            if (!reader.read()) {
                return false;
            }
        }
        return true;
    };
    std::vector<Role> roles(role_count, read);
    roles.front() = publish;
    if (const auto ran = run_roles(Broadcast::name, roles); !ran) {
        return std::unexpected(ran.error());
    }
    return cost_ns;  // the end of the process that stored it carries it
}

Result<void> add_size(Report& report, std::uint32_t bytes, Pace pace, const Options& options,
                      const Scale& scale) {
    const char* how = pace == Pace::none ? "without a pause" : "every one read";
    Chart chart{
        .title = fmt::format("A snapshot of {} KiB, {}: cost for its producer", bytes / 1024, how),
        .x_label = "readers",
        .y_label = "ns a snapshot",
        .lines = {{RingsideBroadcast::name, {}}, {MemcpyBroadcast::name, {}}}};
    for (const std::uint32_t readers : {1u, 4u, 16u}) {
        const std::string name =
            fmt::format("publish {} KiB, {} readers, {}", bytes / 1024, readers, how);
        if (!options.wants(name)) {
            continue;
        }
        std::vector<Contestant> contestants{
            {RingsideBroadcast::name,
             [=] { return publish_ns<RingsideBroadcast>(bytes, readers, pace, scale.slice_ns); },
             {}},
            {MemcpyBroadcast::name,
             [=] { return publish_ns<MemcpyBroadcast>(bytes, readers, pace, scale.slice_ns); },
             {}}};
        if (const auto ran = take_turns(contestants, scale.rounds); !ran) {
            return ran;
        }
        Figure figure = figure_of(
            contestants, {.against = Against::floor, .bound = Bound::at_most, .factor = 1.3});
        figure.name = name;
        figure.unit = "ns";
        report.figures.push_back(figure);
        for (std::size_t at = 0; at < contestants.size(); ++at) {
            chart.lines[at].points.emplace_back(readers, contestants[at].yardstick().value.median);
        }
    }
    report.charts.push_back(std::move(chart));
    return {};
}

}  // namespace

Result<Report> run_snapshots(const Options& options) {
    const Scale scale = options.smoke ? smoke_scale : full_scale;
    Report report{.bench = "snapshots"};
    for (const std::uint32_t bytes : {1024u, 16u * 1024}) {
        for (const Pace pace : {Pace::readers, Pace::none}) {
            if (const auto ran = add_size(report, bytes, pace, options, scale); !ran) {
                return std::unexpected(ran.error());
            }
        }
    }
    report.notes.emplace_back(
        "The producer has a CPU of its own, all readers share the other; every copy that "
        "Ringside's readers accept is checked to be whole. The floor's readers cannot tell.");
    return report;
}

}  // namespace ringside::bench
