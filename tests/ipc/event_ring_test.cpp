#include "ringside/ipc/event_ring.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <vector>

#include <catch2/catch.hpp>
#include <sched.h>

#include "ring_memory.hpp"

using namespace ringside;
using namespace ringside::test;

namespace {

struct Event {
    EventKind kind;
    std::vector<std::byte> payload;
};

struct Ring {
    explicit Ring(std::uint32_t capacity_bytes, std::uint64_t first_position = 0)
        : memory(event_ring_region_bytes(capacity_bytes)) {
        create_event_ring(memory.bytes(), capacity_bytes, first_position);
    }
    EventProducer producer() const { return EventProducer::attach(memory.bytes()).value(); }
    EventConsumer consumer(std::uint64_t position) const {
        return EventConsumer::attach(memory.bytes(), position).value();
    }
    EventRingHeader& header() const {
        return *reinterpret_cast<EventRingHeader*>(memory.bytes().data());
    }
    ExactMemory memory;
};

bool try_put(EventProducer& producer, const Event& event) {
    const auto room =
        producer.try_claim(event.kind, static_cast<std::uint32_t>(event.payload.size()));
    if (room.empty()) {
        return false;
    }
    REQUIRE(room.size() == event.payload.size());
    std::ranges::copy(event.payload, room.begin());
    return true;
}

void require_next(EventConsumer& consumer, const Event& expected) {
    EventRecord record;
    REQUIRE(consumer.peek(record) == Peek::record);
    REQUIRE(record.kind == expected.kind);
    REQUIRE(std::ranges::equal(record.payload, expected.payload));
}

void require_empty(EventConsumer& consumer) {
    EventRecord record;
    REQUIRE(consumer.peek(record) == Peek::empty);
}

Event random_event(Random& random, std::uint32_t payload_bytes_max) {
    return {static_cast<EventKind>(1 + random.below(4)),
            pattern(random.next(), 1 + random.below(payload_bytes_max))};
}

std::uint64_t bytes_of(const Event& event) {
    return event_record_bytes(static_cast<std::uint32_t>(event.payload.size()));
}

}  // namespace

TEST_CASE("event ring: behaves like a queue under random operations", "[ipc][event_ring]") {
    auto random = test_random();
    const std::uint32_t capacity_bytes = 64u << random.below(6);
    for (const std::uint64_t first_position : first_positions(capacity_bytes)) {
        const Ring ring(capacity_bytes, first_position);
        auto producer = ring.producer();
        auto consumer = ring.consumer(first_position);
        std::deque<Event> claimed;
        std::deque<Event> published;  // beyond the cursor
        for (int step = 0; step < 20'000; ++step) {
            switch (random.below(6)) {
                case 0:
                case 1: {
                    auto event = random_event(random, producer.payload_bytes_max());
                    const auto position = producer.position();
                    if (try_put(producer, event)) {
                        REQUIRE(producer.position() - position >= bytes_of(event));
                        claimed.push_back(std::move(event));
                    } else {
                        REQUIRE(producer.position() == position);
                        // A refusal is honest: at least half of the ring is in use.
                        REQUIRE(position - producer.released_position() >= capacity_bytes / 2 - 16);
                    }
                    break;
                }
                case 2:
                    producer.publish();
                    std::ranges::move(claimed, std::back_inserter(published));
                    claimed.clear();
                    break;
                case 3:
                    consumer.release();
                    REQUIRE(producer.released_position() == consumer.position());
                    break;
                case 4: {  // consumer takeover: everything since the last release comes again
                    const auto position = consumer.position();
                    consumer = ring.consumer(position);
                    break;
                }
                default:
                    REQUIRE(consumer.has_more() == !published.empty());
                    if (published.empty()) {
                        require_empty(consumer);
                    } else {
                        require_next(consumer, published.front());
                        require_next(consumer, published.front());  // peek moves nothing
                        consumer.advance();
                        published.pop_front();
                    }
            }
        }
    }
}

