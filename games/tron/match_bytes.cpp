#include "match_bytes.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <string_view>
#include <utility>

#include "schema_read.hpp"

#include "ringside/tron/tron_generated.h"
#include "ringside/tron/view.hpp"

namespace ringside::tron {
namespace {

// Root offset, a vtable of at most 8 fields, a table of at most 32 bytes, two vector lengths and
// the padding before each of them come to less than 128 bytes.
constexpr std::uint32_t fixed_bytes_max = 128;

// A start is at most 3 cells outside the smallest arena, and a cycle outside explodes before its
// second step.
constexpr std::int32_t outside_max = 8;

std::unexpected<Error> damaged(std::string_view what) {
    return failure(std::errc::bad_message, "tron: saved match: " + std::string(what));
}

bool within(std::int32_t place, std::uint32_t size) noexcept {
    return place >= -outside_max && place <= static_cast<std::int32_t>(size) + outside_max;
}

/// What of the view contradicts the config or the rules; empty when nothing does.
std::string_view judge_view(const Config& config, const View& view) {
    const bool fits = view.width >= 1 && view.height >= 1 && view.width <= config.width &&
                      view.height <= config.height;
    const bool same = view.width == config.width && view.height == config.height;
    if (!(config.replay ? fits : same)) {
        return "the arena is not the config's";
    }
    const bool racing = view.phase == MatchPhase::started || view.phase == MatchPhase::countdown;
    std::size_t walls = 0;
    for (const Cycle& cycle : view.cycles) {
        if (cycle.number > config.seats) {
            return "a cycle's number is beyond the seats";
        }
        if (!within(cycle.x, config.width) || !within(cycle.y, config.height)) {
            return "a cycle is far outside";
        }
        // A winner would be moved without being tested; by the rules none is ever in a race.
        if (racing && cycle.state == CycleState::winner) {
            return "a winner is in the race";
        }
        walls += cycle.walls.size();
        for (const Wall& wall : cycle.walls) {
            if (wall.x >= config.width || wall.y >= config.height) {
                return "a wall is outside the grid";
            }
        }
    }
    return walls > walls_max(config) ? "there are more walls than cells" : std::string_view{};
}

/// Whether the free numbers are exactly those that no cycle has.
bool numbers_complete(const Config& config, const View& view,
                      std::span<const std::uint8_t> free_numbers) {
    std::bitset<seats_limit + 1> seen;
    for (const Cycle& cycle : view.cycles) {
        seen.set(cycle.number);
    }
    for (const std::uint8_t number : free_numbers) {
        if (number < 1 || number > config.seats || seen.test(number)) {
            return false;
        }
        seen.set(number);
    }
    return seen.count() == config.seats;
}

template <class Vector>
std::span<const std::uint8_t> span_of(const Vector& vector) {
    return {vector.data(), vector.size()};
}

PackedWall packed(const Config& config, const Wall& wall) noexcept {
    const auto cell = static_cast<std::uint32_t>(wall.y * config.width + wall.x);
    return static_cast<PackedWall>(cell << 2 | static_cast<std::uint32_t>(wall.direction));
}

void take_cycles(const Config& config, const View& view, MatchState& state) {
    for (const Cycle& cycle : view.cycles) {
        state.racers.push_back({.x = cycle.x,
                                .y = cycle.y,
                                .number = cycle.number,
                                .direction = cycle.direction,
                                .state = cycle.state,
                                .explosion_frame = cycle.explosion_frame,
                                .ready = cycle.ready});
        auto& walls = state.walls[cycle.number - 1u];
        walls.reserve(walls_max(config));
        for (const Wall& wall : cycle.walls) {
            walls.push_back(packed(config, wall));
        }
    }
}

/// A start cell shared by all seats carries one wall of each; more would not fit its counter.
bool cells_plausible(const Config& config, const MatchState& state) {
    std::vector<std::uint8_t> walls_on(std::size_t{config.width} * config.height, 0);
    for (const auto& walls : state.walls) {
        for (const PackedWall wall : walls) {
            if (++walls_on[wall >> 2] > seats_limit) {
                return false;
            }
        }
    }
    return true;
}

}  // namespace

std::uint32_t view_bytes_max(const Config& config) noexcept {
    constexpr std::uint32_t cycles_bytes = seats_limit * sizeof(schema::Cycle);
    constexpr std::uint32_t wall_bytes = sizeof(PackedWall);
    return fixed_bytes_max + cycles_bytes + walls_max(config) * wall_bytes;
}

std::uint32_t state_bytes_max() noexcept {
    return fixed_bytes_max + seats_limit + static_cast<std::uint32_t>(picks_max) +
           seats_limit * sizeof(schema::BotMemory);
}

Bytes write_view(flatbuffers::FlatBufferBuilder& builder, const Config& config, const Match& match,
                 const Crew& crew) {
    const MatchState& state = match.state();
    builder.Clear();
    std::size_t wall_count = 0;
    std::array<schema::Cycle, seats_limit> cycles;
    for (std::size_t i = 0; i < state.racers.size(); ++i) {
        const Racer& racer = state.racers[i];
        const auto count = static_cast<std::uint16_t>(state.walls[racer.number - 1u].size());
        wall_count += count;
        cycles[i] = schema::Cycle(
            racer.x, racer.y, count, racer.number, static_cast<std::uint8_t>(racer.direction),
            static_cast<std::uint8_t>(racer.state), racer.explosion_frame, racer.ready);
    }
    PackedWall* out = nullptr;
    const auto walls = builder.CreateUninitializedVector<PackedWall>(wall_count, &out);
    for (const Racer& racer : state.racers) {
        out = std::ranges::copy(state.walls[racer.number - 1u], out).out;
    }
    const auto cycle_vector = builder.CreateVectorOfStructs(cycles.data(), state.racers.size());
    builder.Finish(schema::CreateView(builder, static_cast<std::uint8_t>(state.phase),
                                      match.count(), state.width, state.height, config.width,
                                      cycle_vector, walls, crew.numbers()));
    return {reinterpret_cast<const std::byte*>(builder.GetBufferPointer()), builder.GetSize()};
}

Bytes write_state(flatbuffers::FlatBufferBuilder& builder, const Match& match, const Crew& crew,
                  const Filling& filling) {
    const MatchState& state = match.state();
    builder.Clear();
    std::array<schema::BotMemory, seats_limit> bots;
    std::size_t bot_count = 0;
    for (std::uint8_t number = 1; number <= seats_limit; ++number) {
        if (const auto memory = crew.memory(number)) {
            bots[bot_count++] = schema::BotMemory(memory->random, memory->race_ticks,
                                                  memory->stretch_ticks, number, memory->laying);
        }
    }
    const auto bot_vector =
        bot_count == 0 ? 0 : builder.CreateVectorOfStructs(bots.data(), bot_count);
    const auto numbers = builder.CreateVector(state.free_numbers);
    const auto picks = builder.CreateVector(state.picks);
    builder.Finish(schema::CreateState(builder, state.random.state(), state.countdown_ms, numbers,
                                       picks, state.stopped, bot_vector, filling.waited_ticks,
                                       filling.with_bots));
    return {reinterpret_cast<const std::byte*>(builder.GetBufferPointer()), builder.GetSize()};
}

namespace {

/// False: they are not the view's.
bool read_crew(const schema::State& state, const View& view, Crew& crew) {
    if (state.bots() != nullptr) {
        for (const schema::BotMemory* memory : *state.bots()) {
            if (memory->number() < 1 || memory->number() > seats_limit) {
                return false;
            }
            crew.restore(memory->number(), {.random = memory->random(),
                                            .race_ticks = memory->race_ticks(),
                                            .stretch_ticks = memory->stretch_ticks(),
                                            .laying = memory->laying()});
        }
    }
    return crew.numbers() == view.bots;
}

}  // namespace

Result<SavedMatch> read_match(const Config& config, Bytes state_bytes, Bytes view_bytes) {
    const VerifiedCopy<schema::State> root(state_bytes);
    const std::optional<View> view = decode_view(view_bytes);
    if (!root || !view) {
        return damaged(root ? "the view does not verify" : "the state does not verify");
    }
    if (const auto wrong = judge_view(config, *view); !wrong.empty()) {
        return damaged(wrong);
    }
    const auto numbers = span_of(*root->free_numbers());
    const auto picks = span_of(*root->starts());
    if (!numbers_complete(config, *view, numbers)) {
        return damaged("free numbers and cycles do not make up the seats");
    }
    const bool countdown_fits =
        root->countdown_ms() >= 0 && root->countdown_ms() <= countdown_ms_start;
    if (!countdown_fits || picks.size() > picks_max) {
        return damaged("the countdown or the picks are out of range");
    }
    MatchState state{.phase = view->phase,
                     .countdown_ms = root->countdown_ms(),
                     .width = view->width,
                     .height = view->height,
                     .random = Random(root->random()),
                     .racers = {},
                     .walls = {},
                     .free_numbers = {numbers.begin(), numbers.end()},
                     .picks = {picks.begin(), picks.end()},
                     .stopped = root->stopped()};
    take_cycles(config, *view, state);
    if (!cells_plausible(config, state)) {
        return damaged("a cell carries more walls than there are seats");
    }
    Match match(config, std::move(state));
    if (match.count() != view->count) {
        return damaged("view and state are of different ticks");
    }
    SavedMatch saved{
        .match = std::move(match),
        .crew = {},
        .filling = {.with_bots = root->fills_with_bots(), .waited_ticks = root->waited_ticks()}};
    if (!read_crew(*root.operator->(), *view, saved.crew)) {
        return damaged("the bots are not those of the view");
    }
    return saved;
}

}  // namespace ringside::tron
