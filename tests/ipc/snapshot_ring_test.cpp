#include "ringside/ipc/snapshot_ring.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <optional>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "ring_memory.hpp"

using namespace ringside;
using namespace ringside::test;

namespace {

struct Ring {
    explicit Ring(std::uint32_t capacity_bytes, std::uint64_t first_position = 0)
        : memory(snapshot_ring_region_bytes(capacity_bytes)) {
        create_snapshot_ring(memory.bytes(), capacity_bytes, first_position);
    }
    SnapshotProducer producer() const { return SnapshotProducer::attach(memory.bytes()).value(); }
    SnapshotReader reader() const { return SnapshotReader::attach(memory.bytes()).value(); }
    SnapshotRingHeader& header() const {
        return *reinterpret_cast<SnapshotRingHeader*>(memory.bytes().data());
    }
    ExactMemory memory;
};

void publish(SnapshotProducer& producer, Bytes payload) {
    producer.publish({&payload, 1});
}

// The payload, if there was news.
std::optional<std::vector<std::byte>> read(SnapshotReader& reader) {
    std::vector<std::byte> out(reader.payload_bytes_max());
    std::size_t bytes = 0;
    const SnapshotRead result = reader.read_newest(out, bytes);
    REQUIRE((result == SnapshotRead::record || result == SnapshotRead::nothing));
    if (result == SnapshotRead::nothing) {
        return std::nullopt;
    }
    out.resize(bytes);
    return out;
}

// The payload that follows the one read last, if it is still there; else the newest.
std::optional<std::vector<std::byte>> read_next(SnapshotReader& reader) {
    std::vector<std::byte> out(reader.payload_bytes_max());
    std::size_t bytes = 0;
    const SnapshotRead result = reader.read_next(out, bytes);
    if (result == SnapshotRead::lapped) {
        return read(reader);
    }
    REQUIRE((result == SnapshotRead::record || result == SnapshotRead::nothing));
    if (result == SnapshotRead::nothing) {
        return std::nullopt;
    }
    out.resize(bytes);
    return out;
}

// A snapshot whose length and bytes all follow from its first word.
std::size_t fill_numbered(std::span<std::byte> out, std::uint64_t number) {
    const std::size_t bytes = 8 + (number * 37) % (out.size() - 7);
    std::memset(out.data(), static_cast<int>(number & 0xff), bytes);
    std::memcpy(out.data(), &number, sizeof number);
    return bytes;
}

bool is_numbered(Bytes payload, std::size_t payload_bytes_max) {
    std::uint64_t number = 0;
    std::memcpy(&number, payload.data(), sizeof number);
    return payload.size() == 8 + (number * 37) % (payload_bytes_max - 7) &&
           std::ranges::all_of(payload.subspan(8), [&](std::byte byte) {
               return byte == static_cast<std::byte>(number & 0xff);
           });
}

}  // namespace

TEST_CASE("snapshot ring: the newest record wins", "[ipc][snapshot_ring]") {
    const Ring ring(1024);
    auto producer = ring.producer();
    auto reader = ring.reader();
    REQUIRE_FALSE(reader.has_news());
    REQUIRE_FALSE(read(reader));
    publish(producer, pattern(1, 10));
    publish(producer, pattern(2, 20));
    REQUIRE(reader.has_news());
    REQUIRE(read(reader) == pattern(2, 20));
    REQUIRE(reader.sequence() == 2);
    REQUIRE_FALSE(reader.has_news());
    REQUIRE_FALSE(read(reader));
}

TEST_CASE("snapshot ring: parts of any length are joined", "[ipc][snapshot_ring]") {
    auto random = test_random();
    const Ring ring(4096);
    auto producer = ring.producer();
    auto reader = ring.reader();
    for (int round = 0; round < 2000; ++round) {
        const auto payload = pattern(random.next(), 1 + random.below(producer.payload_bytes_max()));
        std::vector<Bytes> parts;
        for (Bytes left = payload; !left.empty();) {
            const std::size_t bytes = random.below(std::min<std::uint32_t>(
                random.below(2) == 0 ? 12 : 200, static_cast<std::uint32_t>(left.size()) + 1));
            parts.push_back(left.first(bytes));  // empty parts too
            left = left.subspan(bytes);
            if (parts.size() > 40) {
                parts.push_back(left);
                break;
            }
        }
        producer.publish(parts);
        REQUIRE(read(reader) == payload);
    }
}

