#include "ringside/tron/view.hpp"

#include <bitset>

#include "schema_read.hpp"

#include "ringside/tron/config.hpp"
#include "ringside/tron/tron_generated.h"

namespace ringside::tron {
namespace {

bool plausible(const schema::Cycle& cycle) noexcept {
    return cycle.number() >= 1 && cycle.number() <= seats_limit &&
           cycle.direction() < direction_count && cycle.state() < cycle_state_count &&
           cycle.explosion_frame() <= explosion_frame_max;
}

bool plausible(const schema::View& view) noexcept {
    if (view.phase() >= match_phase_count || view.grid_width() == 0 ||
        view.grid_width() > cells_max || view.cycles()->size() > seats_limit ||
        view.walls()->size() > cells_max + seats_limit) {
        return false;
    }
    std::size_t walls = 0;
    std::bitset<seats_limit + 1> seen;
    for (const schema::Cycle* cycle : *view.cycles()) {
        if (!plausible(*cycle) || seen.test(cycle->number())) {
            return false;
        }
        seen.set(cycle->number());
        walls += cycle->wall_count();
    }
    const unsigned bots = view.bots();
    for (unsigned number = 1; number <= seats_limit; ++number) {
        if ((bots >> (number - 1) & 1u) != 0 && !seen.test(number)) {
            return false;
        }
    }
    return walls == view.walls()->size() && bots >> seats_limit == 0;
}

void read_walls(const schema::View& view, std::uint32_t begin, std::uint32_t count,
                std::vector<Wall>& into) {
    into.clear();
    for (std::uint32_t i = begin; i < begin + count; ++i) {
        const std::uint16_t packed = view.walls()->Get(i);
        const std::uint32_t cell = packed >> 2;
        const auto direction = static_cast<Direction>(packed & 3u);
        const Direction last = into.empty() ? direction : into.back().direction;
        into.push_back({.x = static_cast<std::int16_t>(cell % view.grid_width()),
                        .y = static_cast<std::int16_t>(cell / view.grid_width()),
                        .shape = wall_shape(last, direction),
                        .direction = direction});
    }
}

}  // namespace

bool decode_view(Bytes bytes, View& into) {
    const VerifiedCopy<schema::View> root(bytes);
    if (!root || !plausible(*root.operator->())) {
        return false;
    }
    into.phase = static_cast<MatchPhase>(root->phase());
    into.count = root->count();
    into.width = root->width();
    into.height = root->height();
    into.bots = root->bots();
    into.cycles.resize(root->cycles()->size());
    std::uint32_t walls_taken = 0;
    for (std::uint32_t i = 0; i < root->cycles()->size(); ++i) {
        const schema::Cycle& from = *root->cycles()->Get(i);
        Cycle& cycle = into.cycles[i];
        cycle.number = from.number();
        cycle.x = from.x();
        cycle.y = from.y();
        cycle.direction = static_cast<Direction>(from.direction());
        cycle.state = static_cast<CycleState>(from.state());
        cycle.explosion_frame = from.explosion_frame();
        cycle.ready = from.ready();
        read_walls(*root.operator->(), walls_taken, from.wall_count(), cycle.walls);
        walls_taken += from.wall_count();
    }
    return true;
}

std::optional<View> decode_view(Bytes bytes) {
    View view;
    if (!decode_view(bytes, view)) {
        return std::nullopt;
    }
    return view;
}

}  // namespace ringside::tron
