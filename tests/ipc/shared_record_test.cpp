#include "ringside/ipc/shared_record.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <thread>

#include <catch2/catch.hpp>

#include "ring_memory.hpp"

using ringside::SharedRecord;
using ringside::test::ExactMemory;

namespace {
using Words = std::array<std::uint64_t, 8>;
using Record = SharedRecord<Words>;

Words words_of(std::uint64_t number) {
    Words words;
    words.fill(number);
    return words;
}
}  // namespace

TEST_CASE("shared record: gives what was written last", "[ipc][shared_record]") {
    const ExactMemory memory(128);
    auto& record = *reinterpret_cast<Record*>(memory.bytes().data());
    Words words = words_of(7);
    REQUIRE(record.read(words));
    REQUIRE(words == words_of(0));  // zeroed memory is a record of zeros
    record.write(words_of(1));
    record.write(words_of(2));
    REQUIRE(record.read(words));
    REQUIRE(words == words_of(2));
}

TEST_CASE("shared record: a writer that died half-way is noticed, and followed",
          "[ipc][shared_record]") {
    const ExactMemory memory(128);
    auto& record = *reinterpret_cast<Record*>(memory.bytes().data());
    record.write(words_of(1));
    const std::uint64_t odd = 3;  // what a writer stores first
    std::memcpy(memory.bytes().data(), &odd, sizeof odd);
    Words words;
    REQUIRE_FALSE(record.read(words));
    record.write(words_of(2));
    REQUIRE(record.read(words));
    REQUIRE(words == words_of(2));
}

TEST_CASE("shared record: is never torn", "[ipc][shared_record]") {
    const ExactMemory memory(128);
    auto& record = *reinterpret_cast<Record*>(memory.bytes().data());
    std::atomic<bool> stop = false;
    std::thread writer([&] {
        for (std::uint64_t number = 1; !stop; ++number) {
            record.write(words_of(number));
        }
    });
    bool torn = false;
    std::uint64_t newest = 0;
    for (int reads = 0; reads < 20'000 && !torn;) {
        Words words;
        if (record.read(words)) {
            torn = words != words_of(words[0]) || words[0] < newest;
            newest = words[0];
            ++reads;
        }
    }
    stop = true;
    writer.join();
    REQUIRE_FALSE(torn);
}

TEST_CASE("shared words: copies any length and reads no byte beyond", "[ipc][shared_record]") {
    for (std::size_t bytes = 1; bytes <= 64; ++bytes) {
        const ExactMemory shared((bytes + 7) & ~std::size_t{7});
        std::ranges::fill(shared.bytes(), std::byte{0xff});
        const auto written = ringside::test::pattern(bytes, bytes);
        ringside::store_shared(shared.bytes().data(), written);
        std::vector<std::byte> read(bytes);
        ringside::load_shared(read, shared.bytes().data());
        REQUIRE(read == written);
        REQUIRE(std::ranges::all_of(shared.bytes().subspan(bytes),
                                    [](std::byte byte) { return byte == std::byte{0}; }));
    }
}
