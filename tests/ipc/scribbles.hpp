#pragma once
// What a hostile game would do to the memory that it may write: its own segment, and the doorbells.

#include <array>
#include <cstddef>
#include <string_view>

#include "ringside/ipc/game_segment.hpp"
#include "ringside/ipc/host_segment.hpp"

namespace ringside::test {

/// Where a game finds that memory; it has been given no pointer to it.
struct Writable {
    GameSegmentLayout* game;
    DoorbellSegmentLayout* doorbells;
};

struct Scribble {
    std::string_view what;
    void (*run)(const Writable&);
};

inline constexpr std::size_t scribble_count = 11;
[[nodiscard]] const std::array<Scribble, scribble_count>& scribbles();

/// In a game. False: the memory was not found, and nothing has been written.
[[nodiscard]] bool scribble(std::size_t which);

}  // namespace ringside::test