TEST_CASE("event ring: a record never wraps, at whatever offset it starts", "[ipc][event_ring]") {
    const std::uint32_t capacity_bytes = 256;
    for (std::uint32_t start = 0; start < capacity_bytes; start += 8) {
        for (std::uint32_t payload_bytes = 1; payload_bytes <= capacity_bytes / 4;
             ++payload_bytes) {
            const std::uint64_t first_position = std::uint64_t{0} - capacity_bytes + start;
            const Ring ring(capacity_bytes, first_position);
            auto producer = ring.producer();
            auto consumer = ring.consumer(first_position);
            const Event event{EventKind::input, pattern(start, payload_bytes)};
            REQUIRE(try_put(producer, event));
            producer.publish();
            require_next(consumer, event);
            consumer.advance();
            REQUIRE(consumer.position() == producer.position());
            require_empty(consumer);
        }
    }
}

TEST_CASE("event ring: a full ring refuses and overwrites nothing", "[ipc][event_ring]") {
    const std::uint32_t capacity_bytes = 256;
    for (const std::uint64_t first_position : first_positions(capacity_bytes)) {
        const Ring ring(capacity_bytes, first_position);
        auto producer = ring.producer();
        auto consumer = ring.consumer(first_position);
        std::vector<Event> events;
        for (std::uint64_t seed = 0;; ++seed) {
            Event event{EventKind::input, pattern(seed, 8)};
            if (!try_put(producer, event)) {
                break;
            }
            events.push_back(std::move(event));
        }
        REQUIRE(events.size() >= capacity_bytes / 16 - 1);  // padding may take one
        producer.publish();
        for (int again = 0; again < 3; ++again) {
            REQUIRE(producer.try_claim(EventKind::join, 1).empty());
        }
        for (const auto& event : events) {
            require_next(consumer, event);
            consumer.advance();
            // Applied is not released: the snapshot that holds it may not be out yet.
            REQUIRE(producer.try_claim(EventKind::join, 1).empty());
        }
        consumer.release();
        REQUIRE_FALSE(producer.try_claim(EventKind::join, 1).empty());
    }
}

TEST_CASE("event ring: the longest record fits an empty ring at any offset", "[ipc][event_ring]") {
    for (const std::uint32_t capacity_bytes : {64u, 128u, event_ring_bytes_default}) {
        for (std::uint32_t start = 0; start < capacity_bytes; start += 8) {
            const Ring ring(capacity_bytes, start);
            auto producer = ring.producer();
            REQUIRE_FALSE(
                producer.try_claim(EventKind::input, producer.payload_bytes_max()).empty());
        }
    }
}

TEST_CASE("event ring: a batch is visible only once published", "[ipc][event_ring]") {
    const Ring ring(1024);
    auto producer = ring.producer();
    auto consumer = ring.consumer(0);
    std::vector<Event> events;
    auto random = test_random();
    for (int i = 0; i < 5; ++i) {
        events.push_back(random_event(random, 40));
        REQUIRE(try_put(producer, events.back()));
        REQUIRE_FALSE(consumer.has_more());
        require_empty(consumer);
    }
    producer.publish();
    for (const auto& event : events) {
        require_next(consumer, event);
        consumer.advance();
    }
    require_empty(consumer);
}

