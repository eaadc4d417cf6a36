#pragma once
// Whether a recorded match has the states that its calls lead to.

#include <cstdint>
#include <string>

#include "ringside/core/game.hpp"

namespace ringside {

struct Verdict {
    std::uint64_t frames = 0;
    std::uint64_t gaps = 0;
    std::uint64_t first_tick = 0;
    std::uint64_t last_tick = 0;
    bool ended = false;       // the game did, while it was recorded
    bool unfinished = false;  // its last entry is not whole: the recorder was killed
    std::string difference;   // where the states part; empty: they are the same
};

/// Restores the first state, tells the game what it was told and compares every state, and what is
/// shown of it. The Error: these bytes are no recording, or of a type unknown here.
[[nodiscard]] Result<Verdict> verify(Bytes file);

}  // namespace ringside
