// What a front does with a game's segment while the game rewrites it: never a byte out of bounds,
// never a value that was not judged. The memory is of exactly the ring's size, for
// AddressSanitizer. RINGSIDE_TORTURE_READS says how many (default 10^7; `torture` takes 10^8).

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "ring_memory.hpp"

#include "ringside/ipc/event_ring.hpp"
#include "ringside/ipc/snapshot.hpp"
#include "ringside/ipc/snapshot_ring.hpp"

using namespace ringside;
using namespace ringside::test;

namespace {

constexpr std::uint32_t capacity_bytes = 2048;
constexpr std::uint32_t scribbles_between_repairs = 4;

std::uint64_t reads_wanted() {
    const char* text = std::getenv("RINGSIDE_TORTURE_READS");
#if defined(__SANITIZE_THREAD__)
    constexpr std::uint64_t usual = 1'000'000;  // what it looks for here is found at once
#else
    constexpr std::uint64_t usual = 10'000'000;
#endif
    return text == nullptr ? usual : std::strtoull(text, nullptr, 10);
}

/// What may be written over a position, length or count: near what is right, or anything.
std::uint64_t lie(Random& random, std::uint64_t truth) {
    switch (random.below(4)) {
        case 0: return truth + random.below(65) - 32;
        case 1: return truth ^ std::uint64_t{1} << random.below(64);
        case 2: return random.below(2 * capacity_bytes);
        default: return random.next();
    }
}

class HostileGame {
public:
    HostileGame(MutableBytes region, Random random) : region_(region), random_(random) {
        create_snapshot_ring(region_, capacity_bytes);
    }

    void run(const std::atomic<bool>& stop) {
        while (!stop.load(std::memory_order_relaxed)) {
            repair();
            for (std::uint32_t i = 0; i < scribbles_between_repairs; ++i) {
                scribble();
                if (random_.below(4) == 0) {
                    publish_if_possible();
                }
            }
        }
    }

private:
    SnapshotRingHeader& header() const {
        return *reinterpret_cast<SnapshotRingHeader*>(region_.data());
    }
    std::atomic_ref<std::uint64_t> word(std::size_t offset) const {
        return std::atomic_ref(*reinterpret_cast<std::uint64_t*>(region_.data() + offset));
    }

    void repair() {
        header().newest_position.store(no_position, std::memory_order_release);
        header().intent_position.store(0, std::memory_order_release);
        publish_if_possible();
    }

    void publish_if_possible() {
        auto producer = SnapshotProducer::attach(region_);
        if (!producer) {
            return;
        }
        SnapshotHeader snapshot{};
        snapshot.roster_entries = random_.below(3);
        snapshot.roster_answers = random_.below(2);
        snapshot.fronts = static_cast<std::uint8_t>(random_.below(3));
        snapshot.state_bytes = random_.below(40);
        snapshot.view_bytes = random_.below(80);
        snapshot.delta_bytes = random_.below(16);
        const std::size_t bytes = sizeof(snapshot) + snapshot.fronts * sizeof(FrontMark) +
                                  snapshot.roster_entries * sizeof(RosterEntry) +
                                  snapshot.roster_answers * sizeof(RosterAnswer) +
                                  padded_bytes(snapshot.delta_bytes) +
                                  padded_bytes(snapshot.state_bytes) + snapshot.view_bytes;
        std::memcpy(payload_.data(), &snapshot, sizeof(snapshot));
        const Bytes payload = Bytes(payload_).first(bytes);
        producer->publish({&payload, 1});
    }

    void scribble() {
        const std::uint64_t newest = header().newest_position.load(std::memory_order_relaxed);
        const std::size_t record =
            sizeof(SnapshotRingHeader) + (newest & (capacity_bytes - 1) & ~std::uint64_t{7});
        switch (random_.below(6)) {
            case 0: header().newest_position.store(lie(random_, newest)); break;
            case 1: header().intent_position.store(lie(random_, newest + 128)); break;
            case 2: lie_at(record); break;                              // its sequence
            case 3: lie_at(record + 8); break;                          // its length
            case 4: lie_at(record + 16 + 8 * random_.below(5)); break;  // what the snapshot counts
            default: lie_at(8 * random_.below(static_cast<std::uint32_t>(region_.size() / 8)));
        }
    }
    void lie_at(std::size_t offset) {
        if (offset >= 16 && offset + 8 <= region_.size()) {  // before that: read when attached
            word(offset).store(lie(random_, word(offset).load()));
        }
    }

