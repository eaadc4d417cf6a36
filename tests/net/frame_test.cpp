#include "ringside/net/frame.hpp"

#include <algorithm>
#include <random>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "ringside/core/limits.hpp"

using ringside::Bytes;
using ringside::frame_prefix;
using ringside::FrameParser;
using ringside::FrameStatus;
using ringside::Speaker;
using ringside::speaker_of;

namespace {

using Payload = std::vector<std::byte>;

Payload random_payload(std::mt19937& random, std::size_t bytes_max) {
    Payload payload(1 + random() % bytes_max);
    std::ranges::generate(payload, [&] { return static_cast<std::byte>(random()); });
    return payload;
}

void append_frame(std::vector<std::byte>& stream, const Payload& payload) {
    const auto prefix = frame_prefix(static_cast<std::uint32_t>(payload.size()));
    stream.insert(stream.end(), prefix.begin(), prefix.end());
    stream.insert(stream.end(), payload.begin(), payload.end());
}

std::array<std::byte, 4> prefix_of(std::string_view text) {
    std::array<std::byte, 4> prefix;
    std::ranges::transform(text, prefix.begin(), [](char c) { return static_cast<std::byte>(c); });
    return prefix;
}

}  // namespace

TEST_CASE("frame: payloads come out as they went in, however the stream is split", "[net][frame]") {
    std::mt19937 random(static_cast<std::mt19937::result_type>(Catch::rngSeed()));
    constexpr std::uint32_t bytes_max = 64;
    for (int round = 0; round < 200; ++round) {
        std::vector<Payload> sent;
        std::vector<std::byte> stream;
        for (std::size_t count = 1 + random() % 20; sent.size() < count;) {
            sent.push_back(random_payload(random, bytes_max));
            append_frame(stream, sent.back());
        }
        FrameParser parser(bytes_max);
        std::vector<Payload> received;
        for (std::size_t offset = 0; offset < stream.size();) {
            const std::size_t piece = std::min(random() % 40, stream.size() - offset);
            // A copy of its own size, so that a sanitizer sees a step beyond it.
            const std::vector<std::byte> copy(
                stream.begin() + static_cast<std::ptrdiff_t>(offset),
                stream.begin() + static_cast<std::ptrdiff_t>(offset + piece));
            Bytes bytes(copy);
            Bytes payload;
            while (parser.next(bytes, payload) == FrameStatus::frame) {
                REQUIRE(reinterpret_cast<std::uintptr_t>(payload.data()) % 8 == 0);
                received.emplace_back(payload.begin(), payload.end());
            }
            REQUIRE(bytes.empty());
            offset += piece;
        }
        REQUIRE(received == sent);
    }
}

TEST_CASE("frame: an aligned payload in one piece is not copied", "[net][frame]") {
    alignas(8) std::array<std::byte, 4 + 4 + 8> memory{};
    std::ranges::copy(frame_prefix(8), memory.begin() + 4);
    Bytes bytes = Bytes(memory).subspan(4);
    Bytes payload;
    FrameParser parser(8);
    REQUIRE(parser.next(bytes, payload) == FrameStatus::frame);
    REQUIRE(payload.data() == memory.data() + 8);
    REQUIRE(bytes.empty());
}

TEST_CASE("frame: lengths of zero and beyond the limit are refused", "[net][frame]") {
    constexpr std::uint32_t limit = ringside::client_message_bytes_max;
    FrameParser parser(limit);
    Bytes payload;
    const auto status = [&](std::uint32_t length) {
        const auto prefix = frame_prefix(length);
        Bytes bytes(prefix);
        return parser.next(bytes, payload);
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
