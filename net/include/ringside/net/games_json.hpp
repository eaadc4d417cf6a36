#pragma once
// Games as JSON, the same from `ringside list --json` and from GET /games.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ringside/core/game.hpp"

namespace ringside {

struct ListedGame {
    std::string name;
    std::string type;
    std::string_view state;
    unsigned players = 0;
    unsigned seats = 0;
    std::uint32_t spectators = 0;
    std::string size;
    std::uint64_t age_s = 0;
    bool password = false;
};

/// A host newer than this program may have phases that are not known here: "unknown".
[[nodiscard]] std::string_view state_name(std::uint8_t phase) noexcept;

/// {"games": […]}; with `more`: of a page, and whether another follows.
[[nodiscard]] std::string games_json(std::span<const ListedGame> games,
                                     std::optional<bool> more = std::nullopt);

}  // namespace ringside