TEST_CASE("event ring: a producer killed before publish leaves no trace", "[ipc][event_ring]") {
    const std::uint32_t capacity_bytes = 512;
    const SharedMemory memory(event_ring_region_bytes(capacity_bytes));
    auto random = test_random();
    const std::uint64_t first_position = std::uint64_t{0} - 2000;
    create_event_ring(memory.bytes(), capacity_bytes, first_position);
    auto consumer = EventConsumer::attach(memory.bytes(), first_position).value();
    enum Point { after_attach, after_claim, after_fill, after_second_claim, after_publish };
    for (int round = 0; round < 60; ++round) {
        const auto point = static_cast<Point>(round % 5);
        const Event first = random_event(random, 100);
        const Event second = random_event(random, 100);
        in_a_killed_child([&] {
            auto producer = EventProducer::attach(memory.bytes()).value();
            if (point == after_attach) {
                die();
            }
            const auto room =
                producer.try_claim(first.kind, static_cast<std::uint32_t>(first.payload.size()));
            if (point == after_claim) {
                die();
            }
            std::ranges::copy(first.payload, room.begin());
            if (point == after_fill) {
                die();
            }
            if (!try_put(producer, second) || point == after_second_claim) {
                die();
            }
            producer.publish();
            die();
        });
        if (point == after_publish) {
            require_next(consumer, first);
            consumer.advance();
            require_next(consumer, second);
            consumer.advance();
        }
        require_empty(consumer);
        consumer.release();
        // The successor goes on as if the dead one had never begun.
        auto successor = EventProducer::attach(memory.bytes()).value();
        REQUIRE(successor.position() == consumer.position());
        REQUIRE(try_put(successor, second));
        successor.publish();
        require_next(consumer, second);
        consumer.advance();
        consumer.release();
    }
}

TEST_CASE("event ring: a producer killed at any instant leaves whole records",
          "[ipc][event_ring]") {
    const std::uint32_t capacity_bytes = 512;
    const SharedMemory memory(event_ring_region_bytes(capacity_bytes));
    create_event_ring(memory.bytes(), capacity_bytes);
    auto consumer = EventConsumer::attach(memory.bytes(), 0).value();
    auto random = test_random();
    std::uint64_t number = 0;  // of the next event expected
    for (int round = 0; round < 20; ++round) {
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            auto producer = EventProducer::attach(memory.bytes()).value();
            for (std::uint64_t mine = number;; ++mine) {
                const auto payload_bytes = static_cast<std::uint32_t>(8 + mine % 90);
                std::span<std::byte> room;
                while (room.empty()) {
                    ::sched_yield();
                    room = producer.try_claim(EventKind::input, payload_bytes);
                }
                std::memset(room.data(), static_cast<int>(mine & 0xff), room.size());
                std::memcpy(room.data(), &mine, sizeof mine);
                producer.publish();
            }
        }
        bool damaged = false;
        const auto drain_one = [&] {  // false when there is none
            EventRecord record;
            const Peek peek = consumer.peek(record);
            if (peek != Peek::record) {
                damaged = damaged || peek == Peek::damaged;
                return false;
            }
            std::uint64_t found = 0;
            std::memcpy(&found, record.payload.data(), sizeof found);
            const auto rest = record.payload.subspan(sizeof found);
            damaged = damaged || found != number || rest.size() != number % 90 ||
                      !std::ranges::all_of(rest, [&](std::byte byte) {
                          return byte == static_cast<std::byte>(number & 0xff);
                      });
            ++number;
            consumer.advance();
            consumer.release();
            return true;
        };
        const std::uint64_t enough = number + 1 + random.below(1000);
        while (number < enough && !damaged) {
            if (!drain_one()) {
                ::sched_yield();
            }
        }
        REQUIRE(::kill(child, SIGKILL) == 0);
        REQUIRE(::waitpid(child, nullptr, 0) == child);
        while (drain_one()) {
        }
        REQUIRE_FALSE(damaged);
    }
}

