#include "ringside/ipc/snapshot_ring.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>

#include <fmt/format.h>

#include "ringside/core/invariant.hpp"
#include "ringside/ipc/shared_words.hpp"

namespace ringside {
namespace {

constexpr std::uint32_t snapshot_ring_magic = 0x53534752;  // "RGSS"
constexpr std::uint32_t capacity_bytes_min = 256;
constexpr int read_attempts_max = 8;

struct RecordHeader {
    std::uint64_t sequence;
    std::uint32_t payload_bytes;
    std::uint32_t reserved;
};
static_assert(sizeof(RecordHeader) == snapshot_record_header_bytes);

constexpr std::uint64_t padded(std::uint64_t bytes) noexcept {
    return (bytes + 7) & ~std::uint64_t{7};
}

constexpr std::uint32_t payload_max(std::uint32_t capacity_bytes) noexcept {
    return capacity_bytes / snapshots_in_ring_min - snapshot_record_header_bytes;
}

// Where a record of that size begins if the one before it ended at `position`: records never wrap.
constexpr std::uint64_t place(std::uint64_t position, std::uint64_t record_bytes,
                              std::uint32_t capacity_bytes) noexcept {
    const std::uint64_t offset = position & (capacity_bytes - 1);
    return offset + record_bytes > capacity_bytes ? position + capacity_bytes - offset : position;
}

Result<std::uint32_t> checked_capacity(Bytes region) {
    if (region.size() < sizeof(SnapshotRingHeader)) {
        return failure(std::errc::bad_message, "snapshot ring: too small for its header");
    }
    const auto& header = *std::launder(reinterpret_cast<const SnapshotRingHeader*>(region.data()));
    if (header.magic.load(std::memory_order_acquire) != snapshot_ring_magic) {  // READY
        return failure(std::errc::resource_unavailable_try_again, "snapshot ring: not ready");
    }
    if (header.layout_version != snapshot_ring_layout_version) {
        return failure(std::errc::not_supported,
                       fmt::format("snapshot ring: layout version {}, this program reads {}",
                                   header.layout_version, snapshot_ring_layout_version));
    }
    const std::uint32_t capacity_bytes = header.capacity_bytes;
    if (!std::has_single_bit(capacity_bytes) || capacity_bytes < capacity_bytes_min ||
        snapshot_ring_region_bytes(capacity_bytes) > region.size()) {
        return failure(std::errc::bad_message,
                       fmt::format("snapshot ring: a capacity of {} bytes in a region of {}",
                                   capacity_bytes, region.size()));
    }
    return capacity_bytes;
}

// The header of the record at a position, clamped to what a record may be; 0 bytes when it is none.
RecordHeader read_header(const std::byte* records, std::uint64_t position,
                         std::uint32_t capacity_bytes) noexcept {
    RecordHeader header{};
    const std::uint64_t offset = position & (capacity_bytes - 1);
    if (position % 8 != 0 || offset + sizeof(header) > capacity_bytes) {
        return {};
    }
    load_shared(std::as_writable_bytes(std::span(&header, 1)), records + offset);
    if (header.payload_bytes > payload_max(capacity_bytes) ||
        offset + sizeof(header) + padded(header.payload_bytes) > capacity_bytes) {
        return {};
    }
    return header;
}

}  // namespace

std::uint32_t snapshot_ring_capacity_for(std::uint32_t snapshot_bytes_max) noexcept {
    const std::uint64_t record_bytes = snapshot_record_header_bytes + padded(snapshot_bytes_max);
    return static_cast<std::uint32_t>(std::max<std::uint64_t>(
        capacity_bytes_min, std::bit_ceil(record_bytes * snapshots_in_ring_min)));
}

void create_snapshot_ring(MutableBytes region, std::uint32_t capacity_bytes,
                          std::uint64_t first_position) noexcept {
    invariant(std::has_single_bit(capacity_bytes) && capacity_bytes >= capacity_bytes_min &&
                  region.size() >= snapshot_ring_region_bytes(capacity_bytes) &&
                  first_position % 8 == 0,
              "a snapshot ring is a power of two and fits its region");
    auto* header = new (region.data()) SnapshotRingHeader{};
    header->layout_version = snapshot_ring_layout_version;
    header->capacity_bytes = capacity_bytes;
    header->intent_position.store(first_position, std::memory_order_relaxed);  // READY carries both
    header->newest_position.store(no_position, std::memory_order_relaxed);
    header->magic.store(snapshot_ring_magic, std::memory_order_release);  // READY
}

// ---- producer ----------------------------------------------------------------------------------

SnapshotProducer::SnapshotProducer(SnapshotRingHeader& header, std::byte* records,
                                   std::uint32_t capacity_bytes) noexcept
    : header_(&header),
      records_(records),
      capacity_bytes_(capacity_bytes),
      // Relaxed: an earlier producer is dead.
      intent_position_(header.intent_position.load(std::memory_order_relaxed) & ~std::uint64_t{7}) {
}

Result<SnapshotProducer> SnapshotProducer::attach(MutableBytes region) {
    const auto capacity_bytes = checked_capacity(region);
    if (!capacity_bytes) {
        return std::unexpected(capacity_bytes.error());
    }
    auto& header = *std::launder(reinterpret_cast<SnapshotRingHeader*>(region.data()));
    SnapshotProducer producer(header, region.data() + sizeof(SnapshotRingHeader), *capacity_bytes);
    // PUBLISHED: the record of a producer that is dead now.
    const std::uint64_t newest = header.newest_position.load(std::memory_order_acquire);
    if (newest == no_position) {
        producer.next_position_ = producer.intent_position_;
        return producer;
    }
    const RecordHeader record = read_header(producer.records_, newest, *capacity_bytes);
    if (record.payload_bytes == 0) {
        return failure(std::errc::bad_message, "snapshot ring: its newest record is damaged");
    }
    producer.sequence_ = record.sequence;
    producer.next_position_ = newest + snapshot_record_header_bytes + padded(record.payload_bytes);
    return producer;
}

std::uint32_t SnapshotProducer::payload_bytes_max() const noexcept {
    return payload_max(capacity_bytes_);
}

void SnapshotProducer::publish(std::span<const Bytes> parts) noexcept {
    std::size_t payload_bytes = 0;
    for (const Bytes& part : parts) {
        payload_bytes += part.size();
    }
    invariant(payload_bytes >= 1 && payload_bytes <= payload_bytes_max(),
              "a snapshot is within the ring's limit");
    const std::uint64_t record_bytes = snapshot_record_header_bytes + padded(payload_bytes);
    const std::uint64_t position = place(next_position_, record_bytes, capacity_bytes_);
    // INTENT: relaxed is enough, the release stores of the words below stand behind it. It never
    // goes back, not even behind what a producer that died had begun to overwrite.
    if (static_cast<std::int64_t>(position + record_bytes - intent_position_) > 0) {
        intent_position_ = position + record_bytes;
        header_->intent_position.store(intent_position_, std::memory_order_relaxed);
    }

    std::byte* to = records_ + (position & (capacity_bytes_ - 1));
    const RecordHeader record{sequence_ + 1, static_cast<std::uint32_t>(payload_bytes), 0};
    store_shared(to, std::as_bytes(std::span(&record, 1)));
    to += sizeof(record);
    // Parts need not be whole words: what one leaves over begins the next word.
    std::array<std::byte, 8> carried{};
    std::size_t carried_bytes = 0;
    for (Bytes part : parts) {
        if (carried_bytes != 0) {
            const std::size_t taken = std::min(part.size(), carried.size() - carried_bytes);
            std::copy_n(part.begin(), taken, carried.begin() + static_cast<long>(carried_bytes));
            carried_bytes += taken;
            part = part.subspan(taken);
            if (carried_bytes < carried.size()) {
                continue;
            }
            store_shared(to, carried);
            to += carried.size();
        }
        const std::size_t whole_bytes = part.size() & ~std::size_t{7};
        store_shared(to, part.first(whole_bytes));
        to += whole_bytes;
        carried_bytes = part.size() - whole_bytes;
        std::copy_n(part.begin() + static_cast<long>(whole_bytes), carried_bytes, carried.begin());
    }
    store_shared(to, Bytes(carried).first(carried_bytes));

    header_->newest_position.store(position, std::memory_order_release);  // PUBLISHED
    next_position_ = position + record_bytes;
    ++sequence_;
}

// ---- reader ------------------------------------------------------------------------------------

SnapshotReader::SnapshotReader(const SnapshotRingHeader& header, const std::byte* records,
                               std::uint32_t capacity_bytes) noexcept
    : header_(&header), records_(records), capacity_bytes_(capacity_bytes) {}

Result<SnapshotReader> SnapshotReader::attach(Bytes region) {
    const auto capacity_bytes = checked_capacity(region);
    if (!capacity_bytes) {
        return std::unexpected(capacity_bytes.error());
    }
    const auto& header = *std::launder(reinterpret_cast<const SnapshotRingHeader*>(region.data()));
    return SnapshotReader(header, region.data() + sizeof(SnapshotRingHeader), *capacity_bytes);
}

std::uint32_t SnapshotReader::payload_bytes_max() const noexcept {
    return payload_max(capacity_bytes_);
}

bool SnapshotReader::has_news() const noexcept {
    // Relaxed: only a hint; read_newest looks again.
    return header_->newest_position.load(std::memory_order_relaxed) != read_position_;
}

SnapshotRead SnapshotReader::read_newest(MutableBytes out, std::size_t& bytes) noexcept {
    invariant(out.size() >= payload_bytes_max(), "a reader has room for any snapshot");
    for (int attempt = 0; attempt < read_attempts_max; ++attempt) {
        const std::uint64_t position =
            header_->newest_position.load(std::memory_order_acquire);  // PUBLISHED
        if (position == read_position_) {
            return SnapshotRead::nothing;
        }
        const RecordHeader record = read_header(records_, position, capacity_bytes_);
        if (record.payload_bytes != 0) {
            load_shared(out.first(record.payload_bytes),
                        records_ + (position & (capacity_bytes_ - 1)) + sizeof(record));
        }
        // INTENT: relaxed, the acquire loads of the words keep it behind them. More than a ring's
        // worth beyond the record's begin means that its bytes were being overwritten.
        const std::uint64_t intent = header_->intent_position.load(std::memory_order_relaxed);
        if (intent - position > capacity_bytes_) {
            continue;
        }
        if (record.payload_bytes == 0) {
            return SnapshotRead::damaged;
        }
        read_position_ = position;
        sequence_ = record.sequence;
        bytes = record.payload_bytes;
        return SnapshotRead::record;
    }
    return SnapshotRead::lapped;
}

}  // namespace ringside
