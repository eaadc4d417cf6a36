// Producer and consumer as threads on one mapping, for ThreadSanitizer: the same words, the same
// orders as between processes. The event ring alone also runs as mutants/, to prove that a weaker
// order would be reported.

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "ring_memory.hpp"

#include "ringside/ipc/doorbell.hpp"
#include "ringside/ipc/event_ring.hpp"
#include "ringside/ipc/shared_record.hpp"
#include "ringside/ipc/snapshot_ring.hpp"

using namespace ringside;
using namespace ringside::test;

namespace {

constexpr std::uint64_t events_max = 40'000;
constexpr std::int64_t never_ns = std::numeric_limits<std::int64_t>::max();

std::byte event_byte(std::uint64_t number) {
    return static_cast<std::byte>(number * 31 + 7);
}
std::uint32_t event_bytes(std::uint64_t number) {
    return static_cast<std::uint32_t>(1 + number * 13 % 200);
}

struct Host {  // what a front and a game share in this test
    BellWord game_bell;
    BellWord front_bell;
    std::atomic<std::uint64_t> ringing[1];
    SharedRecord<std::uint64_t> applied;
};

// The front: sends numbered events in random batches, follows the snapshots, sleeps on both.
struct Front {
    Host& host;
    EventProducer events;
    SnapshotReader snapshots;
    Random random;

    bool run() {
        RingingGames games(host.ringing);
        std::vector<std::byte> snapshot(snapshots.payload_bytes_max());
        std::uint64_t sent = 0;
        std::uint64_t applied = 0;
        while (applied < events_max) {
            bool full = false;
            for (std::uint32_t left = 1 + random.below(30); left > 0 && sent < events_max; --left) {
                const auto room = events.try_claim(EventKind::input, event_bytes(sent));
                full = room.empty();
                if (full) {
                    break;
                }
                std::ranges::fill(room, event_byte(sent));
                ++sent;
            }
            events.publish();
            ring(host.game_bell);
            if (full || sent == events_max) {
                announce_sleep(host.front_bell);
                if (games.any()) {
                    stay_awake(host.front_bell);
                } else {
                    wait_until(host.front_bell, never_ns);
                }
            }
            games.drain([](std::uint32_t) {});
            std::size_t bytes = 0;
            if (snapshots.read_newest(snapshot, bytes) == SnapshotRead::record) {
                std::uint64_t in_snapshot = 0;
                std::memcpy(&in_snapshot, snapshot.data(), sizeof in_snapshot);
                const auto rest = Bytes(snapshot).first(bytes).subspan(sizeof in_snapshot);
                const bool whole = std::ranges::all_of(
                    rest, [&](std::byte byte) { return byte == event_byte(in_snapshot); });
                std::uint64_t in_record = 0;
                if (!whole || in_snapshot < applied || in_snapshot > sent ||
                    (host.applied.read(in_record) && in_record < in_snapshot)) {
                    return false;
                }
                applied = in_snapshot;
            }
        }
        return true;
    }
};

// The game: applies events in order, publishes, releases, rings, sleeps.
struct Play {
    Host& host;
    EventConsumer events;
    SnapshotProducer snapshots;

    bool run() {
        RingingGames games(host.ringing);
        std::vector<std::byte> view(snapshots.payload_bytes_max() - 8);
        for (std::uint64_t applied = 0; applied < events_max;) {
            EventRecord record;
            Peek peek = Peek::empty;
            while ((peek = events.peek(record)) == Peek::record) {
                if (record.payload.size() != event_bytes(applied) ||
                    !std::ranges::all_of(record.payload, [&](std::byte byte) {
                        return byte == event_byte(applied);
                    })) {
                    return false;
                }
                ++applied;
                events.advance();
            }
            if (peek == Peek::damaged) {
                return false;
            }
            host.applied.write(applied);
            std::ranges::fill(view, event_byte(applied));
            const Bytes parts[] = {std::as_bytes(std::span(&applied, 1)),
                                   Bytes(view).first(applied % view.size())};
            snapshots.publish(parts);
            events.release();
            games.set(0);
            ring(host.front_bell);
            if (applied < events_max) {
                announce_sleep(host.game_bell);
                if (events.has_more()) {
                    stay_awake(host.game_bell);
                } else {
                    wait_until(host.game_bell, never_ns);
                }
            }
        }
        return true;
    }
};

}  // namespace

TEST_CASE("rings: a front and a game as two threads lose nothing and never hang",
          "[ipc][ring_stress]") {
    constexpr std::uint32_t event_capacity_bytes = 2048;
    constexpr std::uint32_t snapshot_capacity_bytes = 2048;
    const ExactMemory event_memory(event_ring_region_bytes(event_capacity_bytes));
    const ExactMemory snapshot_memory(snapshot_ring_region_bytes(snapshot_capacity_bytes));
    const std::uint64_t first_position = std::uint64_t{0} - (1u << 20);
    create_event_ring(event_memory.bytes(), event_capacity_bytes, first_position);
    create_snapshot_ring(snapshot_memory.bytes(), snapshot_capacity_bytes, first_position);
    Host host{};
    Front front{host, EventProducer::attach(event_memory.bytes()).value(),
                SnapshotReader::attach(snapshot_memory.bytes()).value(), test_random()};
    Play game{host, EventConsumer::attach(event_memory.bytes(), first_position).value(),
              SnapshotProducer::attach(snapshot_memory.bytes()).value()};
    bool game_intact = false;
    std::thread playing([&] { game_intact = game.run(); });
    const bool front_intact = front.run();
    playing.join();
    REQUIRE(game_intact);
    REQUIRE(front_intact);
}
