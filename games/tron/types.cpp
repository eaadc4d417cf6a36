#include "ringside/tron/types.hpp"

#include <array>

namespace ringside::tron {

WallShape wall_shape(Direction last, Direction present) noexcept {
    using enum WallShape;
    // Rows by `last`, columns by `present`: up, right, down, left. A reversal is drawn straight.
    static constexpr std::array<std::array<WallShape, direction_count>, direction_count> shapes{{
        {north_south, north_west, north_south, north_east},
        {south_east, east_west, north_east, east_west},
        {north_south, south_west, north_south, south_east},
        {south_west, east_west, north_west, east_west},
    }};
    return shapes[static_cast<std::size_t>(last)][static_cast<std::size_t>(present)];
}

std::optional<Direction> turn_of(Key key) noexcept {
    switch (key) {
        case Key::left: return Direction::left;
        case Key::down: return Direction::down;
        case Key::up: return Direction::up;
        case Key::right: return Direction::right;
        case Key::escape:
        case Key::insert: break;
    }
    return std::nullopt;
}

Key key_of(Direction direction) noexcept {
    static constexpr std::array keys{Key::up, Key::right, Key::down, Key::left};
    return keys[static_cast<std::size_t>(direction)];
}

}  // namespace ringside::tron
