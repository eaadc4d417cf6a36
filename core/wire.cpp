#include "ringside/core/wire.hpp"

#include <cstdint>

#include <flatbuffers/flatbuffers.h>

#include "ringside/core/limits.hpp"
#include "ringside/core/wire_generated.h"

namespace ringside::wire {
namespace {

// The default limit of a million tables lets 620 hostile bytes cost 10–20 ms; the deepest message
// is FromHost > Games > GameInfo, the widest a full page of games.
constexpr flatbuffers::uoffset_t depth_max = 8;
constexpr flatbuffers::uoffset_t tables_max_from_client = 4;
constexpr flatbuffers::uoffset_t tables_max_from_host = 8 + games_per_page_max;
static_assert(games_per_page_max >= seats_max, "Players has a table for each of them");

// MessageType: the enum of Root's union.
template <class Root, class MessageType>
const Root* verified(Bytes frame, flatbuffers::uoffset_t tables_max) noexcept {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(frame.data());
    // The prefix belongs to it: fields are aligned from the prefix on, not from the byte after it.
    flatbuffers::Verifier verifier(bytes, frame.size(), depth_max, tables_max);
    if (frame.size() < sizeof(flatbuffers::uoffset_t) ||
        !verifier.VerifySizePrefixedBuffer<Root>(nullptr)) {
        return nullptr;
    }
    const auto* root = flatbuffers::GetSizePrefixedRoot<Root>(bytes);
    // FlatBuffers lets an unknown union member pass unread, so that old readers survive new
    // messages. Here the protocol version says what the other side may send: nobody handles it.
    const MessageType type = root->message_type();
    return type > MessageType::NONE && type <= MessageType::MAX ? root : nullptr;
}

}  // namespace

const FromClient* verified_from_client(Bytes frame) noexcept {
    const auto* message = verified<FromClient, ClientMessage>(frame, tables_max_from_client);
    const Resume* resume = message != nullptr ? message->message_as_Resume() : nullptr;
    // The library aligns a vector by its length, which has 4 bytes; these elements have 8.
    const bool aligned =
        resume == nullptr || resume->sessions()->size() == 0 ||
        reinterpret_cast<std::uintptr_t>(resume->sessions()->Data()) % alignof(std::uint64_t) == 0;
    return aligned ? message : nullptr;
}

const FromHost* verified_from_host(Bytes frame) noexcept {
    return verified<FromHost, HostMessage>(frame, tables_max_from_host);
}

}  // namespace ringside::wire
