#pragma once
// A game type for tests of the host: it adds up what players send, and can be told to misbehave.

#include <memory>

#include "ringside/core/game.hpp"

namespace ringside::test {

/// What an input's first byte does, besides being added to the sum.
enum class CounterInput : unsigned char {
    add_one = 1,
    run = 100,       // tick from now on
    park = 101,      // tick no more
    crash = 102,     // abort: every time it is applied
    end = 103,       // the match is over
    hang = 104,      // for ever: every time it is applied
    shout = 105,     // to standard error: a line with an escape sequence
    babble = 106,    // to standard error: a hundred thousand lines
    attack = 150,    // and above: see attacks.hpp
    scribble = 200,  // and above: see scribbles.hpp
};

/// The whole view, plain: the same process layout on both sides.
struct CounterView {
    std::uint64_t sum = 0;
    std::uint64_t ticks = 0;
    std::uint32_t players = 0;
    std::uint32_t joins = 0;
    std::uint8_t running = 0;
    std::uint8_t ended = 0;
    std::uint8_t seat_taken[4] = {};
    std::uint8_t reserved[2] = {};
};

/// What delta() tells: only counts have grown. Anything else is told by a whole view.
struct CounterDelta {
    std::uint64_t sum_added = 0;
    std::uint64_t ticks_added = 0;
};

/// Type "counter": 4 seats, 10 ms ticks. A config of one byte N asks for N seats (1 to 4).
[[nodiscard]] const GameType& counter_type();

}  // namespace ringside::test
