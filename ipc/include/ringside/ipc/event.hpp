#pragma once
// Event: what one record of an event ring carries: this header, then a body (see EventKind).
//
// Exactly once: an input counts only if its link epoch is the roster's for that session and its
// number is the last applied + 1; lower is ignored, a gap is refused. So whoever resends after a
// crash or a moved link can resend too much, never too little.

#include <cstdint>
#include <type_traits>

#include "ringside/core/limits.hpp"

namespace ringside {

struct EventHeader {
    std::uint64_t session;       // SessionId; 0 for events of the host itself
    std::uint32_t link_epoch;    // which link of that session sent it; 1 for the first
    std::uint32_t input_number;  // of an input, from 1; else 0
    std::uint32_t body_bytes;    // what follows; the record's padding is not part of it
    std::uint32_t reserved;      // zero
};
static_assert(std::is_trivially_copyable_v<EventHeader>);
static_assert(sizeof(EventHeader) == event_header_bytes,
              "layout changed: raise game_segment_layout_version");

}  // namespace ringside
