#pragma once
// Predecessor: what a host that died left in its instance's directory, for the next one to go on
// with.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "instance.hpp"

#include "ringside/core/game.hpp"
#include "ringside/core/limits.hpp"
#include "ringside/ipc/game_segment.hpp"

namespace ringside {

struct LeftGame {
    GameSegment segment;
    std::int64_t created_ns = 0;  // CLOCK_MONOTONIC; 0: not known
    std::uint32_t restarts = 0;
};

struct Predecessor {
    std::array<std::uint32_t, front_slots_max> front_epochs{};  // to be counted on from
    std::vector<LeftGame> games;                                // by slot
    std::vector<std::pair<std::uint64_t, std::int64_t>> bans;   // address, until_ns
};

/// Whether take_over() would succeed, as far as can be said while the host before is alive: how
/// many games it would find.
[[nodiscard]] Result<std::size_t> check_take_over(const std::string& instance_path,
                                                  std::uint32_t games_max,
                                                  std::span<const GameType* const> types);

/// Waits until every process of the dead host is gone, judges each file and removes what nobody can
/// go on with: half-made segments, damaged ones, and the host's own. Leaves everything as it is and
/// names the cure in the Error, if a game would be lost: of another layout version, of a type that
/// is not among `types`, in a slot beyond `games_max`, or not to be opened for want of descriptors,
/// mappings, memory or permission.
[[nodiscard]] Result<Predecessor> take_over(const Instance& instance, std::uint32_t games_max,
                                            std::span<const GameType* const> types);

}  // namespace ringside
