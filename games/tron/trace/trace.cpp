#include "ringside/tron/trace.hpp"

#include <algorithm>
#include <exception>
#include <limits>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ringside/tron/config.hpp"

namespace ringside::tron {
namespace {

using Json = nlohmann::json;

// Thrown and caught within this file only: a trace is read by many small steps, any of which may
// find it damaged.
struct Damaged : std::runtime_error {
    using std::runtime_error::runtime_error;
};

const Json& field(const Json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    if (!object.is_object() || found == object.end()) {
        throw Damaged(fmt::format("'{}' is missing", name));
    }
    return *found;
}

const Json& array(const Json& json, const char* name) {
    if (!json.is_array()) {
        throw Damaged(fmt::format("'{}' is not a list", name));
    }
    return json;
}

template <class T>
T integer(const Json& json, const char* name, std::int64_t low, std::int64_t high) {
    const bool fits = json.is_number_unsigned()
                          ? json.get<std::uint64_t>() <= static_cast<std::uint64_t>(high)
                          : json.is_number_integer() && json.get<std::int64_t>() <= high;
    if (!fits || (!json.is_number_unsigned() && json.get<std::int64_t>() < low) ||
        (json.is_number_unsigned() && low > 0 &&
         json.get<std::uint64_t>() < static_cast<std::uint64_t>(low))) {
        throw Damaged(fmt::format("'{}' is not a number from {} to {}", name, low, high));
    }
    return static_cast<T>(json.get<std::int64_t>());
}

bool boolean(const Json& json, const char* name) {
    if (!json.is_boolean()) {
        throw Damaged(fmt::format("'{}' is not true or false", name));
    }
    return json.get<bool>();
}

std::string printable(const Json& json, const char* name) {
    constexpr std::size_t id_bytes_max = 64;
    const auto* text = json.get_ptr<const std::string*>();
    const auto plain = [](char c) { return c > ' ' && c <= '~'; };
    if (text == nullptr || text->empty() || text->size() > id_bytes_max ||
        !std::ranges::all_of(*text, plain)) {
        throw Damaged(fmt::format("'{}' is not 1 to {} printable characters", name, id_bytes_max));
    }
    return *text;
}

std::uint16_t size(const Json& object, const char* name) {
    return integer<std::uint16_t>(field(object, name), name, 1, cells_max);
}

JoinerId joiner(const Json& object) {
    return integer<JoinerId>(field(object, "player"), "player", 0, trace_line_bytes_max);
}

std::uint32_t tick(const Json& object) {
    return integer<std::uint32_t>(field(object, "tick"), "tick", 0, trace_ticks_max);
}

// ---- events
// --------------------------------------------------------------------------------------

TraceEvent read_event(const Json& json) {
    using enum TraceEvent::Kind;
    TraceEvent event;
    event.tick = tick(json);
    event.joiner = joiner(json);
    const std::string op = printable(field(json, "op"), "op");
    if (op == "join") {
        event.kind = join;
        event.width = size(json, "width");
        event.height = size(json, "height");
        if (const Json& result = field(json, "result"); !result.is_null()) {
            event.number = integer<std::uint8_t>(result, "result", 1, seats_limit);
        }
    } else if (op == "key") {
        event.kind = key;
        event.key = integer<std::uint8_t>(field(json, "key"), "key", 0, 255);
    } else if (op == "leave") {
        event.kind = leave;
        event.stopped = json.contains("stopped") && boolean(json["stopped"], "stopped");
    } else {
        throw Damaged("'op' is neither join nor key nor leave");
    }
    return event;
}

/// Who may act when: joiners are counted, only seated ones press and leave, time does not go back.
void check_order(const Trace& trace) {
    std::vector<bool> seated;
    std::uint32_t last_tick = 0;
    bool stopped = false;
    for (const TraceEvent& event : trace.events) {
        if (event.tick < last_tick || event.tick >= trace.ticks || stopped) {
            throw Damaged("an event is out of time");
        }
        last_tick = event.tick;
        if (event.kind == TraceEvent::Kind::join) {
            if (event.joiner != seated.size()) {
                throw Damaged("a join is out of order");
            }
            seated.push_back(event.number.has_value());
        } else if (event.joiner >= seated.size() || !seated[event.joiner]) {
            throw Damaged("a player acts who is not in the game");
        }
        if (event.kind == TraceEvent::Kind::leave) {
            seated[event.joiner] = false;
        }
        stopped = event.stopped;
    }
    if (stopped != trace.stopped || (stopped && last_tick + 1 != trace.ticks)) {
        throw Damaged("'stopped' does not agree with the events");
    }
    last_tick = 0;
    for (const Placement& placement : trace.placements) {
        if (placement.tick < last_tick || placement.tick >= trace.ticks ||
            placement.joiner >= seated.size()) {
            throw Damaged("a placement is out of time or of nobody");
        }
        last_tick = placement.tick + 1;
    }
}

Placement read_placement(const Json& json) {
    constexpr int pick_max = 7;
    Placement placement{.tick = tick(json), .joiner = 0, .picks = {}};
    const Json& cycles = array(field(json, "cycles"), "cycles");
    if (cycles.empty() || cycles.size() > seats_limit) {
        throw Damaged("a placement has no cycles or too many");
    }
    placement.joiner = joiner(cycles.front());
    for (const Json& cycle : cycles) {
        placement.picks.push_back(integer<std::uint8_t>(field(cycle, "pick"), "pick", 0, pick_max));
    }
    return placement;
}

// ---- states
// --------------------------------------------------------------------------------------

/// Takes numbers off a flat list, one after the other.
class Numbers {
public:
    explicit Numbers(const Json& list) : list_(array(list, "states")) {}

