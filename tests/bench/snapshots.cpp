// snapshots: what a snapshot costs its producer while many read.
//
// Floor   memcpy of the same bytes into a ring of four slots and one store that names the newest,
//         while as many readers copy the newest out, without a check.
// The producer publishes without a pause, which is the worst for everybody: a game does it 60 times
// a second. Slices of both follow each other.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <ctime>
#include <new>

#include <fmt/format.h>

#include "benches.hpp"
#include "contest.hpp"
#include "pinned_roles.hpp"

#include "ringside/ipc/snapshot_ring.hpp"

namespace ringside::bench {
namespace {

struct Scale {
    int rounds;
    std::int64_t slice_ns;  // long enough for each reader to get its turn
};
constexpr Scale full_scale{9, 20'000'000};
constexpr Scale smoke_scale{1, 2'000'000};

constexpr std::uint64_t published_between_looks = 64;  // at the clock

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

/// ns of CPU per snapshot for the producer.
template <class Broadcast>
Result<double> publish_ns(std::uint32_t bytes, std::uint32_t readers, std::int64_t slice_ns) {
    Broadcast broadcast(bytes);
    const Snapshots source(bytes);
    const SliceMemory memory;
    const SharedMemory published_memory(cache_line_bytes);
    auto& published = *new (published_memory.bytes().data()) std::atomic<std::uint64_t>{0};
    const std::uint32_t role_count = readers + 1;
    const Role publish = [&] {
        typename Broadcast::Producer producer(broadcast);
        memory.slice().start_together(role_count);
        const std::int64_t start_ns = cpu_ns();
        std::int64_t elapsed_ns = 0;
        for (std::uint64_t number = 0; elapsed_ns < slice_ns;) {
            for (std::uint64_t left = published_between_looks; left > 0; --left) {
                producer.publish(source[number++]);
            }
            elapsed_ns = cpu_ns() - start_ns;
            published.store(number,
                            std::memory_order_relaxed);  // the end of the process carries it
        }
        memory.slice().elapsed_ns.store(elapsed_ns, std::memory_order_release);
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
    return memory.elapsed_ns() / static_cast<double>(published.load(std::memory_order_relaxed));
}

Result<void> add_size(Report& report, std::uint32_t bytes, const Scale& scale) {
    Chart chart{.title = fmt::format("A snapshot of {} KiB: cost for its producer", bytes / 1024),
                .x_label = "readers",
                .y_label = "ns CPU a snapshot",
                .lines = {{RingsideBroadcast::name, {}}, {MemcpyBroadcast::name, {}}}};
    for (const std::uint32_t readers : {1u, 4u, 16u}) {
        std::vector<Contestant> contestants{
            {RingsideBroadcast::name,
             [=] { return publish_ns<RingsideBroadcast>(bytes, readers, scale.slice_ns); },
             {}},
            {MemcpyBroadcast::name,
             [=] { return publish_ns<MemcpyBroadcast>(bytes, readers, scale.slice_ns); },
             {}}};
        if (const auto ran = take_turns(contestants, scale.rounds); !ran) {
            return ran;
        }
        Figure figure = figure_of(
            contestants, {.against = Against::floor, .bound = Bound::at_most, .factor = 1.3});
        figure.name = fmt::format("publish {} KiB, {} readers", bytes / 1024, readers);
        figure.unit = "ns CPU";
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
        if (const auto ran = add_size(report, bytes, scale); !ran) {
            return std::unexpected(ran.error());
        }
    }
    report.notes.emplace_back(
        "The producer has a CPU of its own, all readers share the other; every copy that "
        "Ringside's "
        "readers accept is checked to be whole. The floor's readers cannot tell.");
    return report;
}

}  // namespace ringside::bench
