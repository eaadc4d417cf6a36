#include "scribbles.hpp"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "ringside/core/random.hpp"
#include "ringside/ipc/event_ring.hpp"
#include "ringside/ipc/snapshot_ring.hpp"

namespace ringside::test {
namespace {

constexpr std::uintptr_t page_bytes = 4096;
constexpr int turns = 20'000;  // of what goes on for a while, under the eyes of its readers

/// Whether this word can be read and is that one: a futex, which games may use, would wait then.
bool is_word(std::uintptr_t address, std::uint32_t word) {
    const timespec at_once{};
    return syscall(SYS_futex, address, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, word, &at_once, nullptr,
                   0) == -1 &&
           errno == ETIMEDOUT;
}

/// The page that begins with this word, of those mapped around the C library.
void* find_page(std::uint32_t magic) {
    constexpr std::uintptr_t pages_around = 128 * 1024;
    const auto library = reinterpret_cast<std::uintptr_t>(&std::abort) / page_bytes;
    for (std::uintptr_t i = 0; i < 2 * pages_around; ++i) {
        const std::uintptr_t page = i % 2 == 0 ? library - i / 2 : library + i / 2;
        if (is_word(page * page_bytes, magic)) {
            return reinterpret_cast<void*>(page * page_bytes);
        }
    }
    return nullptr;
}

std::byte* start_of(const Writable& memory) {
    return reinterpret_cast<std::byte*>(memory.game);
}

/// All that has pages: beyond it are the rings of fronts that have not come.
void fill(const Writable& memory, int byte) {
    const GameSegmentPlan plan = memory.game->header.plan;
    std::memset(start_of(memory), byte,
                std::size_t{plan.event_rings_offset} + plan.event_ring_stride);
}

SnapshotRingHeader& snapshots(const Writable& memory) {
    return *reinterpret_cast<SnapshotRingHeader*>(start_of(memory) +
                                                  memory.game->header.plan.snapshot_ring_offset);
}

std::span<std::uint64_t> snapshot_words(const Writable& memory) {
    SnapshotRingHeader& header = snapshots(memory);
    return {reinterpret_cast<std::uint64_t*>(&header + 1),
            header.capacity_bytes / sizeof(std::uint64_t)};
}

EventRingHeader& events_of_first_front(const Writable& memory) {
    return *reinterpret_cast<EventRingHeader*>(start_of(memory) +
                                               memory.game->header.plan.event_rings_offset);
}

void move_newest(const Writable& memory, std::uint64_t by) {
    for (int turn = 0; turn < turns; ++turn) {
        snapshots(memory).newest_position.fetch_add(by);
    }
}

void rewrite_snapshots(const Writable& memory, std::uint64_t mask) {
    Random random(1);
    const auto words = snapshot_words(memory);
    for (int turn = 0; turn < turns; ++turn) {
        for (int i = 0; i < 16; ++i) {
            const std::uint64_t word = random.next();
            std::atomic_ref(words[random.below(static_cast<std::uint32_t>(words.size()))])
                .store(word & mask);
        }
    }
}

}  // namespace

const std::array<Scribble, scribble_count>& scribbles() {
    static const std::array<Scribble, scribble_count> all{{
        {"all bits and bells of all fronts, again and again",
         [](const Writable& memory) {
             auto* words = reinterpret_cast<std::uint64_t*>(memory.doorbells->front);
             const std::size_t count =
                 (memory.doorbells->segment_bytes - sizeof(DoorbellSegmentLayout) +
                  sizeof(memory.doorbells->front)) /
                 sizeof(std::uint64_t);
             for (int turn = 0; turn < turns; ++turn) {
                 for (std::size_t i = 0; i < count; ++i) {
                     std::atomic_ref(words[i]).store(turn % 2 == 0 ? ~std::uint64_t{0} : 0,
                                                     std::memory_order_relaxed);
                 }
             }
         }},
        {"zeros all over its segment", [](const Writable& memory) { fill(memory, 0); }},
        {"ones all over its segment", [](const Writable& memory) { fill(memory, 0xff); }},
        {"its snapshots far ahead", [](const Writable& memory) { move_newest(memory, 1u << 30); }},
        {"its snapshots backwards",
         [](const Writable& memory) { move_newest(memory, ~std::uint64_t{0} - 63); }},
        {"lengths that lie",
         [](const Writable& memory) { rewrite_snapshots(memory, 0xffff'ffff); }},
        {"its snapshots while they are read",
         [](const Writable& memory) { rewrite_snapshots(memory, ~std::uint64_t{0}); }},
        {"what it has read of a front's events ahead",
         [](const Writable& memory) {
             events_of_first_front(memory).head_position.fetch_add(1u << 20);
         }},
        {"what it has read of a front's events backwards",
         [](const Writable& memory) {
             events_of_first_front(memory).head_position.fetch_sub(1u << 20);
         }},
        {"a front's own position",
         [](const Writable& memory) {
             events_of_first_front(memory).tail_position.store(~std::uint64_t{0} / 3);
         }},
        {"whose it is, what is to be skipped, which fronts there are",
         [](const Writable& memory) {
             memory.game->header.owner_pid.store(1);
             memory.game->header.skip_position_plus_1 = ~std::uint64_t{0};
             memory.game->header.skip_front_slot = ~0u;
             memory.game->fronts.active.store(~std::uint64_t{0});
             for (auto& epoch : memory.game->front_epochs.epoch) {
                 epoch.store(0x7fff'ffff);
             }
         }},
    }};
    return all;
}

bool scribble(std::size_t which) {
    const Writable memory{
        .game = static_cast<GameSegmentLayout*>(find_page(game_segment_magic)),
        .doorbells = static_cast<DoorbellSegmentLayout*>(find_page(doorbell_segment_magic))};
    if (memory.game == nullptr || memory.doorbells == nullptr) {
        return false;
    }
    scribbles()[which].run(memory);
    return true;
}

}  // namespace ringside::test
