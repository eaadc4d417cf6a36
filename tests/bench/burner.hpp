#pragma once
// Burner: a game that burns a given CPU time in each tick and notes when its ticks began. For
// measurements only: its rules read clocks.

#include <chrono>
#include <cstdint>
#include <vector>

#include "ringside/core/game.hpp"

namespace ringside::bench {

inline constexpr std::chrono::milliseconds burner_tick{100};

[[nodiscard]] const GameType& burner_type();
[[nodiscard]] std::vector<std::byte> burner_config(std::chrono::microseconds burn);

/// From the beginning of each tick to the next one's, ms; the last 128 at most.
[[nodiscard]] std::vector<double> burner_intervals_ms(Bytes view);

}  // namespace ringside::bench
