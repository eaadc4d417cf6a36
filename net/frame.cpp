#include "ringside/net/frame.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace ringside {
namespace {

/// Requires as many bytes.
std::uint32_t announced_bytes(Bytes prefix) noexcept {
    std::uint32_t payload_bytes = 0;
    for (std::size_t i = frame_prefix_bytes; i-- > 0;) {
        payload_bytes = payload_bytes << 8 | static_cast<std::uint32_t>(prefix[i]);
    }
    return payload_bytes;
}

}  // namespace

FrameStatus FrameParser::next(Bytes& bytes, Bytes& frame) {
    if (std::exchange(given_out_, false)) {
        partial_.clear();
    }
    const bool aligned = reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 == 0;
    if (partial_.empty() && aligned && bytes.size() >= frame_prefix_bytes) {
        if (const FrameStatus status = judge(bytes); status != FrameStatus::frame) {
            bytes = bytes.subspan(frame_prefix_bytes);
            return status;
        }
        if (bytes.size() >= frame_prefix_bytes + payload_bytes_) {
            frame = bytes.first(frame_prefix_bytes + payload_bytes_);
            bytes = bytes.subspan(frame.size());
            return FrameStatus::frame;
        }
    }
    complete(frame_prefix_bytes, bytes);
    if (partial_.size() < frame_prefix_bytes) {
        return FrameStatus::more;
    }
    if (const FrameStatus status = judge(partial_); status != FrameStatus::frame) {
        partial_.clear();
        return status;
    }
    complete(frame_prefix_bytes + payload_bytes_, bytes);
    if (partial_.size() < frame_prefix_bytes + payload_bytes_) {
        return FrameStatus::more;
    }
    frame = partial_;
    given_out_ = true;
    return FrameStatus::frame;
}

/// `frame`: the length that the prefix announces is sane.
FrameStatus FrameParser::judge(Bytes prefix) noexcept {
    std::copy_n(prefix.begin(), frame_prefix_bytes, prefix_.begin());
    payload_bytes_ = announced_bytes(prefix);
    if (payload_bytes_ == 0) {
        return FrameStatus::empty;
    }
    return payload_bytes_ > payload_bytes_max_ ? FrameStatus::too_large : FrameStatus::frame;
}

/// Moves bytes into partial_ until it has so many. It grows with what came, not with what was
/// announced: a prefix alone costs us nothing.
void FrameParser::complete(std::size_t bytes_wanted, Bytes& bytes) {
    if (partial_.size() >= bytes_wanted) {
        return;
    }
    const Bytes piece = bytes.first(std::min(bytes_wanted - partial_.size(), bytes.size()));
    partial_.insert(partial_.end(), piece.begin(), piece.end());
    bytes = bytes.subspan(piece.size());
}

bool is_one_frame(Bytes bytes) noexcept {
    return bytes.size() > frame_prefix_bytes &&
           announced_bytes(bytes) == bytes.size() - frame_prefix_bytes;
}

Speaker speaker_of(std::array<std::byte, frame_prefix_bytes> prefix) noexcept {
    // Read as lengths all of these are far beyond the limit, so no frame can begin like them.
    constexpr std::string_view methods[] = {"GET ", "POST", "PUT ", "HEAD", "OPTI",
                                            "DELE", "CONN", "TRAC", "PATC", "PRI "};
    const std::string_view text(reinterpret_cast<const char*>(prefix.data()), prefix.size());
    if (std::ranges::find(methods, text) != std::end(methods)) {
        return Speaker::http;
    }
    const bool handshake_record = text[0] == 0x16 && text[1] == 0x03;
    return handshake_record ? Speaker::tls : Speaker::unknown;
}

}  // namespace ringside
