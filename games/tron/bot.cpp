#include "ringside/tron/bot.hpp"

#include <algorithm>
#include <limits>

namespace ringside::tron {
namespace {

constexpr std::array directions{Direction::up, Direction::right, Direction::down, Direction::left};

// A search that has reached this many cells has found room enough; going on would only cost time.
constexpr std::size_t reach_max = 400;

constexpr std::int32_t worth_of_cell = 16;
constexpr std::int32_t worth_of_contested = -96 * worth_of_cell;
constexpr std::int32_t worth_of_straight = worth_of_cell * 3 / 2;
constexpr std::int32_t worth_of_neighbour = 4;  // a wall at hand: hugging leaves the space whole
constexpr std::uint32_t worth_of_chance = 8;

constexpr std::size_t cells_seen_max = 1u << 20;  // of a foreign view

constexpr std::int32_t dx(Direction direction) noexcept {
    return direction == Direction::right ? 1 : direction == Direction::left ? -1 : 0;
}
constexpr std::int32_t dy(Direction direction) noexcept {
    return direction == Direction::down ? 1 : direction == Direction::up ? -1 : 0;
}

bool is_racing(const Cycle& cycle) noexcept {
    return cycle.state == CycleState::racing || cycle.state == CycleState::inserting;
}

}  // namespace

Keys Bot::decide(const View& view, std::uint8_t number) {
    const auto me = std::ranges::find(view.cycles, number, &Cycle::number);
    Keys keys;
    if (me == view.cycles.end() || view.phase == MatchPhase::countdown) {
        rest();
        return keys;
    }
    if (view.phase == MatchPhase::started) {
        return is_racing(*me) ? race(view, *me) : keys;
    }
    // At once, not after a look at the final picture: a game in which nobody is ready may be
    // parked, and then no further view comes.
    if (!me->ready) {
        keys.add(Key::insert);
    }
    return keys;
}

void Bot::rest() noexcept {
    race_ticks_ = 0;
    laying_ = false;
    stretch_ticks_ = 0;
}

Keys Bot::race(const View& view, const Cycle& me) {
    Keys keys;
    if (view.width < 3 || view.height < 3 ||
        std::size_t{view.width} * view.height > cells_seen_max) {
        return keys;
    }
    ++race_ticks_;
    map(view, me);
    const Direction direction = best_direction(me);
    const bool inserting = me.state == CycleState::inserting;
    const bool laying = wants_walls();
    const bool turning = direction != me.direction;
    // A cycle that lays walls does not turn; but all keys before a tick count, so it can stop,
    // turn and go on without a gap.
    if (inserting && (turning || !laying)) {
        keys.add(Key::escape);
    }
    if (turning) {
        keys.add(key_of(direction));
    }
    if (laying && (!inserting || turning)) {
        keys.add(Key::insert);
    }
    return keys;
}

bool Bot::wants_walls() {
    if (race_ticks_ >= bot_walls_forever_ticks) {
        return true;
    }
    if (stretch_ticks_ == 0) {
        laying_ = !laying_;
        const std::uint32_t grown = race_ticks_ / 16;
        stretch_ticks_ = laying_ ? 8 + random_.below(12 + grown) : 2 + random_.below(10);
    }
    --stretch_ticks_;
    return laying_;
}

void Bot::map(const View& view, const Cycle& me) {
    width_ = view.width;
    height_ = view.height;
    const auto cells = static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_);
    blocked_.assign(cells, 0);
    contested_.assign(cells, 0);
    if (visited_.size() != cells) {
        visited_.assign(cells, 0);
        search_ = 0;
    }
    const auto mark = [this](std::vector<std::uint8_t>& marks, Place place) {
        if (place.x >= 0 && place.y >= 0 && place.x < width_ && place.y < height_) {
            marks[cell(place)] = 1;
        }
    };
    for (const Cycle& cycle : view.cycles) {
        mark(blocked_, {cycle.x, cycle.y});
        for (const Wall& wall : cycle.walls) {
            mark(blocked_, {wall.x, wall.y});
        }
        if (cycle.number == me.number || !is_racing(cycle)) {
            continue;
        }
        for (const Direction direction : directions) {
            mark(contested_, {cycle.x + dx(direction), cycle.y + dy(direction)});
        }
    }
}

Direction Bot::best_direction(const Cycle& me) {
    Direction best = me.direction;
    std::int32_t best_worth = std::numeric_limits<std::int32_t>::min();
    for (const Direction direction : directions) {
        const Place next{me.x + dx(direction), me.y + dy(direction)};
        if (direction == opposite(me.direction) || !free(next)) {
            continue;
        }
        const std::int32_t straight = direction == me.direction ? worth_of_straight : 0;
        const std::int32_t total = worth(next, direction) + straight;
        if (total > best_worth) {
            best = direction;
            best_worth = total;
        }
    }
    return best;
}

std::int32_t Bot::worth(Place place, Direction direction) {
    std::int32_t total = reachable_from(place) * worth_of_cell;
    total += contested_[cell(place)] != 0 ? worth_of_contested : 0;
    for (const Direction side : directions) {
        const bool at_hand =
            side != opposite(direction) && !free({place.x + dx(side), place.y + dy(side)});
        total += at_hand ? worth_of_neighbour : 0;
    }
    return total + static_cast<std::int32_t>(random_.below(worth_of_chance));
}

std::int32_t Bot::reachable_from(Place place) {
    ++search_;
    queue_.clear();
    queue_.push_back(place);
    visited_[cell(place)] = search_;
    for (std::size_t next = 0; next < queue_.size() && queue_.size() < reach_max; ++next) {
        const Place from = queue_[next];
        for (const Direction direction : directions) {
            const Place to{from.x + dx(direction), from.y + dy(direction)};
            if (free(to) && visited_[cell(to)] != search_) {
                visited_[cell(to)] = search_;
                queue_.push_back(to);
            }
        }
    }
    return static_cast<std::int32_t>(queue_.size());
}

// The outermost ring kills, so it is never free: neighbours of a free cell lie inside the arena.
bool Bot::free(Place place) const noexcept {
    return place.x > 0 && place.y > 0 && place.x < width_ - 1 && place.y < height_ - 1 &&
           blocked_[cell(place)] == 0;
}

std::size_t Bot::cell(Place place) const noexcept {
    return static_cast<std::size_t>(place.y) * static_cast<std::size_t>(width_) +
           static_cast<std::size_t>(place.x);
}

}  // namespace ringside::tron
