#pragma once
// Frames: how messages follow each other on a byte stream.
//
//   [u32 payload_bytes, little endian][payload] …
//
// Both together are one size-prefixed FlatBuffer, as FinishSizePrefixed() leaves it in any
// language: fields are aligned from the prefix on.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ringside/core/game.hpp"

namespace ringside {

inline constexpr std::size_t frame_prefix_bytes = 4;

enum class FrameStatus : std::uint8_t {
    frame,      // a whole one
    more,       // everything is consumed; the rest has not come yet
    empty,      // a length of zero: not this protocol
    too_large,  // a length beyond the limit: see prefix(), it may be another protocol
};

/// Cuts a stream into frames, however it was split on its way. After `empty` or `too_large` the
/// stream cannot be followed any more.
class FrameParser {
public:
    explicit FrameParser(std::uint32_t payload_bytes_max) noexcept
        : payload_bytes_max_(payload_bytes_max) {}

    /// Takes from the front of `bytes` up to the end of the next frame. `frame`, prefix included,
    /// is 8-aligned and lies in `bytes` if it could, else in the parser: valid until the next call.
    [[nodiscard]] FrameStatus next(Bytes& bytes, Bytes& frame);

    /// The four bytes that the last status is about.
    [[nodiscard]] std::array<std::byte, frame_prefix_bytes> prefix() const noexcept {
        return prefix_;
    }

private:
    [[nodiscard]] FrameStatus judge(Bytes prefix) noexcept;
    void complete(std::size_t bytes_wanted, Bytes& bytes);

    std::uint32_t payload_bytes_max_;
    std::uint32_t payload_bytes_ = 0;  // what the prefix judged last announces
    std::array<std::byte, frame_prefix_bytes> prefix_{};
    std::vector<std::byte> partial_;  // of a frame that came in pieces; its memory is 8-aligned
    bool given_out_ = false;          // partial_ was the last frame
};

/// Whether it is a prefix, and as many bytes as that announces.
[[nodiscard]] bool is_one_frame(Bytes bytes) noexcept;

/// Who else may have connected, judged by the prefix of the first frame.
enum class Speaker : std::uint8_t { unknown, http, tls };
[[nodiscard]] Speaker speaker_of(std::array<std::byte, frame_prefix_bytes> prefix) noexcept;

}  // namespace ringside