TEST_CASE("event ring: a consumer takes over where the snapshot says", "[ipc][event_ring]") {
    const Ring ring(1024, std::uint64_t{0} - 64);
    auto producer = ring.producer();
    auto dead = ring.consumer(std::uint64_t{0} - 64);
    std::vector<Event> events;
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
        events.push_back({EventKind::input, pattern(seed, 20)});
        REQUIRE(try_put(producer, events.back()));
    }
    producer.publish();
    require_next(dead, events[0]);
    dead.advance();
    dead.release();
    require_next(dead, events[1]);
    dead.advance();
    const std::uint64_t in_snapshot = dead.position();  // applied 0 and 1, released only 0
    require_next(dead, events[2]);
    dead.advance();

    SECTION("and applies each event once") {
        auto successor = ring.consumer(in_snapshot);
        for (std::size_t i = 2; i < events.size(); ++i) {
            require_next(successor, events[i]);
            successor.advance();
        }
        require_empty(successor);
        successor.release();
        REQUIRE(producer.released_position() == producer.position());
    }
    SECTION("but not outside of what the ring holds") {
        const auto head = producer.released_position();
        const auto tail = producer.position();
        REQUIRE_FALSE(EventConsumer::attach(ring.memory.bytes(), head - 8));
        REQUIRE_FALSE(EventConsumer::attach(ring.memory.bytes(), tail + 8));
        REQUIRE_FALSE(EventConsumer::attach(ring.memory.bytes(), head + 4));
        REQUIRE(EventConsumer::attach(ring.memory.bytes(), head));
        REQUIRE(EventConsumer::attach(ring.memory.bytes(), tail));
    }
}

TEST_CASE("event ring: attach tells what it found", "[ipc][event_ring]") {
    const Ring ring(64);
    const auto code = [](MutableBytes region) {
        return EventProducer::attach(region).error().code;
    };
    SECTION("absent") {
        REQUIRE(code(ring.memory.bytes().first(100)) == std::errc::no_such_file_or_directory);
        REQUIRE_FALSE(event_ring_is_ready(ring.memory.bytes().first(100)));
    }
    SECTION("not ready") {
        ring.header().magic = 0;
        REQUIRE(code(ring.memory.bytes()) == std::errc::resource_unavailable_try_again);
        REQUIRE_FALSE(event_ring_is_ready(ring.memory.bytes()));
    }
    SECTION("another layout") {
        ring.header().layout_version += 1;
        REQUIRE(code(ring.memory.bytes()) == std::errc::protocol_not_supported);
    }
    SECTION("damaged") {
        SECTION("magic") {
            ring.header().magic = 1;
        }
        SECTION("capacity beyond the region") {
            ring.header().capacity_bytes = 128;
        }
        SECTION("capacity not a power of two") {
            ring.header().capacity_bytes = 48;
        }
        SECTION("capacity zero") {
            ring.header().capacity_bytes = 0;
        }
        SECTION("tail too far") {
            ring.header().tail_position = 72;
        }
        SECTION("tail behind the head") {
            ring.header().head_position = 8;
        }
        SECTION("tail between words") {
            ring.header().tail_position = 4;
        }
        REQUIRE(code(ring.memory.bytes()) == std::errc::bad_message);
    }
    SECTION("a ring") {
        REQUIRE(event_ring_is_ready(ring.memory.bytes()));
    }
}

