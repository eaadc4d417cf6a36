#pragma once
// What there is in a game of tron, as its view shows it: plain values for drawing, steering and
// comparing. The numbers are those of the view's bytes and of the ancestor's traces.
//
// x grows to the right, y downwards. The outermost ring of cells kills.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace ringside::tron {

inline constexpr std::uint32_t seats_limit = 6;  // start colours and numbers there are

enum class Direction : std::uint8_t { up = 0, right = 1, down = 2, left = 3 };
inline constexpr std::uint8_t direction_count = 4;

enum class CycleState : std::uint8_t {
    racing = 0,
    exploding = 1,
    dead = 2,
    winner = 3,
    inserting = 4,  // racing, and leaving a wall
};
inline constexpr std::uint8_t cycle_state_count = 5;

/// How a wall is drawn. The corners are named by where they stand in a rectangle: north_west is ┌,
/// which joins the south and the east side of its cell.
enum class WallShape : std::uint8_t {
    east_west = 0,
    north_south = 1,
    south_west = 2,
    north_west = 3,
    north_east = 4,
    south_east = 5,
};
inline constexpr std::uint8_t wall_shape_count = 6;

enum class MatchPhase : std::uint8_t {
    waiting = 0,
    countdown = 1,
    started = 2,
    finished = 3,
    restarting = 4,
};
inline constexpr std::uint8_t match_phase_count = 5;

/// The bytes a player sends, one an input; any other byte does nothing.
enum class Key : std::uint8_t {
    escape = 27,   // stop laying walls; not ready
    left = 104,    // h
    insert = 105,  // i: lay walls; ready
    down = 106,    // j
    up = 107,      // k
    right = 108,   // l
};

/// First byte of an input of two that has a bot take a free seat (second byte 1), or one leave
/// (second byte 0), between races.
inline constexpr std::byte bot_marker{0xfe};

/// First byte of an input that gives the next start picks; only a replay heeds it.
inline constexpr std::byte start_picks_marker{0xff};

struct Wall {
    std::int16_t x = 0;
    std::int16_t y = 0;
    WallShape shape{};
    Direction direction{};  // of its cycle when it was laid
    friend bool operator==(const Wall&, const Wall&) = default;
};

struct Cycle {
    std::uint8_t number = 0;  // [1, seats_limit]: seat + 1
    std::int16_t x = 0;       // may lie outside the arena, in a replay
    std::int16_t y = 0;
    Direction direction{};
    CycleState state{};
    std::uint8_t explosion_frame = 0;  // [0, explosion_frame_max]
    bool ready = false;
    std::vector<Wall> walls;  // oldest first
    friend bool operator==(const Cycle&, const Cycle&) = default;
};
inline constexpr std::uint8_t explosion_frame_max = 11;

struct View {
    MatchPhase phase{};
    std::uint8_t count = 0;  // 3, 2, 1 in the countdown
    std::uint16_t width = 0;
    std::uint16_t height = 0;
    std::vector<Cycle> cycles;  // in the order in which they are stepped
    std::uint8_t bots = 0;      // a bit for each number that a bot of the game has, from 1 on
    friend bool operator==(const View&, const View&) = default;
};

[[nodiscard]] constexpr Direction opposite(Direction direction) noexcept {
    return static_cast<Direction>((static_cast<unsigned>(direction) + 2) % direction_count);
}

/// The shape of a wall laid in direction `present` when the cycle's last wall was laid in `last`,
/// however far away that one is. A first wall has `last` = `present`.
[[nodiscard]] WallShape wall_shape(Direction last, Direction present) noexcept;

/// The direction a key turns to; nothing for the other keys.
[[nodiscard]] std::optional<Direction> turn_of(Key key) noexcept;

/// The key that turns to a direction.
[[nodiscard]] Key key_of(Direction direction) noexcept;

}  // namespace ringside::tron
