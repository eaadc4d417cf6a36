#pragma once
// The tron game type: light cycles steered with vim's keys, in the ancestor's own rules.
//
// A live game keeps its size whatever its joiners' screens are and draws start places from its
// seed. With Config::replay it is the ancestor bit by bit: a join cuts the arena to the joiner's
// screen, and start places can be given beforehand (start_picks_marker).
//
// A seat is a player's number - 1. An input is one key byte, or asks for a bot (bot_marker).
// Config, join parameters and views are FlatBuffers (games/tron/schema/tron.fbs); config.hpp and
// view.hpp read and write them.

#include "ringside/core/game.hpp"

namespace ringside::tron {

[[nodiscard]] const GameType& tron_type() noexcept;

/// The same, but a game whose players have waited 10 s for others fills its free seats with bots.
[[nodiscard]] const GameType& tron_type_with_bots() noexcept;

}  // namespace ringside::tron