    MutableBytes region_;
    Random random_;
    std::array<std::byte, 512> payload_{};
};

/// Reads every byte: AddressSanitizer watches.
std::uint64_t digest(const SnapshotParts& parts) {
    std::uint64_t sum = parts.header.tick;
    for (const Bytes bytes : {std::as_bytes(parts.fronts), std::as_bytes(parts.roster),
                              std::as_bytes(parts.answers), parts.delta, parts.state, parts.view}) {
        for (const std::byte byte : bytes) {
            sum = sum * 31 + static_cast<std::uint64_t>(byte);
        }
    }
    return sum;
}

/// Runs while it lives.
class Rewriting {
public:
    explicit Rewriting(HostileGame& game) : thread_([this, &game] { game.run(stop_); }) {}
    Rewriting(const Rewriting&) = delete;
    Rewriting& operator=(const Rewriting&) = delete;
    ~Rewriting() {
        stop_ = true;
        thread_.join();
    }

private:
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

}  // namespace

TEST_CASE("hostile ring: a reader believes nothing of what is rewritten under it",
          "[ipc][hostile]") {
    const ExactMemory memory(snapshot_ring_region_bytes(capacity_bytes));
    HostileGame game(memory.bytes(), test_random());
    SnapshotReader reader = SnapshotReader::attach(memory.bytes()).value();
    // Of exactly the size that is asked for, as the ring itself.
    std::vector<std::uint64_t> copy((reader.payload_bytes_max() + 7) / 8);
    const MutableBytes out =
        std::as_writable_bytes(std::span(copy)).first(reader.payload_bytes_max());
    const Rewriting rewriting(game);
    std::array<std::uint64_t, 4> outcomes{};
    std::uint64_t taken_apart = 0;
    std::uint64_t sum = 0;
    const std::uint64_t reads = reads_wanted();
    // On a busy machine the other thread may not run for a while: each outcome must be seen.
    const auto seen_all = [&] {
        return taken_apart > 0 && outcomes[1] > taken_apart && outcomes[3] > 0;
    };
    for (std::uint64_t i = 0; i < reads || !seen_all(); ++i) {
        std::size_t bytes = 0;
        reader.read_again();
        const SnapshotRead read = reader.read_newest(out, bytes);
        ++outcomes[static_cast<std::size_t>(read)];
        if (read != SnapshotRead::record) {
            continue;
        }
        if (bytes == 0 || bytes > out.size()) {
            FAIL(bytes << " bytes of at most " << out.size());
        }
        if (const auto parts = parse_snapshot(Bytes(out).first(bytes))) {
            ++taken_apart;
            sum += digest(*parts);
        }
    }
    std::printf(
        "%llu reads: %llu records (%llu taken apart, sum %llx), %llu lapped, %llu damaged\n",
        static_cast<unsigned long long>(reads), static_cast<unsigned long long>(outcomes[1]),
        static_cast<unsigned long long>(taken_apart), static_cast<unsigned long long>(sum),
        static_cast<unsigned long long>(outcomes[2]), static_cast<unsigned long long>(outcomes[3]));
}

TEST_CASE("hostile ring: a producer believes no head", "[ipc][hostile]") {
    const ExactMemory memory(event_ring_region_bytes(capacity_bytes));
    create_event_ring(memory.bytes(), capacity_bytes);
    EventProducer producer = EventProducer::attach(memory.bytes()).value();
    auto& header = *reinterpret_cast<EventRingHeader*>(memory.bytes().data());
    std::atomic<bool> stop = false;
    std::atomic<std::uint64_t> position = 0;  // the producer's own
    std::thread lying([&, random = test_random()]() mutable {
        while (!stop.load(std::memory_order_relaxed)) {
            const std::uint64_t truth = position.load(std::memory_order_relaxed);
            header.head_position.store(random.below(2) == 0 ? truth : lie(random, truth));
            if (random.below(64) == 0) {
                header.tail_position.store(random.next());  // its own: never read back
            }
        }
    });
    Random random = test_random();
    std::uint64_t written = 0;
    std::uint64_t refused = 0;
    const std::uint64_t tries = reads_wanted();
    for (std::uint64_t i = 0; i < tries || written == 0 || refused == 0; ++i) {
        const auto room =
            producer.try_claim(EventKind::input, 1 + random.below(producer.payload_bytes_max()));
        if (!room.empty()) {
            std::ranges::fill(room, std::byte{1});
            ++written;
            producer.publish();
            position.store(producer.position(), std::memory_order_relaxed);
        } else {
            ++refused;
        }
    }
    stop = true;
    lying.join();
    std::printf("%llu events written, %llu refused\n", static_cast<unsigned long long>(written),
                static_cast<unsigned long long>(refused));
}
