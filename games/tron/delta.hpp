#pragma once
// Delta: how one view differs from the one before it, in a byte and one or two a cycle.
//
//   byte 0       phase in bits 0-2, count in bits 3-4, number of cycles in bits 5-7
//   each cycle   direction in bits 0-1, state in bits 2-4, then three bits:
//                moved  one cell in its direction
//                laid   a wall where it was, in its direction
//                more   another byte follows: explosion frame in bits 0-3, ready, walls dropped
//
// Everything else is as before. What does not fit this (a join, a new race, a shrunken arena) is no
// delta: clients get the whole view.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "match.hpp"

namespace ringside::tron {

inline constexpr std::uint32_t delta_bytes_max = 1 + 2 * seats_limit;

/// Of a view, what its successor is compared with.
struct Outline {
    struct Mark {
        Racer racer;
        std::uint16_t wall_count = 0;
        PackedWall last_wall = 0;
    };

    Outline(const Match& match, std::uint8_t bot_numbers) noexcept;

    MatchPhase phase;
    std::uint8_t count;
    std::uint16_t width;
    std::uint16_t height;
    std::uint8_t cycles;
    std::uint8_t bots;
    std::array<Mark, seats_limit> marks;
};

/// From one view to the next of the same game, into `out` (delta_bytes_max of room); 0 when that
/// cannot be said.
[[nodiscard]] std::size_t write_delta(const Config& config, const Outline& before,
                                      const Outline& now, std::span<std::byte> out) noexcept;

}  // namespace ringside::tron
