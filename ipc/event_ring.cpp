#include "ringside/ipc/event_ring.hpp"

#include <bit>
#include <cstring>
#include <new>

#include <fmt/format.h>

#include "ringside/core/invariant.hpp"

namespace ringside {
namespace {

constexpr std::uint32_t event_ring_magic = 0x45534752;  // "RGSE"
constexpr std::uint32_t record_header_bytes = 8;
constexpr std::uint32_t capacity_bytes_min = 64;

struct RecordHeader {
    std::uint32_t payload_bytes;
    std::uint32_t kind;
};
static_assert(sizeof(RecordHeader) == record_header_bytes);

constexpr std::uint32_t padded(std::uint32_t bytes) noexcept {
    return (bytes + 7) & ~std::uint32_t{7};
}

EventRingHeader& header_of(MutableBytes region) noexcept {
    return *std::launder(reinterpret_cast<EventRingHeader*>(region.data()));
}

// Checks what the creator wrote; the capacity read here is the one used from now on.
Result<std::uint32_t> checked_capacity(MutableBytes region) {
    if (region.size() < sizeof(EventRingHeader)) {
        return failure(std::errc::bad_message, "event ring: too small for its header");
    }
    const EventRingHeader& header = header_of(region);
    if (header.magic.load(std::memory_order_acquire) != event_ring_magic) {  // READY
        return failure(std::errc::resource_unavailable_try_again, "event ring: not ready");
    }
    if (header.layout_version != event_ring_layout_version) {
        return failure(std::errc::not_supported,
                       fmt::format("event ring: layout version {}, this program reads {}",
                                   header.layout_version, event_ring_layout_version));
    }
    const std::uint32_t capacity_bytes = header.capacity_bytes;
    if (!std::has_single_bit(capacity_bytes) || capacity_bytes < capacity_bytes_min ||
        event_ring_region_bytes(capacity_bytes) > region.size()) {
        return failure(std::errc::bad_message,
                       fmt::format("event ring: a capacity of {} bytes in a region of {}",
                                   capacity_bytes, region.size()));
    }
    return capacity_bytes;
}

}  // namespace

void create_event_ring(MutableBytes region, std::uint32_t capacity_bytes,
                       std::uint64_t first_position) noexcept {
    invariant(std::has_single_bit(capacity_bytes) && capacity_bytes >= capacity_bytes_min &&
                  region.size() >= event_ring_region_bytes(capacity_bytes) &&
                  first_position % 8 == 0,
              "an event ring is a power of two and fits its region");
    auto* header = new (region.data()) EventRingHeader{};
    header->layout_version = event_ring_layout_version;
    header->capacity_bytes = capacity_bytes;
    header->tail_position.store(first_position, std::memory_order_relaxed);  // READY carries both
    header->head_position.store(first_position, std::memory_order_relaxed);
    header->magic.store(event_ring_magic, std::memory_order_release);  // READY
}

// ---- producer ----------------------------------------------------------------------------------

EventProducer::EventProducer(EventRingHeader& header, std::byte* records,
                             std::uint32_t capacity_bytes) noexcept
    : header_(&header),
      records_(records),
      capacity_bytes_(capacity_bytes),
      // Relaxed: an earlier producer is dead, and whoever started this one saw that.
      published_position_(header.tail_position.load(std::memory_order_relaxed)),
      claimed_position_(published_position_),
      head_cached_(published_position_ -
                   capacity_bytes) {  // full until released_position() is read
    head_cached_ = released_position();
}

Result<EventProducer> EventProducer::attach(MutableBytes region) {
    const auto capacity_bytes = checked_capacity(region);
    if (!capacity_bytes) {
        return std::unexpected(capacity_bytes.error());
    }
    EventRingHeader& header = header_of(region);
    if (header.tail_position.load(std::memory_order_relaxed) % 8 != 0) {
        return failure(std::errc::bad_message, "event ring: its tail is not a record's place");
    }
    return EventProducer(header, region.data() + sizeof(EventRingHeader), *capacity_bytes);
}

std::uint64_t EventProducer::released_position() noexcept {
    const std::uint64_t head = header_->head_position.load(std::memory_order_acquire);  // RELEASED
    // A head outside the ring is a consumer's lie: nothing is free then, and nothing is
    // overwritten.
    if (published_position_ - head <= capacity_bytes_ && head % 8 == 0) {
        head_cached_ = head;
    }
    return head_cached_;
}

std::span<std::byte> EventProducer::try_claim(EventKind kind,
                                              std::uint32_t payload_bytes) noexcept {
    invariant(
        payload_bytes >= 1 && payload_bytes <= payload_bytes_max() && kind != EventKind::padding,
        "a claim is within the ring's limit");
    const std::uint32_t record_bytes = record_header_bytes + padded(payload_bytes);
    const auto offset = static_cast<std::uint32_t>(claimed_position_ & (capacity_bytes_ - 1));
    const std::uint32_t to_end = capacity_bytes_ - offset;
    const std::uint32_t padding_bytes = record_bytes > to_end ? to_end : 0;
    const std::uint32_t needed_bytes = padding_bytes + record_bytes;
    if (claimed_position_ - head_cached_ + needed_bytes > capacity_bytes_ &&
        claimed_position_ - released_position() + needed_bytes > capacity_bytes_) {
        return {};
    }
    if (padding_bytes != 0) {
        const RecordHeader padding{padding_bytes - record_header_bytes, 0};
        std::memcpy(records_ + offset, &padding, sizeof(padding));
    }
    std::byte* record = records_ + (padding_bytes != 0 ? 0 : offset);
    const RecordHeader header{payload_bytes, static_cast<std::uint32_t>(kind)};
    std::memcpy(record, &header, sizeof(header));
    // The bytes that round the payload up are never read, but they are not left to chance either.
    std::memset(record + record_bytes - 8, 0, padded(payload_bytes) != payload_bytes ? 8 : 0);
    claimed_position_ += needed_bytes;
    return {record + record_header_bytes, payload_bytes};
}

void EventProducer::publish() noexcept {
    if (claimed_position_ != published_position_) {
        published_position_ = claimed_position_;
        header_->tail_position.store(claimed_position_, std::memory_order_release);  // PUBLISHED
    }
}

// ---- consumer ----------------------------------------------------------------------------------

EventConsumer::EventConsumer(EventRingHeader& header, const std::byte* records,
                             std::uint32_t capacity_bytes, std::uint64_t position) noexcept
    : header_(&header),
      records_(records),
      capacity_bytes_(capacity_bytes),
      cursor_position_(position),
      released_position_(position),
      tail_cached_(position) {}

Result<EventConsumer> EventConsumer::attach(MutableBytes region, std::uint64_t position) {
    const auto capacity_bytes = checked_capacity(region);
    if (!capacity_bytes) {
        return std::unexpected(capacity_bytes.error());
    }
    EventRingHeader& header = header_of(region);
    const std::uint64_t tail = header.tail_position.load(std::memory_order_acquire);  // PUBLISHED
    // Relaxed: only a consumer writes it, and the one before is dead.
    const std::uint64_t head = header.head_position.load(std::memory_order_relaxed);
    if (tail - head > *capacity_bytes || position - head > tail - head || position % 8 != 0) {
        return failure(std::errc::bad_message,
                       fmt::format("event ring: position {} is not between head {} and tail {}",
                                   position, head, tail));
    }
    EventConsumer consumer(header, region.data() + sizeof(EventRingHeader), *capacity_bytes,
                           position);
    consumer.released_position_ = head;
    return consumer;
}

bool EventConsumer::has_more() noexcept {
    if (cursor_position_ == tail_cached_) {
        tail_cached_ = header_->tail_position.load(std::memory_order_acquire);  // PUBLISHED
    }
    return cursor_position_ != tail_cached_;
}

Peek EventConsumer::peek(EventRecord& record) noexcept {
    while (has_more()) {
        const std::uint64_t readable_bytes = tail_cached_ - cursor_position_;
        const auto offset = static_cast<std::uint32_t>(cursor_position_ & (capacity_bytes_ - 1));
        const std::uint32_t to_end = capacity_bytes_ - offset;
        if (readable_bytes > capacity_bytes_ || readable_bytes % 8 != 0) {
            return Peek::damaged;
        }
        RecordHeader header;  // read once, then judged
        std::memcpy(&header, records_ + offset, sizeof(header));
        if (header.payload_bytes > to_end - record_header_bytes) {
            return Peek::damaged;  // and so the sum below cannot overflow
        }
        peeked_bytes_ = record_header_bytes + padded(header.payload_bytes);
        if (peeked_bytes_ > readable_bytes) {
            return Peek::damaged;
        }
        if (header.kind != static_cast<std::uint32_t>(EventKind::padding)) {
            record.kind = static_cast<EventKind>(header.kind);
            record.payload = {records_ + offset + record_header_bytes, header.payload_bytes};
            return Peek::record;
        }
        if (peeked_bytes_ != to_end) {
            return Peek::damaged;  // padding fills the end and nothing else
        }
        advance();
    }
    return Peek::empty;
}

void EventConsumer::advance() noexcept {
    invariant(peeked_bytes_ != 0, "only what was peeked is passed");
    cursor_position_ += peeked_bytes_;
    peeked_bytes_ = 0;
}

void EventConsumer::release() noexcept {
    if (released_position_ != cursor_position_) {
        released_position_ = cursor_position_;
        header_->head_position.store(cursor_position_, std::memory_order_release);  // RELEASED
    }
}

}  // namespace ringside
