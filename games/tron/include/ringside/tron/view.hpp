#pragma once
// Reading a game's view: for terminals, bots, observers and comparisons.

#include <optional>

#include "ringside/core/game.hpp"
#include "ringside/tron/types.hpp"

namespace ringside::tron {

/// Judges foreign bytes, which may start at any address; nothing when they are not a view. Every
/// number is in its enum's or type's range, cycles are at most seats_limit with distinct numbers,
/// walls at most cells_max + seats_limit; places may still lie outside width × height.
[[nodiscard]] std::optional<View> decode_view(Bytes bytes);

/// The same into a View whose capacity is reused; `into` is unspecified after false.
[[nodiscard]] bool decode_view(Bytes bytes, View& into);

/// Makes the view that follows `view`, from a Delta's bytes, which are foreign too. The ranges of
/// decode_view hold, but for walls: at most cells_max + seats_limit a cycle. `view` is unspecified
/// after false, as it is after the delta of another view.
[[nodiscard]] bool apply_delta(Bytes delta, View& view);

}  // namespace ringside::tron