TEST_CASE("snapshot ring: random sizes wrap whole at any position", "[ipc][snapshot_ring]") {
    auto random = test_random();
    for (const std::uint32_t capacity_bytes : {128u, 256u, 4096u}) {
        for (const std::uint64_t first_position : first_positions(capacity_bytes)) {
            const Ring ring(capacity_bytes, first_position);
            auto producer = ring.producer();
            auto reader = ring.reader();
            auto lapped = ring.reader();
            for (std::uint64_t sequence = 1; sequence <= 500; ++sequence) {
                const auto payload =
                    pattern(sequence, 1 + random.below(producer.payload_bytes_max()));
                publish(producer, payload);
                REQUIRE(read(reader) == payload);
                REQUIRE(reader.sequence() == sequence);
                if (random.below(20) == 0) {  // overtaken several times over: takes the newest
                    REQUIRE(read(lapped) == payload);
                }
                if (random.below(10) == 0) {
                    producer = ring.producer();
                    REQUIRE(producer.sequence() == sequence);
                }
            }
        }
    }
}

TEST_CASE("snapshot ring: who reads in order misses none that has not been overwritten",
          "[ipc][snapshot_ring]") {
    auto random = test_random();
    for (const std::uint32_t capacity_bytes : {128u, 256u, 4096u}) {
        for (const std::uint64_t first_position : first_positions(capacity_bytes)) {
            const Ring ring(capacity_bytes, first_position);
            auto producer = ring.producer();
            auto reader = ring.reader();
            std::vector<std::vector<std::byte>> published;  // by sequence - 1
            int skipped = 0;
            for (int turn = 0; turn < 300; ++turn) {
                std::size_t bytes_behind = 0;
                const std::uint32_t burst = random.below(random.below(10) == 0 ? 40 : 4);
                for (std::uint32_t more = burst; more != 0; --more) {
                    const std::uint32_t bytes_max = 1 + random.below(producer.payload_bytes_max());
                    published.push_back(pattern(random.next(), 1 + random.below(bytes_max)));
                    publish(producer, published.back());
                    bytes_behind +=
                        snapshot_record_header_bytes + (published.back().size() + 7) / 8 * 8;
                    if (random.below(10) == 0) {
                        producer = ring.producer();  // a successor, at the same place
                    }
                }
                // Half of the ring may be announced, and an end of it left out.
                const bool all_there = bytes_behind <= capacity_bytes / 4;
                while (reader.sequence() < published.size()) {
                    const std::uint64_t before = reader.sequence();
                    const auto payload = read_next(reader);
                    REQUIRE(payload);
                    REQUIRE(*payload == published.at(reader.sequence() - 1));
                    const bool next = reader.sequence() == before + 1;
                    REQUIRE((next || before == 0 || !all_there));
                    skipped += next ? 0 : 1;
                }
                REQUIRE_FALSE(read_next(reader));
            }
            REQUIRE(skipped > 0);
        }
    }
}

TEST_CASE("snapshot ring: the capacity for a size holds four of it", "[ipc][snapshot_ring]") {
    for (const std::uint32_t bytes : {1u, 16u, 17u, 48u, 49u, 1000u, 9000u, snapshot_bytes_limit}) {
        const std::uint32_t capacity_bytes = snapshot_ring_capacity_for(bytes);
        const Ring ring(capacity_bytes);
        REQUIRE(ring.producer().payload_bytes_max() >= bytes);
        REQUIRE(ring.reader().payload_bytes_max() == ring.producer().payload_bytes_max());
        if (capacity_bytes > 128) {
            REQUIRE(Ring(capacity_bytes / 2).producer().payload_bytes_max() < bytes);
        }
    }
}

