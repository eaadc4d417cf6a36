#include "tap_json.hpp"

#include <array>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ringside/core/journal.hpp"
#include "ringside/core/nickname.hpp"
#include "ringside/core/printable.hpp"
#include "ringside/tron/types.hpp"
#include "ringside/tron/view.hpp"

namespace ringside {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view tron_name = "tron";

std::string hex(Bytes bytes) {
    std::string text;
    for (const std::byte each : bytes) {
        text += fmt::format("{:02x}", static_cast<unsigned>(each));
    }
    return text;
}

/// A number out of its enum's range has no name.
template <std::size_t size>
std::string_view name_in(const std::array<std::string_view, size>& names, auto number) {
    const auto index = static_cast<std::size_t>(number);
    return index < size ? names[index] : std::string_view("?");
}

constexpr std::array<std::string_view, tron::direction_count> directions{"up", "right", "down",
                                                                         "left"};
constexpr std::array<std::string_view, tron::cycle_state_count> cycle_states{
    "racing", "exploding", "dead", "winner", "inserting"};
constexpr std::array<std::string_view, tron::match_phase_count> match_phases{
    "waiting", "countdown", "started", "finished", "restarting"};

Json tron_view_json(const tron::View& view) {
    Json cycles = Json::array();
    for (const tron::Cycle& cycle : view.cycles) {
        Json walls = Json::array();
        for (const tron::Wall& wall : cycle.walls) {
            walls.push_back({wall.x, wall.y});
        }
        cycles.push_back({{"number", cycle.number},
                          {"x", cycle.x},
                          {"y", cycle.y},
                          {"direction", name_in(directions, cycle.direction)},
                          {"state", name_in(cycle_states, cycle.state)},
                          {"ready", cycle.ready},
                          {"walls", std::move(walls)}});
    }
    return {{"phase", name_in(match_phases, view.phase)},
            {"count", view.count},
            {"width", view.width},
            {"height", view.height},
            {"cycles", std::move(cycles)}};
}

std::string_view key_name(std::byte key) {
    switch (static_cast<tron::Key>(key)) {
        case tron::Key::escape: return "escape";
        case tron::Key::left: return "left";
        case tron::Key::insert: return "insert";
        case tron::Key::down: return "down";
        case tron::Key::up: return "up";
        case tron::Key::right: return "right";
    }
    return "?";
}

std::string_view call_name(CallKind kind) {
    switch (kind) {
        case CallKind::join: return "join";
        case CallKind::leave: return "leave";
        case CallKind::input: return "input";
        case CallKind::tick: return "tick";
    }
    return "?";
}

Json call_json(const Call& call, const std::string& type) {
    Json json{{"call", call_name(call.kind)}};
    if (call.seat != no_seat) {
        json["seat"] = call.seat;
    }
    if (type == tron_name && call.kind == CallKind::input && call.body.size() == 1) {
        json["key"] = key_name(call.body[0]);
    } else if (!call.body.empty()) {
        json["bytes"] = hex(call.body);
    }
    return json;
}

}  // namespace

Json snapshot_json(const SnapshotParts& parts, std::uint64_t sequence, const std::string& type) {
    Json events = Json::array();
    std::vector<Call> calls;
    const bool whole =
        parse_journal(parts.journal, calls) && (parts.header.flags & snapshot_journal_cut) == 0;
    for (const Call& call : calls) {
        events.push_back(call_json(call, type));
    }
    Json roster = Json::array();
    for (const RosterEntry& entry : parts.roster) {
        roster.push_back({{"session", fmt::format("{:016x}", entry.session)},
                          {"seat", entry.seat},
                          {"nickname", printable(text_of(entry.nickname))},
                          {"last_input", entry.last_input},
                          {"connected", !entry.detached()}});
    }
    Json json{{"sequence", sequence},
              {"tick", parts.header.tick},
              {"phase", phase_name(static_cast<Phase>(parts.header.phase & 3))},
              {"players", parts.header.players},
              {"seats", parts.header.seats},
              {"ended", (parts.header.flags & snapshot_ended) != 0},
              {"events", std::move(events)},
              {"events_whole", whole},
              {"roster", std::move(roster)},
              {"state_bytes", parts.state.size()},
              {"view_bytes", parts.view.size()},
              {"delta_bytes", parts.delta.size()}};
    const auto view = type == tron_name ? tron::decode_view(parts.view) : std::nullopt;
    json["view"] = view ? tron_view_json(*view) : Json(hex(parts.view));
    return json;
}

}  // namespace ringside
