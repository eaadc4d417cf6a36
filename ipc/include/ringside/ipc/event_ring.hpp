#pragma once
// EventRing: carries events from one front to one game, in order, without loss.
//
// Roles    one producer (the front's loop), one consumer (the game's loop), in two processes.
//          A role is an object: EventProducer or EventConsumer, made once per epoch.
// Memory   [header 192 B][records: capacity_bytes, a power of two], in the game's segment.
//          A record is {u32 payload_bytes, u32 kind} + payload, padded to 8. A record never wraps;
//          a padding record (kind 0) fills the end.
// Ordering PUBLISHED: tail_position, release by the producer ⇄ acquire by the consumer.
//                     Carries every byte of every record below the tail.
//          RELEASED:  head_position, release by the consumer ⇄ acquire by the producer.
//                     The snapshot holding these events is published: their bytes may be reused.
//          READY:     magic, release by the creator ⇄ acquire on attach. Carries the header.
//          Each side reads its own position relaxed: nobody else writes it.
// Crash    A producer that dies between claim and publish leaves no trace. A consumer that dies
//          is followed by one that starts at the position its last snapshot names.
// Errors   A full ring is back-pressure, not an error. Bytes found in it are foreign: checked.
// See      docs/architecture.md (picture); Aeron aeron_spsc_rb.c (padding); rigtorp SPSCQueue.h
//          (each side caches the other's position).

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "ringside/core/game.hpp"
#include "ringside/core/limits.hpp"

namespace ringside {

/// What an event asks of a game. 0 is the ring's own padding.
enum class EventKind : std::uint32_t {
    padding = 0,
    join = 1,   // body: the joiner's parameters
    leave = 2,  // body: empty
    input = 3,  // body: what the player sent
    step = 4,   // lockstep pacing only: run one tick now; body: empty, session 0
};

struct EventRingHeader {
    std::atomic<std::uint32_t> magic;  // READY: stored last; a mapping without it is not ready
    std::uint32_t layout_version;      // attach refuses any other
    std::uint32_t capacity_bytes;      // of the record area
    std::uint32_t reserved;            // zero
    alignas(cache_line_bytes) std::atomic<std::uint64_t> tail_position;  // producer's line
    alignas(cache_line_bytes) std::atomic<std::uint64_t> head_position;  // consumer's line
};
static_assert(std::is_standard_layout_v<EventRingHeader>);
static_assert(std::is_trivially_destructible_v<EventRingHeader>);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "a lock cannot span processes");
static_assert(offsetof(EventRingHeader, tail_position) == 64);
static_assert(offsetof(EventRingHeader, head_position) == 128);
static_assert(sizeof(EventRingHeader) == 192, "layout changed: raise event_ring_layout_version");

inline constexpr std::uint32_t event_ring_layout_version = 1;

/// Bytes of a ring with the given record area, header included.
[[nodiscard]] constexpr std::size_t event_ring_region_bytes(std::uint32_t capacity_bytes) noexcept {
    return sizeof(EventRingHeader) + capacity_bytes;
}

/// Makes an empty ring in zero-filled memory of event_ring_region_bytes(capacity_bytes), whose
/// positions start at `first_position` (a multiple of 8; 0 but in tests). capacity_bytes is a power
/// of two, at least 64.
void create_event_ring(MutableBytes region, std::uint32_t capacity_bytes,
                       std::uint64_t first_position = 0) noexcept;

class EventProducer {
public:
    /// Takes over as the only producer, at the published tail.
    [[nodiscard]] static Result<EventProducer> attach(MutableBytes region);

    [[nodiscard]] std::uint32_t payload_bytes_max() const noexcept { return capacity_bytes_ / 4; }

    /// Room for one payload, or an empty span under back-pressure. Claims add up until publish().
    /// Requires payload_bytes in [1, payload_bytes_max()] and a kind other than padding.
    [[nodiscard]] std::span<std::byte> try_claim(EventKind, std::uint32_t payload_bytes) noexcept;

    /// Makes everything claimed since the last publish visible, with one release store; rings no
    /// doorbell. Without a claim it does nothing.
    void publish() noexcept;

    /// Where the next record will begin, claimed ones included: an event lies before a position p
    /// if the position() read after its claim is ≤ p.
    [[nodiscard]] std::uint64_t position() const noexcept { return claimed_position_; }

    /// How far the consumer has released. Foreign: a value outside the ring is clamped to it.
    [[nodiscard]] std::uint64_t released_position() noexcept;

private:
    EventProducer(EventRingHeader& header, std::byte* records,
                  std::uint32_t capacity_bytes) noexcept;

    EventRingHeader* header_;
    std::byte* records_;
    std::uint32_t capacity_bytes_;      // private copy: the header can be overwritten
    std::uint64_t published_position_;  // what tail_position holds
    std::uint64_t claimed_position_;    // ≥ published_position_
    std::uint64_t head_cached_;
};

enum class Peek : std::uint8_t {
    record,   // there is one
    empty,    // nothing published beyond the cursor
    damaged,  // what is there cannot be right: never use this ring again
};

struct EventRecord {
    EventKind kind = EventKind::padding;
    std::span<const std::byte> payload;  // in the ring: copy, then judge
};

class EventConsumer {
public:
    /// Takes over as the only consumer, with the cursor at `position`: the head of a new ring, or
    /// what the last snapshot names. Refuses a position outside [head, tail].
    [[nodiscard]] static Result<EventConsumer> attach(MutableBytes region, std::uint64_t position);

    /// The record at the cursor. Does not move it.
    [[nodiscard]] Peek peek(EventRecord& record) noexcept;

    /// Moves the cursor past the record that peek() gave.
    void advance() noexcept;

    /// Gives everything before the cursor back to the producer. Only after the snapshot that holds
    /// those events is published.
    void release() noexcept;

    /// The cursor: events before it are applied.
    [[nodiscard]] std::uint64_t position() const noexcept { return cursor_position_; }

    /// Whether anything lies beyond the cursor.
    [[nodiscard]] bool has_more() noexcept;

private:
    EventConsumer(EventRingHeader& header, const std::byte* records, std::uint32_t capacity_bytes,
                  std::uint64_t position) noexcept;

    EventRingHeader* header_;
    const std::byte* records_;
    std::uint32_t capacity_bytes_;
    std::uint64_t cursor_position_;
    std::uint64_t released_position_;
    std::uint64_t peeked_bytes_ = 0;  // of the record at the cursor, once peeked
    std::uint64_t tail_cached_;
};

}  // namespace ringside
