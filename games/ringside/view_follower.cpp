#include "view_follower.hpp"

#include "ringside/core/game.hpp"
#include "ringside/tron/view.hpp"

namespace ringside {
namespace {

Bytes bytes_of(const flatbuffers::Vector<std::uint8_t>& bytes) noexcept {
    return std::as_bytes(std::span(bytes.data(), bytes.size()));
}

}  // namespace

ViewFollower::Took ViewFollower::take(const wire::FromHost& message) {
    if (const auto* snapshot = message.message_as_Snapshot()) {
        tick_ = snapshot->tick();
        has_view_ = tron::decode_view(bytes_of(*snapshot->view()), view_);
        return has_view_ ? Took::view : Took::damaged;
    }
    if (const auto* delta = message.message_as_Delta()) {
        // A delta may also be of the same tick: somebody pressed a key.
        const auto ticks = static_cast<std::uint16_t>(delta->tick() - tick_);
        has_view_ = has_view_ && ticks <= 1 && tron::apply_delta(bytes_of(*delta->bytes()), view_);
        tick_ += ticks;
        return has_view_ ? Took::view : Took::damaged;
    }
    return Took::nothing;
}

}  // namespace ringside
