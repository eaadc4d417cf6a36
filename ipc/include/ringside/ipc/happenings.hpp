#pragma once
// What happens in a host: each kind is a probe (core/probe.hpp) and a record (flight_recorder.hpp).
//
// happened::NAME(first, second, third) fires the probe ringside:NAME with these arguments and
// records them. It stands where the thing is done, once. Names, order and meaning of the arguments
// are API (docs/probes.md, which a test compares with the program): add at the end.
//
// "game" is slot | epoch << 32, as game_key() makes it; "whom" a game so, or front_key(slot), or
// nursery_key(type); "session" a SessionId, 0 before Hello; "position" one of an event ring;
// "sequence" and "tick" those of a snapshot; _ns a duration or CLOCK_MONOTONIC. `none` is 0.

#include <cstdint>
#include <string_view>

#include "ringside/core/ids.hpp"
#include "ringside/core/probe.hpp"
#include "ringside/ipc/flight_recorder.hpp"

namespace ringside {

// The only way to give each row its enumerator, its function with the probe's literal name in it,
// and its names for readers, without writing it three times.
// clang-format off
#define RINGSIDE_HAPPENINGS(ROW)                                                                  \
    /* fronts */                                                                                  \
    ROW(accept,             address,   connection,   connections)                                 \
    ROW(session_open,       session,   address,      connection)                                  \
    ROW(frame,              session,   bytes,        type)                                        \
    ROW(input,              session,   position,     number)                                      \
    ROW(event_published,    game,      position,     none)                                        \
    ROW(back_pressure,      session,   game,         kind)                                        \
    ROW(snapshot_read,      game,      sequence,     bytes)                                       \
    ROW(send,               session,   sequence,     bytes)                                       \
    ROW(sent,               session,   took_ns,      bytes)                                       \
    ROW(drop,               session,   sequence,     reason)                                      \
    ROW(session_close,      session,   lived_ns,     code)                                        \
    /* games */                                                                                   \
    ROW(event_applied,      session,   position,     number)                                      \
    ROW(tick_begin,         tick,      late_ns,      missed)                                      \
    ROW(tick_end,           tick,      none,         none)                                        \
    ROW(late_tick,          tick,      late_ns,      missed)                                      \
    ROW(snapshot_published, game,      sequence,     bytes)                                       \
    ROW(park,               tick,      until_ns,     none)                                        \
    /* fronts and games */                                                                        \
    ROW(wake,               whom,      none,         none)                                        \
    ROW(woken,              whom,      none,         none)                                        \
    /* the supervisor */                                                                          \
    ROW(game_open,          game,      creator,      seats)                                       \
    ROW(game_close,         game,      lived_ns,     restarts)                                    \
    ROW(fork,               whom,      pid,          none)                                        \
    ROW(death,              whom,      pid,          status)                                      \
    ROW(restore,            game,      pid,          restarts)                                    \
    ROW(hang,               whom,      pid,          none)                                        \
    /* fronts: what clients say, in their own clock */                                            \
    ROW(client_sent,        session,   sent_ns,      number)                                      \
    ROW(client_saw,         session,   seen_ns,      number)
// clang-format on

enum class Happening : std::uint16_t {
#define RINGSIDE_ROW(name, first, second, third) name,
    RINGSIDE_HAPPENINGS(RINGSIDE_ROW)
#undef RINGSIDE_ROW
};

/// Of drop's argument `reason`: why a client is not sent what was meant for it.
enum class DropReason : std::uint32_t {
    overtaken = 1,  // a newer view came before this one could be sent; for drop, `sequence` is it
    too_slow = 2,   // it has not read for too long, and is closed
    damaged = 3,    // the game published what cannot be right; `session` is 0
    lapped = 4,     // the game overwrote the snapshot while it was read; `session` is 0
};

/// How readers name a kind and its arguments.
struct HappeningNames {
    std::string_view name;
    std::string_view first;
    std::string_view second;
    std::string_view third;
};
inline constexpr HappeningNames happening_names[] = {
#define RINGSIDE_ROW(name, first, second, third) {#name, #first, #second, #third},
    RINGSIDE_HAPPENINGS(RINGSIDE_ROW)
#undef RINGSIDE_ROW
};
inline constexpr std::size_t happening_count = std::size(happening_names);

[[nodiscard]] constexpr std::uint64_t game_key(GameId game) noexcept {
    return game.slot | std::uint64_t{game.epoch} << 32;
}
[[nodiscard]] constexpr GameId game_of_key(std::uint64_t key) noexcept {
    return {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
}

[[nodiscard]] constexpr std::uint64_t front_key(std::uint32_t slot) noexcept {
    return std::uint64_t{1} << 63 | slot;
}
[[nodiscard]] constexpr std::uint64_t nursery_key(std::size_t type_index) noexcept {
    return std::uint64_t{1} << 62 | type_index;
}

namespace happened {
#define RINGSIDE_ROW(name, first, second, third)                                         \
    [[gnu::always_inline]] inline void name(std::uint64_t first_, std::uint64_t second_, \
                                            std::uint32_t third_) noexcept {             \
        RINGSIDE_PROBE(name, first_, second_, third_);                                   \
        flight_recorder.record(Happening::name, first_, second_, third_);                \
    }
RINGSIDE_HAPPENINGS(RINGSIDE_ROW)
#undef RINGSIDE_ROW
}  // namespace happened

}  // namespace ringside
