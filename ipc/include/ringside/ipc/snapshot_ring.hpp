#pragma once
// SnapshotRing: broadcasts a game's snapshots to any number of readers; the newest wins.
//
// Roles    one producer (the game's loop); readers it neither knows nor waits for.
// Memory   [header 128 B][records: capacity_bytes, a power of two], in the game's segment.
//          A record is a SnapshotRecordHeader + payload, padded to 8. A record never wraps: one
//          that would starts at the next multiple of the capacity, and a header of zeros stands
//          where it would have begun.
// Ordering PUBLISHED: newest_position, release by the producer ⇄ acquire by a reader.
//                     Carries every byte of the newest record.
//          INTENT:    intent_position is stored before the bytes it covers are overwritten, one
//                     record ahead, so that the copy need not wait for it to get through. Those
//                     bytes are stored with release, word by word, and loaded with acquire, so a
//                     reader that saw one of them also sees the intent and drops its copy. (On
//                     x86 both are plain moves. A stand-alone fence would do the same, but TSan
//                     cannot see fences.) It never goes back, not even when a successor writes a
//                     shorter record than a dead producer began. Release ⇄ acquire itself, it
//                     carries the newest_position before it: a newest record that the intent
//                     covers is a lie, not a lapped copy.
//          READY:     magic, release by the creator ⇄ acquire on attach.
// Crash    A producer that dies before PUBLISHED leaves the previous record the newest. Its
//          successor attaches and writes after it.
// Errors   A lapped reader is a normal outcome. Bytes found are foreign: lengths are clamped to a
//          private copy of the capacity, the payload is copied out, only the copy is judged.
// See      docs/architecture.md (picture); Aeron's broadcast transmitter (intent, lapping); Boehm,
//          "Can seqlocks get along with programming language memory models?" (2012).

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "ringside/core/game.hpp"
#include "ringside/core/limits.hpp"

namespace ringside {

struct SnapshotRingHeader {
    std::atomic<std::uint32_t> magic;  // READY
    std::uint32_t layout_version;
    std::uint32_t capacity_bytes;
    std::uint32_t reserved;                                                // zero
    alignas(cache_line_bytes) std::atomic<std::uint64_t> intent_position;  // end of what may change
    std::atomic<std::uint64_t> newest_position;  // where the newest record begins
};
static_assert(std::is_standard_layout_v<SnapshotRingHeader>);
static_assert(std::is_trivially_destructible_v<SnapshotRingHeader>);
static_assert(offsetof(SnapshotRingHeader, intent_position) == 64);
static_assert(offsetof(SnapshotRingHeader, newest_position) == 72);
static_assert(sizeof(SnapshotRingHeader) == 128,
              "layout changed: raise snapshot_ring_layout_version");

inline constexpr std::uint32_t snapshot_ring_layout_version = 2;
inline constexpr std::uint64_t no_position = ~std::uint64_t{0};  // newest_position of an empty ring

struct SnapshotRecordHeader {
    std::uint64_t sequence;       // from 1; 0: nothing is here, the next record is at the start
    std::uint32_t payload_bytes;  // without padding
    std::uint32_t reserved;       // zero
};
static_assert(std::is_trivially_copyable_v<SnapshotRecordHeader>);
inline constexpr std::uint32_t snapshot_record_header_bytes = 16;
static_assert(sizeof(SnapshotRecordHeader) == snapshot_record_header_bytes,
              "layout changed: raise snapshot_ring_layout_version");

[[nodiscard]] constexpr std::size_t snapshot_ring_region_bytes(
    std::uint32_t capacity_bytes) noexcept {
    return sizeof(SnapshotRingHeader) + capacity_bytes;
}

/// The smallest power of two that holds snapshots_in_ring_min records of this size. Requires at
/// most snapshot_bytes_limit.
[[nodiscard]] std::uint32_t snapshot_ring_capacity_for(std::uint32_t snapshot_bytes_max) noexcept;

/// Makes an empty ring in zero-filled memory. `first_position`: a multiple of 8; 0 but in tests.
void create_snapshot_ring(MutableBytes region, std::uint32_t capacity_bytes,
                          std::uint64_t first_position = 0) noexcept;

class SnapshotProducer {
public:
    /// Takes over as the only producer, after the newest record.
    [[nodiscard]] static Result<SnapshotProducer> attach(MutableBytes region);

    [[nodiscard]] std::uint32_t payload_bytes_max() const noexcept;

    /// Copies the parts, one after the other, into one record and makes it the newest. Requires
    /// their sum in [1, payload_bytes_max()]. Never waits; rings no doorbell.
    [[gnu::hot]] void publish(std::span<const Bytes> parts) noexcept;

    /// Of the newest record; 0 when there is none. The first record has sequence 1.
    [[nodiscard]] std::uint64_t sequence() const noexcept { return sequence_; }

private:
    SnapshotProducer(SnapshotRingHeader& header, std::byte* records,
                     std::uint32_t capacity_bytes) noexcept;
    [[gnu::hot]] void announce(std::uint64_t intent_position) noexcept;

    SnapshotRingHeader* header_;
    std::byte* records_;
    std::uint32_t capacity_bytes_;
    std::uint64_t next_position_ = 0;
    std::uint64_t intent_position_ = 0;  // ≥ next_position_: a dead producer's may be further
    std::uint64_t sequence_ = 0;
};

enum class SnapshotRead : std::uint8_t {
    nothing,  // no record newer than the last one read
    record,   // copied out
    lapped,   // the producer overtook every one of a few attempts: try again later
    damaged,  // what is there cannot be right: never use this ring again
};

class SnapshotReader {
public:
    /// Works on a read-only mapping.
    [[nodiscard]] static Result<SnapshotReader> attach(Bytes region);

    /// Copies the newest record's payload into `out` and sets `bytes` to its size, unless it is the
    /// one read last. Requires out.size() ≥ payload_bytes_max().
    [[nodiscard]] SnapshotRead read_newest(MutableBytes out, std::size_t& bytes) noexcept;

    /// As read_newest(), but the record that follows the one read last: for those who want every
    /// one. `lapped`: it has been overwritten; read_newest() goes on from there.
    [[nodiscard]] SnapshotRead read_next(MutableBytes out, std::size_t& bytes) noexcept;

    /// Lets read_newest() give the newest record once more.
    void read_again() noexcept { read_position_ = no_position; }

    /// Whether read_newest would find something: one load.
    [[nodiscard]] bool has_news() const noexcept;

    /// Of the record read last; 0 before the first.
    [[nodiscard]] std::uint64_t sequence() const noexcept { return sequence_; }

    [[nodiscard]] std::uint32_t payload_bytes_max() const noexcept;

private:
    SnapshotReader(const SnapshotRingHeader& header, const std::byte* records,
                   std::uint32_t capacity_bytes) noexcept;

    enum class Copied : std::uint8_t { record, none, overtaken };
    [[nodiscard]] Copied copy(std::uint64_t position, SnapshotRecordHeader& record,
                              MutableBytes out) const noexcept;
    void take(std::uint64_t position, const SnapshotRecordHeader& record,
              std::size_t& bytes) noexcept;

    const SnapshotRingHeader* header_;
    const std::byte* records_;
    std::uint32_t capacity_bytes_;
    std::uint64_t read_position_ = no_position;  // of the record read last
    std::uint64_t next_position_ = 0;            // where it ends
    std::uint64_t sequence_ = 0;
};

}  // namespace ringside
