#include "ringside/ipc/snapshot_ring.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include <fmt/format.h>

#include "ring_attach.hpp"

#include "ringside/ipc/shared_words.hpp"

namespace ringside {
namespace {

constexpr RingLayout layout{.name = "snapshot ring",
                            .magic = 0x52'53'53'52,  // "RSSR" in memory
                            .layout_version = snapshot_ring_layout_version,
                            .capacity_bytes_min = 128};

// A copy is tried again only when the producer overtook it, which takes three records meanwhile.
constexpr int copy_attempts_max = 8;

using RecordHeader = SnapshotRecordHeader;

// Where a record was left out because it would have wrapped. Who reads in order must not take what
// a dead producer, or the lap before, left there for a record.
constexpr RecordHeader left_out{.sequence = 0, .payload_bytes = 0, .reserved = 0};

// Any four of the longest records, so the newest is never what the next one overwrites, not even
// when that one leaves out the end of the record area.
constexpr std::uint32_t payload_bytes_max_of(std::uint32_t capacity_bytes) noexcept {
    return capacity_bytes / snapshots_in_ring_min - snapshot_record_header_bytes;
}

constexpr std::uint32_t record_bytes_of(std::uint32_t payload_bytes) noexcept {
    return snapshot_record_header_bytes + ((payload_bytes + 7) & ~7u);
}

constexpr std::uint32_t bytes_to_end(std::uint64_t position,
                                     std::uint32_t capacity_bytes) noexcept {
    return capacity_bytes - static_cast<std::uint32_t>(position & (capacity_bytes - 1));
}

bool can_hold_header(std::uint64_t position, std::uint32_t capacity_bytes) noexcept {
    return position % 8 == 0 &&
           bytes_to_end(position, capacity_bytes) >= snapshot_record_header_bytes;
}

RecordHeader load_header(const std::byte* records, std::uint64_t position,
                         std::uint32_t capacity_bytes) noexcept {
    RecordHeader record;
    load_shared(std::as_writable_bytes(std::span(&record, 1)),
                records + (position & (capacity_bytes - 1)));
    return record;
}

bool is_record(const RecordHeader& record, std::uint64_t position,
               std::uint32_t capacity_bytes) noexcept {
    return record.payload_bytes >= 1 &&
           record.payload_bytes <= payload_bytes_max_of(capacity_bytes) &&
           record_bytes_of(record.payload_bytes) <= bytes_to_end(position, capacity_bytes);
}

// Joins parts of any length into whole words: a part may begin in the middle of one.
class WordStore {
public:
    explicit WordStore(std::byte* to) noexcept : to_(to) {}

    void append(Bytes part) noexcept {
        if (pending_bytes_ != 0) {
            const std::size_t taken_bytes = std::min(part.size(), 8 - pending_bytes_);
            keep(part.first(taken_bytes));
            part = part.subspan(taken_bytes);
            if (pending_bytes_ == 8) {
                flush();
            }
        }
        if (part.size() >= 8) {  // then nothing is pending
            const std::size_t whole_bytes = part.size() & ~std::size_t{7};
            store_shared(to_, part.first(whole_bytes));
            to_ += whole_bytes;
            part = part.subspan(whole_bytes);
        }
        keep(part);
    }

    void flush() noexcept {
        store_shared(to_, Bytes(pending_).first(pending_bytes_));
        to_ += pending_bytes_;
        pending_bytes_ = 0;
    }

private:
    void keep(Bytes bytes) noexcept {
        std::ranges::copy(bytes, pending_ + pending_bytes_);
        pending_bytes_ += bytes.size();
    }

