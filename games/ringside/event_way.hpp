#pragma once
// The way of an input, from its client through front, ring and game and back: when it was where, as
// the flight recorders of those processes have it.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "ringside/core/ids.hpp"
#include "ringside/ipc/flight_log.hpp"

namespace ringside {

/// Where an input, and then the view that shows it, has got to.
enum class Point : std::uint8_t {
    client_sent,  // only of inputs that their client has stamped
    received,
    published,
    applied,
    tick_begun,
    tick_ended,
    snapshot,
    read,
    sending,
    sent,
    client_saw,  // only of those
};
inline constexpr std::size_t point_count = 11;

/// The stage that ends at each point; of the first: nothing.
inline constexpr std::array<std::string_view, point_count> stage_names{
    "",
    "client to front",
    "front, until its turn ends",
    "event ring",
    "waits for the tick",
    "tick",
    "snapshot",
    "until a front reads it",
    "encode",
    "kernel takes it",
    "front to client",
};

struct EventWay {
    SessionId session{};
    std::uint32_t number = 0;  // of the input
    GameId game;
    std::uint32_t front_source = 0;
    std::uint32_t game_source = 0;
    std::array<std::int64_t, point_count> at_ns{};
    bool stamped = false;  // the client's points are there

    [[nodiscard]] std::int64_t at(Point point) const noexcept {
        return at_ns[static_cast<std::size_t>(point)];
    }
    [[nodiscard]] std::size_t first() const noexcept { return stamped ? 0 : 1; }
    [[nodiscard]] std::size_t last() const noexcept { return point_count - (stamped ? 1 : 2); }
};

/// Whom to look at: both empty is everybody.
struct WayFilter {
    std::optional<SessionId> session;
    std::optional<GameId> game;
};

/// Every input whose whole way is in the entries, which are by time.
[[nodiscard]] std::vector<EventWay> find_ways(const FlightLog& log,
                                              const std::vector<FlightEntry>& entries,
                                              const WayFilter& filter);

}  // namespace ringside
