#pragma once
// Frames: how messages follow each other on a byte stream.
//
//   [u32 payload_bytes, little endian][payload: one FlatBuffer, as Finish() leaves it] …
//
// The payload is aligned as if it stood alone: its fields are aligned from its own first byte, not
// from the prefix, so that the same bytes are a WebSocket message.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ringside/core/game.hpp"

namespace ringside {

inline constexpr std::size_t frame_prefix_bytes = 4;

[[nodiscard]] std::array<std::byte, frame_prefix_bytes> frame_prefix(
    std::uint32_t payload_bytes) noexcept;

enum class FrameStatus : std::uint8_t {
    frame,      // one whole payload
    more,       // everything is consumed; the rest has not come yet
    empty,      // a length of zero: not this protocol
    too_large,  // a length beyond the limit: see prefix(), it may be another protocol
};

/// Cuts a stream into payloads, however it was split on its way. After `empty` or `too_large` the
/// stream cannot be followed any more.
class FrameParser {
public:
    explicit FrameParser(std::uint32_t payload_bytes_max) noexcept
        : payload_bytes_max_(payload_bytes_max) {}

    /// Takes from the front of `bytes` up to the end of the next frame. `payload`, with `frame`, is
    /// 8-aligned and lies in `bytes` if it could, else in the parser: valid until the next call.
    [[nodiscard]] FrameStatus next(Bytes& bytes, Bytes& payload);

    /// The four bytes that the last status is about.
    [[nodiscard]] std::array<std::byte, frame_prefix_bytes> prefix() const noexcept {
        return prefix_;
    }

private:
    FrameStatus read_prefix(Bytes& bytes) noexcept;
    bool in_place(Bytes& bytes, Bytes& payload) const noexcept;

    std::uint32_t payload_bytes_max_;
    std::uint32_t payload_bytes_ = 0;  // of the frame being read, once the prefix is complete
    std::uint32_t prefix_bytes_ = 0;   // read of the prefix
    std::array<std::byte, frame_prefix_bytes> prefix_{};
    std::vector<std::byte> partial_;  // of a payload that came in pieces; its memory is 8-aligned
};

/// Who else may have connected, judged by the prefix of the first frame.
enum class Speaker : std::uint8_t { unknown, http, tls };
[[nodiscard]] Speaker speaker_of(std::array<std::byte, frame_prefix_bytes> prefix) noexcept;

}  // namespace ringside