TEST_CASE("snapshot ring: a producer killed in the middle leaves the newest whole",
          "[ipc][snapshot_ring]") {
    const std::uint32_t capacity_bytes = 1024;
    const auto first_position = GENERATE(as<std::uint64_t>(), 0, ~0ull - 4999);
    const SharedMemory memory(snapshot_ring_region_bytes(capacity_bytes));
    create_snapshot_ring(memory.bytes(), capacity_bytes, first_position);
    auto reader = SnapshotReader::attach(memory.bytes()).value();
    auto ordered = SnapshotReader::attach(memory.bytes()).value();
    auto random = test_random();
    std::optional<std::vector<std::byte>> newest;
    std::uint64_t sequence = 0;
    for (int round = 0; round < 40; ++round) {
        // The second part cannot be read: the producer dies after the intent and some words.
        in_a_killed_child([&] {
            ::signal(SIGSEGV, [](int) { die(); });
            ::signal(SIGBUS, [](int) { die(); });
            auto producer = SnapshotProducer::attach(memory.bytes()).value();
            void* unreadable = ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            const auto begun = pattern(99, 8 * random.below(15));
            const Bytes parts[] = {begun, Bytes(static_cast<std::byte*>(unreadable), 64)};
            producer.publish(parts);
        });
        auto late_reader = SnapshotReader::attach(memory.bytes()).value();
        REQUIRE(read(late_reader) == newest);
        if (random.below(2) == 0) {  // else several die in a row
            auto successor = SnapshotProducer::attach(memory.bytes()).value();
            REQUIRE(successor.sequence() == sequence);
            newest = pattern(random.next(), 1 + random.below(successor.payload_bytes_max()));
            publish(successor, *newest);
            ++sequence;
            REQUIRE(read(reader) == newest);
            REQUIRE(read_next(ordered) == newest);  // never what a dead one has begun
            REQUIRE(ordered.sequence() == sequence);
        }
        REQUIRE(reader.sequence() == sequence);
    }
}

TEST_CASE("snapshot ring: a producer killed at any instant can be followed",
          "[ipc][snapshot_ring]") {
    const std::uint32_t capacity_bytes = 2048;
    const SharedMemory memory(snapshot_ring_region_bytes(capacity_bytes));
    create_snapshot_ring(memory.bytes(), capacity_bytes);
    auto reader = SnapshotReader::attach(memory.bytes()).value();
    std::vector<std::byte> out(reader.payload_bytes_max());
    std::size_t bytes = 0;
    for (int round = 0; round < 20; ++round) {
        const std::uint64_t sequence_before = reader.sequence();
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            auto producer = SnapshotProducer::attach(memory.bytes()).value();
            std::vector<std::byte> payload(producer.payload_bytes_max());
            for (;;) {
                const auto filled = fill_numbered(payload, producer.sequence() + 1);
                publish(producer, Bytes(payload).first(filled));
            }
        }
        while (reader.sequence() < sequence_before + 1000) {
            const SnapshotRead result = reader.read_newest(out, bytes);
            REQUIRE(result != SnapshotRead::damaged);
            if (result == SnapshotRead::record) {
                REQUIRE(is_numbered(Bytes(out).first(bytes), out.size()));
            }
        }
        REQUIRE(::kill(child, SIGKILL) == 0);
        REQUIRE(::waitpid(child, nullptr, 0) == child);
        REQUIRE(reader.read_newest(out, bytes) != SnapshotRead::damaged);
        REQUIRE(is_numbered(Bytes(out).first(bytes), out.size()));
    }
}

TEST_CASE("snapshot ring: readers never see a torn record", "[ipc][snapshot_ring]") {
    const Ring ring(1024);
    auto producer = ring.producer();
    std::atomic<bool> torn = false;
    std::atomic<int> reading = 3;
    enum class Wants { newest, next };
    const auto follow = [&](SnapshotReader reader, Wants wants) {
        std::vector<std::byte> out(reader.payload_bytes_max());
        std::size_t bytes = 0;
        for (int records = 0; records < 5000 && !torn;) {
            const std::uint64_t sequence_before = reader.sequence();
            const bool next = wants == Wants::next && records % 2 == 0;
            const SnapshotRead result =
                next ? reader.read_next(out, bytes) : reader.read_newest(out, bytes);
            if (result == SnapshotRead::lapped && next) {
                ++records;
            }
            if (result == SnapshotRead::record) {
                torn = torn || !is_numbered(Bytes(out).first(bytes), out.size()) ||
                       reader.sequence() <= sequence_before;
                ++records;
            }
            torn = torn || result == SnapshotRead::damaged;
        }
        --reading;
    };
    std::vector<std::thread> readers;
    readers.emplace_back(follow, ring.reader(), Wants::newest);
    readers.emplace_back(follow, ring.reader(), Wants::newest);
    readers.emplace_back(follow, ring.reader(), Wants::next);
    std::vector<std::byte> payload(producer.payload_bytes_max());
    for (std::uint64_t number = 1; reading > 0; ++number) {
        publish(producer, Bytes(payload).first(fill_numbered(payload, number)));
    }
    for (auto& thread : readers) {
        thread.join();
    }
    REQUIRE_FALSE(torn);
}

