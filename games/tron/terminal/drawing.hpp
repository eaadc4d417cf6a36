#pragma once
// What the parts of the layout share.

#include <string>
#include <string_view>

#include "ringside/tron_terminal/layout.hpp"

namespace ringside::tron {

/// Where the arena and what lies over its middle are drawn; the status line is below.
[[nodiscard]] ScreenSize play_area(const View& view) noexcept;

/// Border, walls, cycles and explosions.
void draw_arena(Canvas& screen, const Scene& scene);

/// What a player is called: the nickname, or "player 2"; with the number where two have the same.
[[nodiscard]] std::u32string name_of(const Scene& scene, std::uint8_t number);

/// Names, addresses and numbers for a canvas. They are ASCII; anything else, control characters
/// first of all, becomes a question mark.
[[nodiscard]] std::u32string widen(std::string_view text);

}  // namespace ringside::tron
