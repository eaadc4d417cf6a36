#pragma once
// Reads every field of a message and writes it again: what a round trip and a fuzz target need.

#include <cstdint>
#include <vector>

#include "ringside/core/wire_generated.h"

namespace ringside::wire {

/// Requires a verified message. Absent fields stay absent; the layout is the builder's own, so a
/// copy of a copy has the same bytes.
[[nodiscard]] std::vector<std::uint8_t> copy_of(const FromClient&);
[[nodiscard]] std::vector<std::uint8_t> copy_of(const FromHost&);

}  // namespace ringside::wire