TEST_CASE("snapshot ring: attach tells what it found", "[ipc][snapshot_ring]") {
    const Ring ring(128);
    const auto code = [](MutableBytes region) {
        const auto reader = SnapshotReader::attach(region);
        return reader ? std::error_code() : reader.error().code;
    };
    REQUIRE(code(ring.memory.bytes()) == std::error_code());
    REQUIRE(code(ring.memory.bytes().first(127)) == std::errc::no_such_file_or_directory);
    SECTION("not ready") {
        ring.header().magic = 0;
        REQUIRE(code(ring.memory.bytes()) == std::errc::resource_unavailable_try_again);
    }
    SECTION("another layout") {
        ring.header().layout_version += 1;
        REQUIRE(code(ring.memory.bytes()) == std::errc::protocol_not_supported);
    }
    SECTION("damaged") {
        ring.header().capacity_bytes = GENERATE(0u, 64u, 192u, 256u, 0x8000'0000u);
        REQUIRE(code(ring.memory.bytes()) == std::errc::bad_message);
    }
}

TEST_CASE("snapshot ring: what cannot be right is damaged", "[ipc][snapshot_ring]") {
    const Ring ring(256);
    auto producer = ring.producer();
    auto reader = ring.reader();
    for (std::uint64_t seed = 0; seed < 9; ++seed) {
        publish(producer, pattern(seed, 40));
    }
    const std::uint64_t newest = ring.header().newest_position;
    std::byte* record = ring.memory.bytes().data() + sizeof(SnapshotRingHeader) + (newest & 255);
    const auto poke_length = [&](std::uint32_t payload_bytes) {
        std::memcpy(record + 8, &payload_bytes, sizeof payload_bytes);
    };
    std::vector<std::byte> out(reader.payload_bytes_max());
    std::size_t bytes = 0;
    SECTION("a position between words") {
        ring.header().newest_position = newest + 4;
    }
    SECTION("a position without room for a header") {
        ring.header().newest_position = 248 + 256;
    }
    SECTION("no payload") {
        poke_length(0);
    }
    SECTION("a payload longer than any") {
        poke_length(49);
    }
    SECTION("a length that overflows") {
        poke_length(0xffff'ffff);
    }
    SECTION("an intent that covers the newest record") {
        ring.header().intent_position = newest + 264;
    }
    REQUIRE(reader.read_newest(out, bytes) == SnapshotRead::damaged);
    REQUIRE_FALSE(SnapshotProducer::attach(ring.memory.bytes()));
}

TEST_CASE("snapshot ring: random damage is survived on both sides", "[ipc][snapshot_ring]") {
    auto random = test_random();
    for (int round = 0; round < 3000; ++round) {
        const std::uint32_t capacity_bytes = 128u << random.below(4);
        const auto positions = first_positions(capacity_bytes);
        const Ring ring(capacity_bytes,
                        positions[random.below(static_cast<std::uint32_t>(positions.size()))]);
        auto producer = ring.producer();
        auto reader = ring.reader();
        std::vector<std::byte> out(reader.payload_bytes_max());
        std::size_t bytes = 0;
        const MutableBytes region = ring.memory.bytes();
        for (int step = 0; step < 40; ++step) {
            const auto at = random.below(static_cast<std::uint32_t>(region.size() / 4)) * 4;
            const auto word = random.below(2) == 0 ? random.below(capacity_bytes * 2)
                                                   : static_cast<std::uint32_t>(random.next());
            switch (random.below(4)) {
                case 0: std::memcpy(region.data() + at, &word, sizeof word); break;
                case 1:
                    publish(producer,
                            pattern(word, 1 + random.below(producer.payload_bytes_max())));
                    break;
                case 2:
                    if (auto successor = SnapshotProducer::attach(region)) {
                        producer = *successor;
                    }
                    break;
                default: {
                    const bool next = random.below(2) == 0;
                    if ((next ? reader.read_next(out, bytes) : reader.read_newest(out, bytes)) ==
                        SnapshotRead::record) {
                        REQUIRE(bytes <= out.size());
                    }
                }
            }
        }
    }
}
