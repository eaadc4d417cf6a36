#include "ringside/net/frame.hpp"

#include <algorithm>
#include <random>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "ringside/core/limits.hpp"

using ringside::Bytes;
using ringside::FrameParser;
using ringside::FrameStatus;
using ringside::Speaker;
using ringside::speaker_of;

namespace {

using Frame = std::vector<std::byte>;

std::array<std::byte, 4> frame_prefix(std::uint32_t payload_bytes) {
    std::array<std::byte, 4> prefix;
    for (unsigned i = 0; i < 4; ++i) {
        prefix[i] = static_cast<std::byte>(payload_bytes >> 8 * i);
    }
    return prefix;
}

Frame random_frame(std::mt19937& random, std::size_t payload_bytes_max) {
    const std::size_t payload_bytes = 1 + random() % payload_bytes_max;
    Frame frame(4 + payload_bytes);
    std::ranges::generate(frame, [&] { return static_cast<std::byte>(random()); });
    std::ranges::copy(frame_prefix(static_cast<std::uint32_t>(payload_bytes)), frame.begin());
    return frame;
}

std::array<std::byte, 4> prefix_of(std::string_view text) {
    std::array<std::byte, 4> prefix;
    std::ranges::transform(text, prefix.begin(), [](char c) { return static_cast<std::byte>(c); });
    return prefix;
}

}  // namespace

TEST_CASE("frame: frames come out as they went in, however the stream is split", "[net][frame]") {
    std::mt19937 random(static_cast<std::mt19937::result_type>(Catch::rngSeed()));
    constexpr std::uint32_t bytes_max = 64;
    for (int round = 0; round < 200; ++round) {
        std::vector<Frame> sent;
        std::vector<std::byte> stream;
        for (std::size_t count = 1 + random() % 20; sent.size() < count;) {
            sent.push_back(random_frame(random, bytes_max));
            stream.insert(stream.end(), sent.back().begin(), sent.back().end());
        }
        FrameParser parser(bytes_max);
        std::vector<Frame> received;
        for (std::size_t offset = 0; offset < stream.size();) {
            const std::size_t piece = std::min(random() % 40, stream.size() - offset);
            // A copy of its own size, so that a sanitizer sees a step beyond it.
            const std::vector<std::byte> copy(
                stream.begin() + static_cast<std::ptrdiff_t>(offset),
                stream.begin() + static_cast<std::ptrdiff_t>(offset + piece));
            Bytes bytes(copy);
            Bytes frame;
            while (parser.next(bytes, frame) == FrameStatus::frame) {
                REQUIRE(reinterpret_cast<std::uintptr_t>(frame.data()) % 8 == 0);
                received.emplace_back(frame.begin(), frame.end());
            }
            REQUIRE(bytes.empty());
            offset += piece;
        }
        REQUIRE(received == sent);
    }
}

TEST_CASE("frame: an aligned one in one piece is not copied", "[net][frame]") {
    alignas(8) std::array<std::byte, 4 + 8> memory{};
    std::ranges::copy(frame_prefix(8), memory.begin());
    Bytes bytes(memory);
    Bytes frame;
    FrameParser parser(8);
    REQUIRE(parser.next(bytes, frame) == FrameStatus::frame);
    REQUIRE(frame.data() == memory.data());
    REQUIRE(bytes.empty());
}

TEST_CASE("frame: lengths of zero and beyond the limit are refused", "[net][frame]") {
    constexpr std::uint32_t limit = ringside::client_message_bytes_max;
    FrameParser parser(limit);
    Bytes frame;
    const auto status = [&](std::uint32_t length) {
        const auto prefix = frame_prefix(length);
        Bytes bytes(prefix);
        return parser.next(bytes, frame);
    };
    REQUIRE(status(0) == FrameStatus::empty);
    REQUIRE(status(limit + 1) == FrameStatus::too_large);
    REQUIRE(status(0xffffffff) == FrameStatus::too_large);
    REQUIRE(status(limit) == FrameStatus::more);
}

TEST_CASE("frame: other protocols are known by their first four bytes", "[net][frame]") {
    REQUIRE(speaker_of(prefix_of("GET ")) == Speaker::http);
    REQUIRE(speaker_of(prefix_of("POST")) == Speaker::http);
    REQUIRE(speaker_of(prefix_of("\x16\x03\x01\x02")) == Speaker::tls);
    REQUIRE(speaker_of(prefix_of("GETX")) == Speaker::unknown);
    REQUIRE(speaker_of(frame_prefix(ringside::client_message_bytes_max)) == Speaker::unknown);
}
