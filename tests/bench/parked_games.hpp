#pragma once
// Parked games: that wait for their players and should cost nothing but memory.

#include <cstdint>
#include <string>

#include "bench.hpp"

namespace ringside::bench {

[[nodiscard]] std::string parked_games_name(std::uint32_t count);

/// Starts `count` games, lists them, and shows that none wakes up by itself.
[[nodiscard]] Result<void> add_parked_games(std::uint32_t count, Report& report);

}  // namespace ringside::bench