TEST_CASE("event ring: a consumer calls damaged what cannot be right", "[ipc][event_ring]") {
    const std::uint32_t capacity_bytes = 256;
    const Ring ring(capacity_bytes, 192);
    auto producer = ring.producer();
    auto consumer = ring.consumer(192);
    // At offset 192 a record of 16, at 208 padding of 48, at 0 a record of 56.
    REQUIRE(try_put(producer, {EventKind::input, pattern(1, 8)}));
    REQUIRE(try_put(producer, {EventKind::input, pattern(2, 48)}));
    const auto poke = [&](std::size_t offset, EventRecordHeader header) {
        std::memcpy(ring.memory.bytes().data() + sizeof(EventRingHeader) + offset, &header,
                    sizeof header);
    };
    const auto input = static_cast<std::uint32_t>(EventKind::input);
    EventRecord record;
    SECTION("a tail") {
        const auto tail = GENERATE(as<std::uint64_t>(), 184, 0, 196, 192 + 264, ~0ull - 7);
        ring.header().tail_position = tail;
        REQUIRE(consumer.peek(record) == Peek::damaged);
    }
    SECTION("a tail further than what was released allows") {
        producer.publish();
        REQUIRE(consumer.peek(record) == Peek::record);
        consumer.advance();
        REQUIRE(consumer.peek(record) == Peek::record);
        consumer.advance();
        ring.header().tail_position = consumer.position() + 200;
        REQUIRE(consumer.peek(record) == Peek::damaged);
        consumer.release();
        ring.header().tail_position = consumer.position() + 264;
        REQUIRE(consumer.peek(record) == Peek::damaged);
    }
    SECTION("a record") {
        producer.publish();
        SECTION("without payload") {
            poke(192, {0, input});
        }
        SECTION("longer than any claim") {
            poke(192, {65, input});
        }
        SECTION("of a length that overflows") {
            poke(192, {0xffff'ffff, input});
        }
        SECTION("that wraps") {
            poke(192, {60, input});
        }
        SECTION("padding of the wrong length") {
            poke(192, {48, 0});
        }
        SECTION("padding of a length that overflows") {
            poke(192, {0xffff'fff8, 0});
        }
        SECTION("padding after padding") {
            poke(192, {56, 0});
            poke(0, {248, 0});
        }
        REQUIRE(consumer.peek(record) == Peek::damaged);
    }
    SECTION("a record beyond the tail") {
        ring.header().tail_position = 200;
        REQUIRE(consumer.peek(record) == Peek::damaged);
    }
    SECTION("padding with nothing after it") {
        poke(192, {56, 0});
        ring.header().tail_position = 256;
        REQUIRE(consumer.peek(record) == Peek::damaged);
    }
}

TEST_CASE("event ring: a producer disbelieves a head that cannot be right", "[ipc][event_ring]") {
    const Ring ring(256);
    auto producer = ring.producer();
    auto consumer = ring.consumer(0);
    while (try_put(producer, {EventKind::input, pattern(1, 8)})) {
    }
    producer.publish();
    EventRecord record;
    for (int i = 0; i < 4; ++i) {
        REQUIRE(consumer.peek(record) == Peek::record);
        consumer.advance();
    }
    consumer.release();
    REQUIRE(producer.released_position() == 64);
    const auto head = GENERATE(as<std::uint64_t>(), 0, 56, 68, 264, ~0ull, 1ull << 63);
    ring.header().head_position = head;
    REQUIRE(producer.released_position() == 64);
}

TEST_CASE("event ring: random damage is survived on both sides", "[ipc][event_ring]") {
    auto random = test_random();
    for (int round = 0; round < 3000; ++round) {
        const std::uint32_t capacity_bytes = 64u << random.below(4);
        const auto positions = first_positions(capacity_bytes);
        const auto first = positions[random.below(static_cast<std::uint32_t>(positions.size()))];
        const Ring ring(capacity_bytes, first);
        auto producer = ring.producer();
        auto consumer = ring.consumer(first);
        const MutableBytes bytes = ring.memory.bytes();
        std::uint64_t checksum = 0;
        for (int step = 0; step < 40; ++step) {
            const auto at = random.below(static_cast<std::uint32_t>(bytes.size() / 4)) * 4;
            const std::uint32_t near = random.below(capacity_bytes * 2);
            const auto word =
                random.below(2) == 0 ? near : static_cast<std::uint32_t>(random.next());
            switch (random.below(4)) {
                case 0: std::memcpy(bytes.data() + at, &word, sizeof word); break;
                case 1: {
                    const auto event = random_event(random, producer.payload_bytes_max());
                    if (try_put(producer, event)) {
                        producer.publish();
                    }
                    break;
                }
                case 2:
                    (void)EventProducer::attach(bytes);
                    (void)EventConsumer::attach(bytes, consumer.position());
                    consumer.release();
                    break;
                default: {
                    EventRecord record;
                    if (consumer.peek(record) == Peek::record) {
                        for (const std::byte byte : record.payload) {
                            checksum += static_cast<std::uint64_t>(byte);
                        }
                        consumer.advance();
                    }
                }
            }
        }
        REQUIRE(checksum < ~0ull);
    }
}