    std::byte* to_;
    std::byte pending_[8] = {};
    std::size_t pending_bytes_ = 0;
};

}  // namespace

std::uint32_t snapshot_ring_capacity_for(std::uint32_t snapshot_bytes_max) noexcept {
    invariant(snapshot_bytes_max <= snapshot_bytes_limit, "judge a config before its ring");
    return std::max(layout.capacity_bytes_min,
                    std::bit_ceil(record_bytes_of(snapshot_bytes_max) * snapshots_in_ring_min));
}

void create_snapshot_ring(MutableBytes region, std::uint32_t capacity_bytes,
                          std::uint64_t first_position) noexcept {
    invariant(is_ring_capacity(capacity_bytes, layout), "capacity: a power of two, at least 128");
    invariant(region.size() >= snapshot_ring_region_bytes(capacity_bytes), "region too small");
    invariant(first_position % 8 == 0, "positions are multiples of 8");
    auto* header = new (region.data()) SnapshotRingHeader{};
    header->layout_version = layout.layout_version;
    header->capacity_bytes = capacity_bytes;
    // Relaxed: READY carries both.
    header->intent_position.store(first_position, std::memory_order_relaxed);
    header->newest_position.store(no_position, std::memory_order_relaxed);
    header->magic.store(layout.magic, std::memory_order_release);  // READY: acquire on attach
}

// ---- producer ----------------------------------------------------------------------------------

Result<SnapshotProducer> SnapshotProducer::attach(MutableBytes region) {
    const auto capacity_bytes = checked_ring_capacity<SnapshotRingHeader>(region, layout);
    if (!capacity_bytes) {
        return std::unexpected(capacity_bytes.error());
    }
    auto& header = *reinterpret_cast<SnapshotRingHeader*>(region.data());
    SnapshotProducer producer(header, region.data() + sizeof(SnapshotRingHeader), *capacity_bytes);
    // Relaxed: nobody else writes these any more; the producer before us is dead.
    const std::uint64_t newest = header.newest_position.load(std::memory_order_relaxed);
    const std::uint64_t intent = header.intent_position.load(std::memory_order_relaxed);
    producer.intent_position_ = intent;
    const auto damaged = [&] {
        return failure(std::errc::bad_message,
                       fmt::format("snapshot ring: damaged: newest {}, intent {}, capacity {}",
                                   newest, intent, *capacity_bytes));
    };
    if (newest == no_position) {
        producer.next_position_ = intent;  // there is no record to spare
        return intent % 8 == 0 ? Result<SnapshotProducer>(producer) : damaged();
    }
    if (!can_hold_header(newest, *capacity_bytes)) {
        return damaged();
    }
    const RecordHeader record = load_header(producer.records_, newest, *capacity_bytes);
    const bool bad_sequence = record.sequence == 0 || record.sequence + 1 == 0;
    if (!is_record(record, newest, *capacity_bytes) || bad_sequence) {
        return damaged();
    }
    // Right after the newest record, not where the dead one's intent ends: producers that die in a
    // row would walk into the newest record that way.
    producer.next_position_ = newest + record_bytes_of(record.payload_bytes);
    producer.sequence_ = record.sequence;
    if (intent % 8 != 0 || intent - producer.next_position_ > *capacity_bytes / 2) {
        return damaged();  // no producer goes further than the end it leaves out and one record
    }
    return producer;
}

SnapshotProducer::SnapshotProducer(SnapshotRingHeader& header, std::byte* records,
                                   std::uint32_t capacity_bytes) noexcept
    : header_(&header), records_(records), capacity_bytes_(capacity_bytes) {}

std::uint32_t SnapshotProducer::payload_bytes_max() const noexcept {
    return payload_bytes_max_of(capacity_bytes_);
}

void SnapshotProducer::publish(std::span<const Bytes> parts) noexcept {
    std::size_t payload_bytes = 0;
    for (const Bytes part : parts) {
        payload_bytes += part.size();
    }
    invariant(payload_bytes >= 1 && payload_bytes <= payload_bytes_max(), "snapshot out of range");
    const RecordHeader record{sequence_ + 1, static_cast<std::uint32_t>(payload_bytes), 0};
    const std::uint32_t record_bytes = record_bytes_of(record.payload_bytes);
    const std::uint32_t left_bytes = bytes_to_end(next_position_, capacity_bytes_);
    const std::uint64_t position = next_position_ + (record_bytes > left_bytes ? left_bytes : 0);
    const std::uint64_t end = position + record_bytes;

    if (intent_position_ - next_position_ < end - next_position_) {
        announce(end);
    }
    if (position != next_position_ && left_bytes >= sizeof(RecordHeader)) {
        store_shared(records_ + (next_position_ & (capacity_bytes_ - 1)),
                     std::as_bytes(std::span(&left_out, 1)));
    }
    WordStore words(records_ + (position & (capacity_bytes_ - 1)));
    words.append(std::as_bytes(std::span(&record, 1)));
    for (const Bytes part : parts) {
        words.append(part);
    }
    words.flush();
    // PUBLISHED: acquire in read_newest(); carries the record.
    header_->newest_position.store(position, std::memory_order_release);

    next_position_ = end;
    sequence_ = record.sequence;
    // The next record, whatever its size, and the end of the record area that it may leave out.
    // Announced now, its bytes need not wait for this store to reach the readers' CPU first.
    if (intent_position_ - end < capacity_bytes_ / 2) {
        announce(end + capacity_bytes_ / 2);
    }
}

void SnapshotProducer::announce(std::uint64_t intent_position) noexcept {
    intent_position_ = intent_position;
    // INTENT: acquire in read_newest(). The words it covers, stored with release, carry it; it
    // carries the newest_position before it.
    header_->intent_position.store(intent_position_, std::memory_order_release);
}

// ---- reader ------------------------------------------------------------------------------------

Result<SnapshotReader> SnapshotReader::attach(Bytes region) {
    const auto capacity_bytes = checked_ring_capacity<SnapshotRingHeader>(region, layout);
    if (!capacity_bytes) {
        return std::unexpected(capacity_bytes.error());
    }
    return SnapshotReader(*reinterpret_cast<const SnapshotRingHeader*>(region.data()),
                          region.data() + sizeof(SnapshotRingHeader), *capacity_bytes);
}

SnapshotReader::SnapshotReader(const SnapshotRingHeader& header, const std::byte* records,
                               std::uint32_t capacity_bytes) noexcept
    : header_(&header), records_(records), capacity_bytes_(capacity_bytes) {}

std::uint32_t SnapshotReader::payload_bytes_max() const noexcept {
    return payload_bytes_max_of(capacity_bytes_);
}

bool SnapshotReader::has_news() const noexcept {
    // Relaxed: an answer, not yet the bytes; read_newest() acquires them.
    const std::uint64_t newest = header_->newest_position.load(std::memory_order_relaxed);
    return newest != no_position && newest != read_position_;
}

// Copies the payload of the record at this position, if there is one.
SnapshotReader::Copied SnapshotReader::copy(std::uint64_t position, RecordHeader& record,
                                            MutableBytes out) const noexcept {
    record = load_header(records_, position, capacity_bytes_);
    const bool sound = is_record(record, position, capacity_bytes_);
    if (sound) {
        load_shared(out.first(record.payload_bytes),
                    records_ + (position & (capacity_bytes_ - 1)) + sizeof(RecordHeader));
    }
    // INTENT: release in publish(). Behind the loads above, which acquire: whichever of those words
    // was overwritten, the intent to do so is seen here.
    const std::uint64_t intent = header_->intent_position.load(std::memory_order_acquire);
    if (intent - position > capacity_bytes_) {
        return Copied::overtaken;
    }
    return sound ? Copied::record : Copied::none;  // nobody began to overwrite what we copied
}

void SnapshotReader::take(std::uint64_t position, const RecordHeader& record,
                          std::size_t& bytes) noexcept {
    read_position_ = position;
    next_position_ = position + record_bytes_of(record.payload_bytes);
    sequence_ = record.sequence;
    bytes = record.payload_bytes;
}

SnapshotRead SnapshotReader::read_newest(MutableBytes out, std::size_t& bytes) noexcept {
    invariant(out.size() >= payload_bytes_max(), "no room for the longest snapshot");
    for (int attempt = 0; attempt < copy_attempts_max; ++attempt) {
        // PUBLISHED: release in publish(); carries the record.
        const std::uint64_t position = header_->newest_position.load(std::memory_order_acquire);
        if (position == no_position || position == read_position_) {
            return SnapshotRead::nothing;
        }
        if (!can_hold_header(position, capacity_bytes_)) {
            return SnapshotRead::damaged;
        }
        RecordHeader record;
        switch (copy(position, record, out)) {
            case Copied::record: take(position, record, bytes); return SnapshotRead::record;
            case Copied::none: return SnapshotRead::damaged;
            case Copied::overtaken: break;
        }
        // Relaxed: INTENT carries it. The newest record is never the one being overwritten.
        if (header_->newest_position.load(std::memory_order_relaxed) == position) {
            return SnapshotRead::damaged;
        }
    }
    return SnapshotRead::lapped;
}

SnapshotRead SnapshotReader::read_next(MutableBytes out, std::size_t& bytes) noexcept {
    if (read_position_ == no_position) {
        return read_newest(out, bytes);
    }
    invariant(out.size() >= payload_bytes_max(), "no room for the longest snapshot");
    // PUBLISHED: release in publish(); carries every record up to that one.
    const std::uint64_t newest = header_->newest_position.load(std::memory_order_acquire);
    if (newest == no_position || newest == read_position_) {
        return SnapshotRead::nothing;
    }
    std::uint64_t position = next_position_;
    RecordHeader record = left_out;
    Copied copied = Copied::none;
    if (can_hold_header(position, capacity_bytes_)) {
        copied = copy(position, record, out);
    }
    if (copied == Copied::none && record.sequence == 0) {
        position += bytes_to_end(position, capacity_bytes_);
        copied = copy(position, record, out);
    }
    if (copied == Copied::overtaken) {
        return SnapshotRead::lapped;
    }
    if (copied == Copied::none || record.sequence != sequence_ + 1) {
        return SnapshotRead::damaged;
    }
    take(position, record, bytes);
    return SnapshotRead::record;
}

}  // namespace ringside
