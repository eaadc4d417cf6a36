#include <charconv>

#include <fmt/format.h>

#include "ringside/tron/trace.hpp"

namespace ringside::tron {
namespace {

template <class T>
int shown(T value) {
    return static_cast<int>(value);
}

std::string differs(std::string_view what, int actual, int expected) {
    return fmt::format("{} is {}, expected {}", what, actual, expected);
}

std::string difference(const Wall& actual, const Wall& expected) {
    if (actual.x != expected.x || actual.y != expected.y) {
        return fmt::format("place is {},{}, expected {},{}", actual.x, actual.y, expected.x,
                           expected.y);
    }
    if (actual.shape != expected.shape) {
        return differs("shape", shown(actual.shape), shown(expected.shape));
    }
    return differs("direction", shown(actual.direction), shown(expected.direction));
}

std::string difference(const Cycle& actual, const Cycle& expected) {
    struct Field {
        std::string_view name;
        int actual;
        int expected;
    };
    const Field fields[] = {
        {"number", actual.number, expected.number},
        {"x", actual.x, expected.x},
        {"y", actual.y, expected.y},
        {"direction", shown(actual.direction), shown(expected.direction)},
        {"state", shown(actual.state), shown(expected.state)},
        {"explosion frame", actual.explosion_frame, expected.explosion_frame},
        {"ready", shown(actual.ready), shown(expected.ready)},
        {"wall count", shown(actual.walls.size()), shown(expected.walls.size())},
    };
    for (const Field& field : fields) {
        if (field.actual != field.expected) {
            return differs(field.name, field.actual, field.expected);
        }
    }
    for (std::size_t i = 0; i < actual.walls.size(); ++i) {
        if (actual.walls[i] != expected.walls[i]) {
            return fmt::format("wall {} {}", i, difference(actual.walls[i], expected.walls[i]));
        }
    }
    return {};
}

void apply(const CycleChange& change, Cycle& cycle) {
    if ((change.mask & 1) != 0) {
        cycle.x = change.to.x;
    }
    if ((change.mask & 2) != 0) {
        cycle.y = change.to.y;
    }
    if ((change.mask & 4) != 0) {
        cycle.direction = change.to.direction;
    }
    if ((change.mask & 8) != 0) {
        cycle.state = change.to.state;
    }
    if ((change.mask & 16) != 0) {
        cycle.explosion_frame = change.to.explosion_frame;
    }
    if ((change.mask & 32) != 0) {
        cycle.ready = change.to.ready;
    }
    if ((change.mask & 128) != 0) {
        cycle.walls.clear();
    }
    cycle.walls.insert(cycle.walls.end(), change.to.walls.begin(), change.to.walls.end());
}

}  // namespace

std::string difference(const TraceState& actual, const TraceState& expected) {
    const View& is = actual.view;
    const View& should = expected.view;
    if (is.phase != should.phase) {
        return differs("game state", shown(is.phase), shown(should.phase));
    }
    if (is.count != should.count) {
        return differs("count", is.count, should.count);
    }
    if (is.width != should.width || is.height != should.height) {
        return fmt::format("size is {}x{}, expected {}x{}", is.width, is.height, should.width,
                           should.height);
    }
    if (is.cycles.size() != should.cycles.size()) {
        return differs("cycle count", shown(is.cycles.size()), shown(should.cycles.size()));
    }
    for (std::size_t i = 0; i < is.cycles.size(); ++i) {
        if (actual.joiners[i] != expected.joiners[i]) {
            return fmt::format("cycle {} player is {}, expected {}", i, actual.joiners[i],
                               expected.joiners[i]);
        }
        if (const auto found = difference(is.cycles[i], should.cycles[i]); !found.empty()) {
            return fmt::format("cycle {} {}", i, found);
        }
    }
    return {};
}

bool ExpectedStates::next() {
    while (!rows_.empty() && repeated_ == rows_.front().ticks) {
        rows_ = rows_.subspan(1);
        repeated_ = 0;
    }
    if (rows_.empty()) {
        return false;
    }
    return repeated_++ != 0 || apply(rows_.front());
}

bool ExpectedStates::apply(const StateRow& row) {
    if (row.full) {
        state_ = *row.full;
    }
    state_.view.phase = row.phase.value_or(state_.view.phase);
    state_.view.count = row.count.value_or(state_.view.count);
    for (const CycleChange& change : row.changes) {
        if (change.index >= state_.view.cycles.size()) {
            return false;
        }
        tron::apply(change, state_.view.cycles[change.index]);
    }
    return true;
}

void StateDigest::text(char character) noexcept {
    hash_ = (hash_ ^ static_cast<std::uint8_t>(character)) * 16777619u;
}

void StateDigest::number(char before, std::int64_t value) noexcept {
    char digits[20];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), value).ptr;
    text(before);
    for (const char* digit = digits; digit != end; ++digit) {
        text(*digit);
    }
}

void StateDigest::add(const TraceState& state) noexcept {
    number('T', shown(state.view.phase));
    number(',', state.view.count);
    number(',', state.view.width);
    number(',', state.view.height);
    for (std::size_t i = 0; i < state.view.cycles.size(); ++i) {
        const Cycle& cycle = state.view.cycles[i];
        number('|', state.joiners[i]);
        number(',', cycle.number);
        number(',', cycle.x);
        number(',', cycle.y);
        number(',', shown(cycle.direction));
        number(',', shown(cycle.state));
        number(',', cycle.explosion_frame);
        number(',', cycle.ready ? 1 : 0);
        for (const Wall& wall : cycle.walls) {
            number(';', wall.x);
            number(',', wall.y);
            number(',', shown(wall.shape));
            number(',', shown(wall.direction));
        }
    }
    text('\n');
}

}  // namespace ringside::tron
