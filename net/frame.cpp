#include "ringside/net/frame.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace ringside {

std::array<std::byte, frame_prefix_bytes> frame_prefix(std::uint32_t payload_bytes) noexcept {
    return {static_cast<std::byte>(payload_bytes), static_cast<std::byte>(payload_bytes >> 8),
            static_cast<std::byte>(payload_bytes >> 16),
            static_cast<std::byte>(payload_bytes >> 24)};
}

FrameStatus FrameParser::next(Bytes& bytes, Bytes& payload) {
    if (const FrameStatus status = read_prefix(bytes); status != FrameStatus::frame) {
        return status;
    }
    if (in_place(bytes, payload)) {
        prefix_bytes_ = 0;
        return FrameStatus::frame;
    }
    const std::size_t missing = payload_bytes_ - partial_.size();
    const Bytes piece = bytes.first(std::min(missing, bytes.size()));
    // Grows with what came, not with what was announced: a prefix alone costs us nothing.
    partial_.insert(partial_.end(), piece.begin(), piece.end());
    bytes = bytes.subspan(piece.size());
    if (piece.size() < missing) {
        return FrameStatus::more;
    }
    payload = partial_;
    prefix_bytes_ = 0;
    return FrameStatus::frame;
}

/// `frame`: the prefix is complete and sane.
FrameStatus FrameParser::read_prefix(Bytes& bytes) noexcept {
    if (prefix_bytes_ == frame_prefix_bytes) {
        return FrameStatus::frame;
    }
    const std::size_t taken = std::min(frame_prefix_bytes - prefix_bytes_, bytes.size());
    std::copy_n(bytes.begin(), taken, prefix_.begin() + prefix_bytes_);
    bytes = bytes.subspan(taken);
    prefix_bytes_ += static_cast<std::uint32_t>(taken);
    if (prefix_bytes_ < frame_prefix_bytes) {
        return FrameStatus::more;
    }
    partial_.clear();
    payload_bytes_ = 0;
    for (std::size_t i = frame_prefix_bytes; i-- > 0;) {
        payload_bytes_ = payload_bytes_ << 8 | static_cast<std::uint32_t>(prefix_[i]);
    }
    if (payload_bytes_ == 0 || payload_bytes_ > payload_bytes_max_) {
        prefix_bytes_ = 0;
        return payload_bytes_ == 0 ? FrameStatus::empty : FrameStatus::too_large;
    }
    return FrameStatus::frame;
}

bool FrameParser::in_place(Bytes& bytes, Bytes& payload) const noexcept {
    const bool aligned = reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 == 0;
    if (!partial_.empty() || !aligned || bytes.size() < payload_bytes_) {
        return false;
    }
    payload = bytes.first(payload_bytes_);
    bytes = bytes.subspan(payload_bytes_);
    return true;
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
