#include "delta.hpp"

#include <limits>
#include <optional>

#include "ringside/tron/view.hpp"

namespace ringside::tron {
namespace {

constexpr unsigned moved_bit = 1u << 5;
constexpr unsigned laid_bit = 1u << 6;
constexpr unsigned more_bit = 1u << 7;
constexpr unsigned ready_bit = 1u << 4;
constexpr unsigned dropped_bit = 1u << 5;

struct Place {
    int x;
    int y;
    friend bool operator==(const Place&, const Place&) = default;
};

Place next(Place place, Direction direction) noexcept {
    switch (direction) {
        case Direction::up: return {place.x, place.y - 1};
        case Direction::right: return {place.x + 1, place.y};
        case Direction::down: return {place.x, place.y + 1};
        case Direction::left: return {place.x - 1, place.y};
    }
    return place;
}

enum class Walls : std::uint8_t { same, laid, dropped };

std::optional<Walls> walls_between(const Config& config, const Outline::Mark& before,
                                   const Outline::Mark& now) noexcept {
    if (now.wall_count == before.wall_count) {
        return now.last_wall == before.last_wall ? std::optional(Walls::same) : std::nullopt;
    }
    if (now.wall_count == 0) {
        return Walls::dropped;
    }
    const int cell = before.racer.y * config.width + before.racer.x;
    const int laid = cell << 2 | static_cast<int>(now.racer.direction);
    const bool one_more = now.wall_count == before.wall_count + 1 && now.last_wall == laid;
    return one_more ? std::optional(Walls::laid) : std::nullopt;
}

/// The bytes of one cycle; 0 of them when they cannot say it.
std::size_t write_cycle(const Config& config, const Outline::Mark& before, const Outline::Mark& now,
                        std::byte* out) noexcept {
    const auto walls = walls_between(config, before, now);
    if (!walls || before.racer.number != now.racer.number) {
        return 0;
    }
    const Place from{before.racer.x, before.racer.y};
    const Place to{now.racer.x, now.racer.y};
    const bool moved = from != to;
    if (moved && to != next(from, now.racer.direction)) {
        return 0;
    }
    const bool more = now.racer.explosion_frame != before.racer.explosion_frame ||
                      now.racer.ready != before.racer.ready || *walls == Walls::dropped;
    out[0] = static_cast<std::byte>(
        static_cast<unsigned>(now.racer.direction) | static_cast<unsigned>(now.racer.state) << 2 |
        (moved ? moved_bit : 0u) | (*walls == Walls::laid ? laid_bit : 0u) |
        (more ? more_bit : 0u));
    if (!more) {
        return 1;
    }
    out[1] = static_cast<std::byte>(now.racer.explosion_frame | (now.racer.ready ? ready_bit : 0u) |
                                    (*walls == Walls::dropped ? dropped_bit : 0u));
    return 2;
}

/// Takes bytes of a delta one by one; after the last one it gives zeros and says so.
class Reading {
public:
    explicit Reading(Bytes bytes) noexcept : bytes_(bytes) {}
    unsigned byte() noexcept {
        short_ = short_ || at_ >= bytes_.size();
        return short_ ? 0 : static_cast<unsigned>(bytes_[at_++]);
    }
    [[nodiscard]] bool complete() const noexcept { return !short_ && at_ == bytes_.size(); }

private:
    Bytes bytes_;
    std::size_t at_ = 0;
    bool short_ = false;
};

void lay_wall(Cycle& cycle) {
    const Direction last = cycle.walls.empty() ? cycle.direction : cycle.walls.back().direction;
    cycle.walls.push_back({.x = cycle.x,
                           .y = cycle.y,
                           .shape = wall_shape(last, cycle.direction),
                           .direction = cycle.direction});
}

bool move(Cycle& cycle) noexcept {
    const Place to = next({cycle.x, cycle.y}, cycle.direction);
    using Limits = std::numeric_limits<std::int16_t>;
    if (to.x < Limits::min() || to.x > Limits::max() || to.y < Limits::min() ||
        to.y > Limits::max()) {
        return false;
    }
    cycle.x = static_cast<std::int16_t>(to.x);
    cycle.y = static_cast<std::int16_t>(to.y);
    return true;
}

bool apply_cycle(Reading& delta, Cycle& cycle) {
    const unsigned first = delta.byte();
    const unsigned state = first >> 2 & 7u;
    if (state >= cycle_state_count) {
        return false;
    }
    cycle.direction = static_cast<Direction>(first & 3u);
    cycle.state = static_cast<CycleState>(state);
    if ((first & laid_bit) != 0) {
        if (cycle.walls.size() >= cells_max + seats_limit) {
            return false;
        }
        lay_wall(cycle);
    }
    if ((first & moved_bit) != 0 && !move(cycle)) {
        return false;
    }
    if ((first & more_bit) != 0) {
        const unsigned second = delta.byte();
        if ((second & 15u) > explosion_frame_max) {
            return false;
        }
        cycle.explosion_frame = static_cast<std::uint8_t>(second & 15u);
        cycle.ready = (second & ready_bit) != 0;
        if ((second & dropped_bit) != 0) {
            cycle.walls.clear();
        }
    }
    return true;
}

}  // namespace

Outline::Outline(const Match& match, std::uint8_t bot_numbers) noexcept
    : phase(match.state().phase),
      count(match.count()),
      width(match.state().width),
      height(match.state().height),
      cycles(static_cast<std::uint8_t>(match.state().racers.size())),
      bots(bot_numbers),
      marks{} {
    for (std::size_t i = 0; i < cycles; ++i) {
        const Racer& racer = match.state().racers[i];
        const auto& walls = match.state().walls[racer.number - 1u];
        marks[i] = {.racer = racer,
                    .wall_count = static_cast<std::uint16_t>(walls.size()),
                    .last_wall = walls.empty() ? PackedWall{0} : walls.back()};
    }
}

std::size_t write_delta(const Config& config, const Outline& before, const Outline& now,
                        std::span<std::byte> out) noexcept {
    if (before.cycles != now.cycles || before.bots != now.bots || before.width != now.width ||
        before.height != now.height) {
        return 0;
    }
    out[0] = static_cast<std::byte>(static_cast<unsigned>(now.phase) | unsigned{now.count} << 3u |
                                    unsigned{now.cycles} << 5u);
    std::size_t bytes = 1;
    for (std::size_t i = 0; i < now.cycles; ++i) {
        const std::size_t written =
            write_cycle(config, before.marks[i], now.marks[i], out.data() + bytes);
        if (written == 0) {
            return 0;
        }
        bytes += written;
    }
    return bytes;
}

bool apply_delta(Bytes bytes, View& view) {
    Reading delta(bytes);
    const unsigned first = delta.byte();
    const unsigned phase = first & 7u;
    if (phase >= match_phase_count || view.cycles.size() != first >> 5) {
        return false;
    }
    view.phase = static_cast<MatchPhase>(phase);
    view.count = static_cast<std::uint8_t>(first >> 3 & 3u);
    for (Cycle& cycle : view.cycles) {
        if (!apply_cycle(delta, cycle)) {
            return false;
        }
    }
    return delta.complete();
}

}  // namespace ringside::tron
