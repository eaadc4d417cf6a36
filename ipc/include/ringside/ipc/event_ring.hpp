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
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "ringside/core/game.hpp"
#include "ringside/core/invariant.hpp"
#include "ringside/core/limits.hpp"
#include "ringside/ipc/shared_words.hpp"

namespace ringside {

/// What an event asks of a game. 0 is the ring's own padding.
enum class EventKind : std::uint32_t {
    padding = 0,
    join = 1,    // body: join_body
    leave = 2,   // body: empty
    input = 3,   // body: what the player sent
    step = 4,    // lockstep pacing only: run one tick now; body: empty, session 0
    resume = 5,  // body: resume_body
    detach = 6,  // the session's connection is lost; body: empty
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

struct EventRecordHeader {
    std::uint32_t payload_bytes;  // of a padding record: what is left of the record area
    std::uint32_t kind;
};
inline constexpr std::uint32_t event_record_header_bytes = 8;
static_assert(sizeof(EventRecordHeader) == event_record_header_bytes,
              "layout changed: raise event_ring_layout_version");
static_assert(std::is_trivially_copyable_v<EventRecordHeader>);

/// Bytes that a record with this payload takes.
[[nodiscard]] constexpr std::uint32_t event_record_bytes(std::uint32_t payload_bytes) noexcept {
    return (event_record_header_bytes + payload_bytes + 7) & ~7u;
}

/// How far before its use a producer fetches a line.
inline constexpr std::uint32_t event_ring_fetch_ahead_bytes = 1024;

/// From a position to where the record area ends and starts over: at least one record header.
[[nodiscard]] constexpr std::uint32_t event_bytes_to_end(std::uint64_t position,
                                                         std::uint32_t capacity_bytes) noexcept {
    return capacity_bytes - static_cast<std::uint32_t>(position & (capacity_bytes - 1));
}

/// Bytes of a ring with the given record area, header included.
[[nodiscard]] constexpr std::size_t event_ring_region_bytes(std::uint32_t capacity_bytes) noexcept {
    return sizeof(EventRingHeader) + capacity_bytes;
}

/// Makes an empty ring in zero-filled memory of event_ring_region_bytes(capacity_bytes), whose
/// positions start at `first_position` (a multiple of 8; 0 but in tests). capacity_bytes is a power
/// of two, at least 64.
void create_event_ring(MutableBytes region, std::uint32_t capacity_bytes,
                       std::uint64_t first_position = 0) noexcept;

/// Whether attach would find a ring here. A front that finds none makes it.
[[nodiscard]] bool event_ring_is_ready(MutableBytes region) noexcept;

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

    [[nodiscard]] bool has_room(std::uint32_t bytes) noexcept;
    void store_record_header(std::uint64_t position, EventRecordHeader) noexcept;

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

    /// The record at the cursor. Does not move it. The kind is foreign too: any but padding.
    [[nodiscard, gnu::hot]] Peek peek(EventRecord& record) noexcept;

    /// Moves the cursor past the record that peek() gave.
    void advance() noexcept;

    /// Gives everything before the cursor back to the producer. Only after the snapshot that holds
    /// those events is published.
    void release() noexcept;

    /// The cursor: events before it are applied.
    [[nodiscard]] std::uint64_t position() const noexcept { return cursor_position_; }

    /// What is read and not yet given back.
    [[nodiscard]] std::uint64_t unreleased_bytes() const noexcept {
        return cursor_position_ - released_position_;
    }

    /// Whether anything lies beyond the cursor.
    [[nodiscard]] bool has_more() noexcept;

private:
    EventConsumer(EventRingHeader& header, const std::byte* records, std::uint32_t capacity_bytes,
                  std::uint64_t position) noexcept;

    [[nodiscard]] bool refresh_tail() noexcept;
    [[nodiscard]] EventRecordHeader load_record_header(std::uint64_t position) const noexcept;