    template <class T>
    T take(const char* name, std::int64_t high, std::int64_t low = 0) {
        if (at_ >= list_.size()) {
            throw Damaged(fmt::format("a state ends before its '{}'", name));
        }
        return integer<T>(list_[at_++], name, low, high);
    }
    bool done() const { return at_ >= list_.size(); }

    std::int16_t place(const char* name) {
        constexpr auto limits = std::numeric_limits<std::int16_t>();
        return take<std::int16_t>(name, limits.max(), limits.min());
    }
    Direction direction() { return take<Direction>("direction", direction_count - 1); }
    CycleState cycle_state() { return take<CycleState>("cycle state", cycle_state_count - 1); }
    bool flag(const char* name) { return take<int>(name, 1) != 0; }
    Wall wall() {
        Wall wall{.x = place("wall x"), .y = place("wall y")};
        wall.shape = take<WallShape>("wall type", wall_shape_count - 1);
        wall.direction = direction();
        return wall;
    }

private:
    const Json& list_;
    std::size_t at_ = 0;
};

void read_cycle(const Json& json, TraceState& into) {
    Numbers numbers(json);
    into.joiners.push_back(numbers.take<JoinerId>("player", trace_line_bytes_max));
    Cycle cycle;
    cycle.number = numbers.take<std::uint8_t>("number", seats_limit, 1);
    cycle.x = numbers.place("x");
    cycle.y = numbers.place("y");
    cycle.direction = numbers.direction();
    cycle.state = numbers.cycle_state();
    cycle.explosion_frame = numbers.take<std::uint8_t>("explosion frame", 255);
    cycle.ready = numbers.flag("ready");
    while (!numbers.done()) {
        cycle.walls.push_back(numbers.wall());
    }
    into.view.cycles.push_back(std::move(cycle));
}

TraceState read_full(const Json& json) {
    constexpr std::size_t values = 5;
    if (array(json, "full").size() != values) {
        throw Damaged("'full' has not 5 values");
    }
    TraceState state;
    state.view.phase = integer<MatchPhase>(json[0], "game state", 0, match_phase_count - 1);
    state.view.count = integer<std::uint8_t>(json[1], "count", 0, 255);
    state.view.width = integer<std::uint16_t>(json[2], "width", 1, cells_max);
    state.view.height = integer<std::uint16_t>(json[3], "height", 1, cells_max);
    if (array(json[4], "cycles").size() > seats_limit) {
        throw Damaged("'full' has too many cycles");
    }
    for (const Json& cycle : json[4]) {
        read_cycle(cycle, state);
    }
    return state;
}

CycleChange read_change(const Json& json) {
    Numbers numbers(json);
    CycleChange change{.index = numbers.take<std::uint8_t>("index", seats_limit - 1),
                       .mask = numbers.take<std::uint8_t>("mask", 255),
                       .to = {}};
    const auto has = [&](unsigned bit) { return (change.mask & bit) != 0; };
    change.to.x = has(1) ? numbers.place("x") : std::int16_t{};
    change.to.y = has(2) ? numbers.place("y") : std::int16_t{};
    change.to.direction = has(4) ? numbers.direction() : Direction{};
    change.to.state = has(8) ? numbers.cycle_state() : CycleState{};
    change.to.explosion_frame = has(16) ? numbers.take<std::uint8_t>("frame", 255) : std::uint8_t{};
    change.to.ready = has(32) && numbers.flag("ready");
    std::uint32_t walls = has(64) ? numbers.take<std::uint32_t>("wall count", cells_max) : 0;
    for (; walls > 0; --walls) {
        change.to.walls.push_back(numbers.wall());
    }
    if (!numbers.done()) {
        throw Damaged("a change has more values than its mask says");
    }
    return change;
}

StateRow read_row(const Json& json) {
    StateRow row;
    if (json.is_number()) {
        row.ticks = integer<std::uint32_t>(json, "repetitions", 1, trace_ticks_max);
        return row;
    }
    if (!json.is_object()) {
        throw Damaged("a row of 'states' is neither a number nor an object");
    }
    if (json.contains("full")) {
        row.full = read_full(json["full"]);
        return row;
    }
    if (json.contains("s")) {
        row.phase = integer<MatchPhase>(json["s"], "s", 0, match_phase_count - 1);
    }
    if (json.contains("c")) {
        row.count = integer<std::uint8_t>(json["c"], "c", 0, 255);
    }
    if (json.contains("d")) {
        std::ranges::transform(array(json["d"], "d"), std::back_inserter(row.changes), read_change);
    }
    return row;
}

/// Unpacks all states once: there must be as many as the trace has ticks, and each must make sense.
/// Whether they give its digest is for the replay to say, tick by tick.
void check_states(const Trace& trace) {
    if (trace.rows.empty() || !trace.rows.front().full) {
        throw Damaged("'states' does not begin with a full state");
    }
    std::uint64_t ticks = 0;
    for (const StateRow& row : trace.rows) {
        ticks += row.ticks;
    }
    if (ticks != trace.ticks) {
        throw Damaged(fmt::format("'states' has {} ticks, 'ticks' says {}", ticks, trace.ticks));
    }
    ExpectedStates states(trace.rows);
    std::uint64_t walls = 0;
    for (std::uint32_t i = 0; i < trace.ticks; ++i) {
        if (!states.next()) {
            throw Damaged(fmt::format("the state of tick {} changes a cycle that is not there", i));
        }
        for (const Cycle& cycle : states.state().view.cycles) {
            walls += cycle.walls.size();
        }
        // Repetitions cost the file nothing and us a pass each.
        if (walls > trace_walls_max) {
            throw Damaged(fmt::format("its states have more than {} walls", trace_walls_max));
        }
    }
}

Trace read_trace(const Json& json) {
    Trace trace;
    trace.id = printable(field(json, "id"), "id");
    trace.width = size(json, "width");
    trace.height = size(json, "height");
    trace.seats = integer<std::uint8_t>(field(json, "players"), "players", 1, seats_limit);
    trace.ticks = integer<std::uint32_t>(field(json, "ticks"), "ticks", 1, trace_ticks_max);
    trace.stopped = boolean(field(json, "stopped"), "stopped");
    trace.digest = integer<std::uint32_t>(field(json, "digest"), "digest", 0, 0xffff'ffff);
    std::ranges::transform(array(field(json, "events"), "events"), std::back_inserter(trace.events),
                           read_event);
    std::ranges::transform(array(field(json, "placements"), "placements"),
                           std::back_inserter(trace.placements), read_placement);
    std::ranges::transform(array(field(json, "states"), "states"), std::back_inserter(trace.rows),
                           read_row);
    check_order(trace);
    check_states(trace);
    return trace;
}

}  // namespace

Result<Trace> parse_trace(std::string_view line) try {
    if (line.size() > trace_line_bytes_max) {
        throw Damaged(fmt::format("longer than {} bytes", trace_line_bytes_max));
    }
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_discarded()) {
        throw Damaged("not a complete JSON object");
    }
    return read_trace(json);
} catch (const Damaged& damaged) {
    return failure(std::errc::bad_message, damaged.what());
} catch (const std::exception& unexpected) {
    return failure(std::errc::bad_message, fmt::format("cannot be read: {}", unexpected.what()));
}

}  // namespace ringside::tron
