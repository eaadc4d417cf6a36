#include "crew.hpp"

#include <algorithm>

namespace ringside::tron {
namespace {

bool may_get_ready(const Match& match) noexcept {
    return match.state().phase == MatchPhase::waiting ||
           match.state().phase == MatchPhase::restarting;
}

}  // namespace

std::uint32_t Crew::count() const noexcept {
    return static_cast<std::uint32_t>(
        std::ranges::count_if(bots_, [](const auto& each) { return each.has_value(); }));
}

std::uint8_t Crew::numbers() const noexcept {
    unsigned bits = 0;
    for (unsigned i = 0; i < seats_limit; ++i) {
        bits |= (bots_[i] ? 1u : 0u) << i;
    }
    return static_cast<std::uint8_t>(bits);
}

void Crew::add(Match& match) {
    const std::uint8_t number = match.join();
    bots_[number - 1u].emplace(match.state().random.state() + number);
}

void Crew::remove_one(Match& match) {
    for (auto number = static_cast<std::uint8_t>(seats_limit); number > 0; --number) {
        if (has(number)) {
            bots_[number - 1u].reset();
            match.remove(number);
            return;
        }
    }
}

void Crew::act(Match& match) {
    if (idle(match)) {
        return;
    }
    const bool racing = match.state().phase == MatchPhase::started;
    look(match);
    for (std::uint8_t number = 1; number <= seats_limit; ++number) {
        if (!has(number)) {
            continue;
        }
        if (!racing) {
            match.press(number, Key::insert);
            continue;
        }
        const Keys keys = bots_[number - 1u]->decide(seen_, number);
        for (const std::byte key : keys.bytes()) {
            match.press(number, static_cast<Key>(key));
        }
    }
    if (racing) {
        return;
    }
    for (auto& each : bots_) {
        if (each) {
            each->rest();
        }
    }
}

bool Crew::idle(const Match& match) const noexcept {
    if (numbers() == 0 || match.state().phase == MatchPhase::started) {
        return numbers() == 0;
    }
    return !may_get_ready(match) ||
           std::ranges::all_of(match.state().racers, [&](const Racer& racer) {
               return racer.ready || !has(racer.number);
           });
}

void Crew::look(const Match& match) {
    const MatchState& state = match.state();
    seen_.phase = state.phase;
    seen_.width = state.width;
    seen_.height = state.height;
    seen_.cycles.resize(state.racers.size());
    for (std::size_t i = 0; i < state.racers.size(); ++i) {
        const Racer& racer = state.racers[i];
        Cycle& cycle = seen_.cycles[i];
        cycle.number = racer.number;
        cycle.x = racer.x;
        cycle.y = racer.y;
        cycle.direction = racer.direction;
        cycle.state = racer.state;
        cycle.ready = racer.ready;
        cycle.walls.clear();
        for (const PackedWall wall : state.walls[racer.number - 1u]) {
            cycle.walls.push_back(match.wall_at(wall));
        }
    }
}

std::optional<Bot::Memory> Crew::memory(std::uint8_t number) const noexcept {
    return has(number) ? std::optional(bot(number)->memory()) : std::nullopt;
}

void Crew::restore(std::uint8_t number, const Bot::Memory& memory) {
    bots_[number - 1u].emplace(memory);
}

}  // namespace ringside::tron
