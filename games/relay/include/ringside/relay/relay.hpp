#pragma once
// The relay game type: whatever one player sends, all get at once. The smallest reactive game, for
// meeting points, protocols of your own, and measuring what a host costs by itself.
//
// Config   two bytes {seats, history}; none: the defaults
// Input    any bytes
// View     {u64 count} and the newest `history` events, oldest first, each {u8 seat, u8 0, u16
// size}
//          and its bytes, in the machine's byte order. `count` numbers the last of them, from 1:
//          who missed a view sees by it whether an event was lost on them.

#include <cstdint>
#include <optional>
#include <vector>

#include "ringside/core/game.hpp"

namespace ringside::relay {

struct Config {
    std::uint8_t seats = 8;    // [1, seats_max]
    std::uint8_t history = 8;  // events in a view, [1, 64]
};
inline constexpr std::uint8_t history_limit = 64;

[[nodiscard]] const GameType& relay_type() noexcept;

[[nodiscard]] std::vector<std::byte> encode_config(const Config& config);

struct Event {
    std::uint8_t seat = 0;
    Bytes bytes;  // in the view's
};

struct View {
    std::uint64_t count = 0;  // events relayed so far
    std::vector<Event> events;
};

/// Judges foreign bytes; nothing when they are not a view.
[[nodiscard]] std::optional<View> decode_view(Bytes bytes);

}  // namespace ringside::relay
