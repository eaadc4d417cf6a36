#include "match.hpp"

#include <algorithm>
#include <utility>

namespace ringside::tron {
namespace {

struct Start {
    std::int32_t x;
    std::int32_t y;
    Direction direction;
};
constexpr std::size_t start_count = 8;

// Nothing checks them against the arena: a replay's small ones give shared or outside starts.
std::array<Start, start_count> starts_of(std::int32_t width, std::int32_t height) noexcept {
    constexpr std::int32_t margin = 3;
    const std::int32_t far_x = width - margin;
    const std::int32_t far_y = height - margin;
    const std::int32_t middle_x = (width + 1) / 2;  // half, rounded .5 up
    const std::int32_t middle_y = (height + 1) / 2;
    using enum Direction;
    return {{{margin, margin, right},
             {far_x, far_y, left},
             {margin, far_y, up},
             {far_x, margin, down},
             {middle_x, margin, down},
             {middle_x, far_y, up},
             {margin, middle_y, right},
             {far_x, middle_y, left}}};
}

Direction direction_of_number(std::uint8_t number) noexcept {
    using enum Direction;
    static constexpr std::array directions{right, left, up, down, down, up};
    return directions[number - 1u];
}

bool is_racing(const Racer& racer) noexcept {
    return racer.state == CycleState::racing || racer.state == CycleState::inserting;
}

}  // namespace

std::uint32_t walls_max(const Config& config) noexcept {
    return std::uint32_t{config.width} * config.height + config.seats - 1u;
}

Match::Match(const Config& config, std::uint64_t seed) : config_(config) {
    state_.countdown_ms = countdown_ms_start;  // a new game shows 3
    state_.width = config.width;
    state_.height = config.height;
    state_.random = Random(seed);
    reserve();
    for (std::uint8_t number = config.seats; number >= 1; --number) {
        state_.free_numbers.push_back(number);
    }
}

Match::Match(const Config& config, MatchState state) : config_(config), state_(std::move(state)) {
    reserve();
    for (const auto& walls : state_.walls) {
        for (const PackedWall wall : walls) {
            ++walls_on_[wall >> 2];
            ++wall_count_;
        }
    }
}

void Match::reserve() {
    // Room for the longest race at once: pages not touched cost nothing, and no tick allocates.
    const std::size_t cells = std::size_t{config_.width} * config_.height;
    walls_on_.assign(cells, 0);
    for (std::size_t i = 0; i < config_.seats; ++i) {
        state_.walls[i].reserve(walls_max(config_));
    }
    state_.racers.reserve(seats_limit);
    state_.free_numbers.reserve(seats_limit);
    state_.picks.reserve(picks_max);
}

// ---- events
// --------------------------------------------------------------------------------------

void Match::shrink(Screen screen) noexcept {
    if (screen.width != 0) {
        state_.width = std::min(state_.width, screen.width);
    }
    if (screen.height != 0) {
        state_.height = std::min(state_.height, screen.height);
    }
}

bool Match::in_progress() const noexcept {
    return state_.phase != MatchPhase::waiting && state_.phase != MatchPhase::restarting;
}

std::uint8_t Match::join() {
    const std::uint8_t number = state_.free_numbers.back();
    state_.free_numbers.pop_back();
    state_.racers.push_back({.number = number, .direction = direction_of_number(number)});
    return number;
}

void Match::leave(std::uint8_t number) {
    if (find(number) == nullptr) {
        return;
    }
    remove(number);
    state_.stopped = std::ranges::all_of(
        state_.racers, [](const Racer& other) { return other.state == CycleState::dead; });
}

void Match::remove(std::uint8_t number) {
    Racer* const racer = find(number);
    if (racer == nullptr) {
        return;
    }
    drop_walls(*racer);
    state_.racers.erase(state_.racers.begin() + (racer - state_.racers.data()));
    state_.free_numbers.push_back(number);
    if (in_progress()) {
        finish_if_decided();
    }
}

void Match::press(std::uint8_t number, Key key) noexcept {
    Racer* const racer = find(number);
    if (racer == nullptr || state_.phase == MatchPhase::countdown) {
        return;
    }
    if (state_.phase == MatchPhase::started) {
        press_in_race(*racer, key);
    } else {
        press_between_races(*racer, key);
    }
}

void Match::press_in_race(Racer& racer, Key key) noexcept {
    if (!racer.ready) {
        return;
    }
    if (key == Key::escape || key == Key::insert) {
        if (is_racing(racer)) {
            racer.state = key == Key::insert ? CycleState::inserting : CycleState::racing;
        }
        return;
    }
    const auto turn = turn_of(key);
    // Against the present direction, not the last step's: two turns in one tick reverse a cycle.
    if (turn && racer.state != CycleState::inserting && *turn != opposite(racer.direction)) {
        racer.direction = *turn;
    }
}

void Match::press_between_races(Racer& racer, Key key) noexcept {
    if (key == Key::insert) {
        racer.ready = true;
        racer.state = CycleState::racing;
    } else if (key == Key::escape) {
        racer.ready = false;
    }
}

void Match::add_picks(Bytes picks) {
    for (const std::byte pick : picks) {
        if (state_.picks.size() < picks_max) {
            state_.picks.push_back(std::to_integer<std::uint8_t>(pick));
        }
    }
}

// ---- a tick
// --------------------------------------------------------------------------------------

void Match::step(std::int32_t step_ms) {
    switch (state_.phase) {
        case MatchPhase::waiting:
        case MatchPhase::restarting:
            if (ready_count() == config_.seats) {
                begin_countdown();
            }
            return;
        case MatchPhase::countdown:
            state_.countdown_ms = std::max(state_.countdown_ms - step_ms, 0);
            if (state_.countdown_ms == 0) {
                state_.phase = MatchPhase::started;
            }
            return;
        case MatchPhase::started: race(); return;
        case MatchPhase::finished:
            if (ready_count() > 0) {
                std::ranges::for_each(state_.racers, [this](const Racer& r) { drop_walls(r); });
                state_.phase = MatchPhase::restarting;
            }
            return;
    }
}

void Match::begin_countdown() {
    state_.countdown_ms = countdown_ms_start;
    state_.phase = MatchPhase::countdown;
    auto starts = starts_of(state_.width, state_.height);
    std::uint32_t remaining = start_count;
    for (Racer& racer : state_.racers) {
        const std::uint32_t pick = draw_start(remaining);
        racer.x = static_cast<std::int16_t>(starts[pick].x);
        racer.y = static_cast<std::int16_t>(starts[pick].y);
        racer.direction = starts[pick].direction;
        std::shift_left(starts.begin() + pick, starts.begin() + remaining, 1);
        --remaining;
    }
}

std::uint32_t Match::draw_start(std::uint32_t remaining) noexcept {
    if (state_.picks.empty()) {
        return state_.random.below(remaining);
    }
    const std::uint32_t pick = state_.picks.front() % remaining;
    state_.picks.erase(state_.picks.begin());
    return pick;
}

// Each cycle is tested where the later ones were and the earlier ones are: of two that meet head-on
// exactly one explodes.
void Match::race() {
    for (Racer& racer : state_.racers) {
        step_racer(racer);
        if (is_racing(racer) && hits(racer)) {
            racer.state = CycleState::exploding;
            drop_walls(racer);
        }
    }
    finish_if_decided();
}

void Match::step_racer(Racer& racer) {
    if (racer.state == CycleState::dead) {
        return;
    }
    if (racer.state == CycleState::exploding) {
        if (racer.explosion_frame < explosion_frame_max) {
            ++racer.explosion_frame;  // never reset: a later explosion goes on from here
        } else {
            racer.state = CycleState::dead;
        }
        return;
    }
    if (racer.state == CycleState::inserting) {
        lay_wall(racer);
    }
    move(racer);
}

void Match::lay_wall(const Racer& racer) {
    const bool in_grid =
        racer.x >= 0 && racer.y >= 0 && racer.x < config_.width && racer.y < config_.height;
    // Outside the grid the cycle explodes within this step and would lose the wall anyway. The
    // second bound holds by the rules; it is kept because a restored state may defy them.
    if (!in_grid || wall_count_ >= walls_max(config_)) {
        return;
    }
    const std::uint32_t at = cell(racer.x, racer.y);
    const auto wall = at << 2 | static_cast<std::uint32_t>(racer.direction);
    state_.walls[racer.number - 1u].push_back(static_cast<PackedWall>(wall));
    ++walls_on_[at];
    ++wall_count_;
}

// Held back only exactly on the border: a cycle that a shrink left outside still moves.
void Match::move(Racer& racer) const noexcept {
    const auto moved = [](std::int16_t place, int by) {
        return static_cast<std::int16_t>(place + by);
    };
    switch (racer.direction) {
        case Direction::up: racer.y = moved(racer.y, racer.y == 0 ? 0 : -1); break;
        case Direction::right: racer.x = moved(racer.x, racer.x == state_.width - 1 ? 0 : 1); break;
        case Direction::down: racer.y = moved(racer.y, racer.y == state_.height - 1 ? 0 : 1); break;
        case Direction::left: racer.x = moved(racer.x, racer.x == 0 ? 0 : -1); break;
    }
}

bool Match::hits(const Racer& racer) const noexcept {
    if (racer.x <= 0 || racer.y <= 0 || racer.x >= state_.width - 1 ||
        racer.y >= state_.height - 1) {
        return true;
    }
    const bool on_other = std::ranges::any_of(state_.racers, [&](const Racer& other) {
        return &other != &racer && other.x == racer.x && other.y == racer.y;
    });
    return on_other || walls_on_[cell(racer.x, racer.y)] != 0;
}

void Match::drop_walls(const Racer& racer) noexcept {
    auto& walls = state_.walls[racer.number - 1u];
    for (const PackedWall wall : walls) {
        --walls_on_[wall >> 2];
    }
    wall_count_ -= static_cast<std::uint32_t>(walls.size());
    walls.clear();
}

void Match::finish_if_decided() noexcept {
    const auto active = std::ranges::count_if(
        state_.racers, [](const Racer& racer) { return racer.state != CycleState::dead; });
    const bool practice = config_.seats == 1;
    if (active > (practice ? 0 : 1)) {
        return;
    }
    state_.phase = MatchPhase::finished;
    for (Racer& racer : state_.racers) {
        racer.ready = false;
        if (!practice && racer.state != CycleState::dead) {
            racer.state = CycleState::winner;
        }
    }
}

// ---- questions
// -----------------------------------------------------------------------------------

bool Match::idle() const noexcept {
    switch (state_.phase) {
        case MatchPhase::waiting:
        case MatchPhase::restarting: return ready_count() != config_.seats;
        case MatchPhase::finished: return ready_count() == 0;
        case MatchPhase::countdown:
        case MatchPhase::started: break;
    }
    return false;
}

Wall Match::wall_at(PackedWall wall) const noexcept {
    const std::uint32_t at = wall >> 2;
    return {.x = static_cast<std::int16_t>(at % config_.width),
            .y = static_cast<std::int16_t>(at / config_.width),
            .shape = {},
            .direction = static_cast<Direction>(wall & 3u)};
}

std::uint8_t Match::count() const noexcept {
    return static_cast<std::uint8_t>((state_.countdown_ms + countdown_ms_per_count - 1) /
                                     countdown_ms_per_count);
}

std::uint32_t Match::ready_count() const noexcept {
    return static_cast<std::uint32_t>(std::ranges::count_if(state_.racers, &Racer::ready));
}

Racer* Match::find(std::uint8_t number) noexcept {
    const auto found = std::ranges::find(state_.racers, number, &Racer::number);
    return found == state_.racers.end() ? nullptr : &*found;
}

std::uint32_t Match::cell(std::int32_t x, std::int32_t y) const noexcept {
    return static_cast<std::uint32_t>(y * config_.width + x);
}

}  // namespace ringside::tron
