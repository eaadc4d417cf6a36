#include "ringside/ipc/event_ring.hpp"

#include <new>

#include <fmt/format.h>

#include "ring_attach.hpp"

namespace ringside {
namespace {

constexpr RingLayout layout{.name = "event ring",
                            .magic = 0x52'45'53'52,  // "RSER" in memory
                            .layout_version = event_ring_layout_version,
                            .capacity_bytes_min = 64};

std::unexpected<Error> bad_positions(std::uint64_t head, std::uint64_t tail,
                                     std::uint32_t capacity_bytes) {
    return failure(std::errc::bad_message,
                   fmt::format("event ring: damaged: head {}, tail {}, capacity {}", head, tail,
                               capacity_bytes));
}

bool are_positions(std::uint64_t head, std::uint64_t tail, std::uint32_t capacity_bytes) noexcept {
    return head % 8 == 0 && tail % 8 == 0 && tail - head <= capacity_bytes;
}

}  // namespace

void create_event_ring(MutableBytes region, std::uint32_t capacity_bytes,
                       std::uint64_t first_position) noexcept {
    invariant(is_ring_capacity(capacity_bytes, layout), "capacity: a power of two, at least 64");
    invariant(region.size() >= event_ring_region_bytes(capacity_bytes), "region too small");
    invariant(first_position % 8 == 0, "positions are multiples of 8");
    auto* header = new (region.data()) EventRingHeader{};
    header->layout_version = layout.layout_version;
    header->capacity_bytes = capacity_bytes;
    // Relaxed: READY carries both.
    header->tail_position.store(first_position, std::memory_order_relaxed);
    header->head_position.store(first_position, std::memory_order_relaxed);
    header->magic.store(layout.magic, std::memory_order_release);  // READY: acquire on attach
}

bool event_ring_is_ready(MutableBytes region) noexcept {
    // Relaxed: only attach goes on to read what READY carries.
    return region.size() >= sizeof(EventRingHeader) &&
           reinterpret_cast<const EventRingHeader*>(region.data())
                   ->magic.load(std::memory_order_relaxed) == layout.magic;
}

Result<EventProducer> EventProducer::attach(MutableBytes region) {
    const auto capacity_bytes = checked_ring_capacity<EventRingHeader>(region, layout);
    if (!capacity_bytes) {
        return std::unexpected(capacity_bytes.error());
    }
    EventProducer producer(*reinterpret_cast<EventRingHeader*>(region.data()),
                           region.data() + sizeof(EventRingHeader), *capacity_bytes);
    if (!are_positions(producer.head_cached_, producer.published_position_, *capacity_bytes)) {
        return bad_positions(producer.head_cached_, producer.published_position_, *capacity_bytes);
    }
    return producer;
}

EventProducer::EventProducer(EventRingHeader& header, std::byte* records,
                             std::uint32_t capacity_bytes) noexcept
    : header_(&header),
      records_(records),
      capacity_bytes_(capacity_bytes),
      // Relaxed: nobody else writes the tail any more; the producer before us is dead.
      published_position_(header.tail_position.load(std::memory_order_relaxed)),
      claimed_position_(published_position_),
      // RELEASED: release in EventConsumer::release().
      head_cached_(header.head_position.load(std::memory_order_acquire)) {}

Result<EventConsumer> EventConsumer::attach(MutableBytes region, std::uint64_t position) {
    const auto capacity_bytes = checked_ring_capacity<EventRingHeader>(region, layout);
    if (!capacity_bytes) {
        return std::unexpected(capacity_bytes.error());
    }
    EventConsumer consumer(*reinterpret_cast<EventRingHeader*>(region.data()),
                           region.data() + sizeof(EventRingHeader), *capacity_bytes, position);
    const std::uint64_t head = consumer.released_position_;
    const std::uint64_t tail = consumer.tail_cached_;
    if (!are_positions(head, tail, *capacity_bytes)) {
        return bad_positions(head, tail, *capacity_bytes);
    }
    if (position % 8 != 0 || position - head > tail - head) {
        return failure(
            std::errc::invalid_argument,
            fmt::format("event ring: cannot go on at {}: it holds {} to {}", position, head, tail));
    }
    return consumer;
}

EventConsumer::EventConsumer(EventRingHeader& header, const std::byte* records,
                             std::uint32_t capacity_bytes, std::uint64_t position) noexcept
    : header_(&header),
      records_(records),
      capacity_bytes_(capacity_bytes),
      cursor_position_(position),
      // Relaxed: nobody else writes the head any more; the consumer before us is dead.
      released_position_(header.head_position.load(std::memory_order_relaxed)),
      // PUBLISHED: release in EventProducer::publish().
      tail_cached_(header.tail_position.load(std::memory_order_acquire)) {}

}  // namespace ringside
