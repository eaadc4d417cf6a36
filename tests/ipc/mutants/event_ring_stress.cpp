// One producer and one consumer thread on one event ring, checking every byte: run under
// ThreadSanitizer as it is (must be silent) and with one memory order weakened (must be reported).
// A plain main, so that each variant links nothing but itself.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "ringside/ipc/event_ring.hpp"

using namespace ringside;

namespace {

constexpr std::uint32_t capacity_bytes = 1024;
constexpr std::uint64_t events_max = 300'000;

std::uint32_t payload_bytes_of(std::uint64_t number) {
    return static_cast<std::uint32_t>(8 + number % 60);
}

void produce(EventProducer producer) {
    for (std::uint64_t number = 0; number < events_max;) {
        const auto room = producer.try_claim(EventKind::input, payload_bytes_of(number));
        if (room.empty()) {
            std::this_thread::yield();
            continue;
        }
        std::memset(room.data(), static_cast<int>(number & 0xff), room.size());
        producer.publish();
        ++number;
    }
}

bool consume(EventConsumer consumer) {
    for (std::uint64_t number = 0; number < events_max;) {
        EventRecord record;
        const Peek peek = consumer.peek(record);
        if (peek == Peek::empty) {
            std::this_thread::yield();
            continue;
        }
        if (peek == Peek::damaged || record.payload.size() != payload_bytes_of(number)) {
            return false;
        }
        for (const std::byte byte : record.payload) {
            if (byte != static_cast<std::byte>(number & 0xff)) {
                return false;
            }
        }
        consumer.advance();
        consumer.release();
        ++number;
    }
    return true;
}

}  // namespace

int main() {
    alignas(cache_line_bytes) static std::byte region[event_ring_region_bytes(capacity_bytes)];
    create_event_ring(region, capacity_bytes);
    auto producer = EventProducer::attach(region);
    auto consumer = EventConsumer::attach(region, 0);
    std::thread producing(produce, producer.value());
    const bool intact = consume(consumer.value());
    if (!intact) {
        std::puts("an event arrived damaged");
        std::_Exit(1);
    }
    producing.join();
    std::puts("every event arrived intact");
    return 0;
}
