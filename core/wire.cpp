#include "ringside/core/wire.hpp"

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

template <class Root>
const Root* verified(Bytes payload, flatbuffers::uoffset_t tables_max) noexcept {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(payload.data());
    flatbuffers::Verifier verifier(bytes, payload.size(), depth_max, tables_max);
    if (!verifier.VerifyBuffer<Root>(nullptr)) {
        return nullptr;
    }
    const auto* root = flatbuffers::GetRoot<Root>(bytes);
    // An unknown union member verifies (that is how the protocol grows) but cannot be handled.
    return root->message() != nullptr ? root : nullptr;
}

}  // namespace

const FromClient* verified_from_client(Bytes payload) noexcept {
    return verified<FromClient>(payload, tables_max_from_client);
}

const FromHost* verified_from_host(Bytes payload) noexcept {
    return verified<FromHost>(payload, tables_max_from_host);
}

}  // namespace ringside::wire