    EventRingHeader* header_;
    const std::byte* records_;
    std::uint32_t capacity_bytes_;
    std::uint64_t cursor_position_;
    std::uint64_t released_position_;
    std::uint64_t peeked_bytes_ = 0;  // of the record at the cursor, once peeked
    std::uint64_t tail_cached_;
};

// ---- the operations of every event, inline -----------------------------------------------------

inline std::span<std::byte> EventProducer::try_claim(EventKind kind,
                                                     std::uint32_t payload_bytes) noexcept {
    invariant(payload_bytes >= 1 && payload_bytes <= payload_bytes_max(), "claim out of range");
    invariant(kind != EventKind::padding, "padding is the ring's own");
    const std::uint32_t record_bytes = event_record_bytes(payload_bytes);
    const std::uint32_t left_bytes = event_bytes_to_end(claimed_position_, capacity_bytes_);
    const std::uint32_t padding_bytes = record_bytes > left_bytes ? left_bytes : 0;
    if (!has_room(padding_bytes + record_bytes)) {
        return {};
    }
    if (padding_bytes != 0) {
        store_record_header(claimed_position_, {padding_bytes - event_record_header_bytes, 0});
    }
    const std::uint64_t position = claimed_position_ + padding_bytes;
    store_record_header(position, {payload_bytes, static_cast<std::uint32_t>(kind)});
    claimed_position_ = position + record_bytes;
    // Takes the lines of a later record from the consumer's cache while this one is written: stores
    // leave a core in order, so one that misses holds up all behind it. Only lines the consumer has
    // released: it still reads the others. Here and not in a function of its own, which g++ 12
    // finds free of effects and leaves out.
    const std::uint64_t ahead = claimed_position_ + event_ring_fetch_ahead_bytes;
    if (ahead + record_bytes - head_cached_ <= capacity_bytes_) {
        for (std::uint32_t offset = 0; offset < record_bytes; offset += cache_line_bytes) {
            __builtin_prefetch(records_ + ((ahead + offset) & (capacity_bytes_ - 1)),
                               1);  // 1: write
        }
    }
    return {records_ + (position & (capacity_bytes_ - 1)) + event_record_header_bytes,
            payload_bytes};
}

inline void EventProducer::publish() noexcept {
    if (claimed_position_ == published_position_) {
        return;
    }
    published_position_ = claimed_position_;
    // PUBLISHED: acquire in refresh_tail(); carries every claimed record.
    header_->tail_position.store(published_position_, std::memory_order_release);
}

inline std::uint64_t EventProducer::released_position() noexcept {
    // RELEASED: release in EventConsumer::release(); the consumer is done with the bytes before it.
    const std::uint64_t head = header_->head_position.load(std::memory_order_acquire);
    // Positions only grow: a head behind the one seen before, beyond what is published, or between
    // two words is a lie, and believing the older one loses nothing.
    if (head % 8 == 0 && head - head_cached_ <= published_position_ - head_cached_) {
        head_cached_ = head;
    }
    return head_cached_;
}

inline bool EventProducer::has_room(std::uint32_t bytes) noexcept {
    const std::uint64_t end = claimed_position_ + bytes;
    // The consumer's line is only touched when the ring looks full.
    return end - head_cached_ <= capacity_bytes_ || end - released_position() <= capacity_bytes_;
}

inline void EventProducer::store_record_header(std::uint64_t position,
                                               EventRecordHeader record) noexcept {
    std::memcpy(records_ + (position & (capacity_bytes_ - 1)), &record, sizeof record);
}

inline Peek EventConsumer::peek(EventRecord& record) noexcept {
    if (tail_cached_ == cursor_position_) {
        if (!refresh_tail()) {
            return Peek::damaged;
        }
        if (tail_cached_ == cursor_position_) {
            return Peek::empty;
        }
    }
    std::uint64_t position = cursor_position_;
    EventRecordHeader header = load_record_header(position);
    if (header.kind == 0) {
        // A producer pads only for a record that does not fit, and publishes both at once.
        const std::uint32_t padding_bytes = event_bytes_to_end(position, capacity_bytes_);
        if (header.payload_bytes != padding_bytes - event_record_header_bytes ||
            padding_bytes >= event_record_bytes(capacity_bytes_ / 4) ||
            tail_cached_ - position <= padding_bytes) {
            return Peek::damaged;
        }
        position += padding_bytes;
        header = load_record_header(position);
    }
    const std::uint32_t payload_bytes = header.payload_bytes;
    if (header.kind == 0 || payload_bytes == 0 || payload_bytes > capacity_bytes_ / 4 ||
        event_record_bytes(payload_bytes) > event_bytes_to_end(position, capacity_bytes_) ||
        event_record_bytes(payload_bytes) > tail_cached_ - position) {
        return Peek::damaged;
    }
    peeked_bytes_ = position + event_record_bytes(payload_bytes) - cursor_position_;
    record.kind = static_cast<EventKind>(header.kind);
    record.payload = {records_ + (position & (capacity_bytes_ - 1)) + event_record_header_bytes,
                      payload_bytes};
    return Peek::record;
}

inline void EventConsumer::advance() noexcept {
    invariant(peeked_bytes_ != 0, "advance without a peeked record");
    cursor_position_ += peeked_bytes_;
    peeked_bytes_ = 0;
}

inline void EventConsumer::release() noexcept {
    if (released_position_ == cursor_position_) {
        return;
    }
    released_position_ = cursor_position_;
    // RELEASED: acquire in released_position(); the reads of these bytes are over.
    header_->head_position.store(released_position_, std::memory_order_release);
}

inline bool EventConsumer::has_more() noexcept {
    // Relaxed: an answer, not yet the bytes; peek() acquires them.
    return tail_cached_ != cursor_position_ ||
           header_->tail_position.load(std::memory_order_relaxed) != cursor_position_;
}

inline bool EventConsumer::refresh_tail() noexcept {
    // PUBLISHED: release in publish(); carries the records below it.
    const std::uint64_t tail = header_->tail_position.load(std::memory_order_acquire);
    // Foreign. A producer never goes back, nor further than one capacity beyond what we released.
    const std::uint64_t unreleased_bytes = cursor_position_ - released_position_;
    if (tail % 8 != 0 || tail - cursor_position_ > capacity_bytes_ - unreleased_bytes) {
        return false;
    }
    tail_cached_ = tail;
    return true;
}

inline EventRecordHeader EventConsumer::load_record_header(std::uint64_t position) const noexcept {
    return std::bit_cast<EventRecordHeader>(
        load_once(records_ + (position & (capacity_bytes_ - 1))));
}

}  // namespace ringside
