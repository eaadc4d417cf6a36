#pragma once
// Statistics: what fronts and supervisors count, by name. One table each; `stat`, /metrics and
// their tests all go by it. Where the numbers are: ipc/statistics.hpp. What each means to who reads
// them: docs/statistics.md.

#include <cstdint>
#include <span>
#include <string_view>

#include "ringside/core/game.hpp"
#include "ringside/core/wire.hpp"

namespace ringside {

/// Built with -DRINGSIDE_STATISTICS=OFF nothing is counted but how late ticks are, and what is
/// always on can be measured against that.
#ifdef RINGSIDE_NO_STATISTICS
inline constexpr bool statistics_enabled = false;
#else
inline constexpr bool statistics_enabled = true;
#endif

// Units of the time histograms (core/histogram.hpp, LatenessHistogram's buckets), so that none
// needs a division: 2^bits ns. Lateness has lateness_unit_bits.
inline constexpr std::uint32_t tick_time_unit_bits = 6;      // 64 ns, up to 268 ms
inline constexpr std::uint32_t loop_time_unit_bits = 8;      // 256 ns, up to 1 s
inline constexpr std::uint32_t restore_time_unit_bits = 14;  // 16 µs, up to 68 s

/// One number. Those of one family stand together and differ by their label.
struct StatisticRow {
    std::string_view family;
    std::string_view label;  // which one of its family; empty: the family is this one
    std::string_view help;   // of the family, at its first
    bool gauge = false;      // it goes up and down; otherwise it only grows
    std::string_view label_key = "reason";
};

/// By a front, of what it has done since its host started. Places in shared memory: append only, or
/// raise statistics_layout_version.
enum class FrontStatistic : std::uint8_t {
    sessions,
    accepts,
    accepts_refused,
    closes_client,
    closes_malformed,  // from here to `banned` in the order of wire::ErrorCode
    closes_message_too_large,
    closes_version,
    closes_out_of_order,
    closes_handshake_timeout,
    closes_too_slow,
    closes_rate,
    closes_busy,
    closes_stopping,
    closes_game_stuck,
    closes_idle,
    closes_kicked,
    closes_banned,
    closes_web,
    closes_tls,
    bytes_in,
    bytes_out,
    messages_in,
    messages_out,
    drops_superseded,
    drops_lapped,
    drops_damaged,
    stalls,
    snapshots_read,
    wakes,
    uring_enters,
    cq_overflows,
    buffers_exhausted,
    count_,
};

/// By the supervisor, since its host started.
enum class HostStatistic : std::uint8_t {
    games,
    games_created,
    games_adopted,
    games_ended_rules,
    games_ended_idle,
    games_ended_failed,
    games_ended_operator,
    games_refused_bad_parameters,
    games_refused_no_such_game,
    games_refused_unknown_type,
    games_refused_name_taken,
    games_refused_bad_name,
    games_refused_no_room,
    games_refused_stopping,
    games_refused_wrong_password,
    deaths_game,
    deaths_front,
    deaths_nursery,
    deaths_companion,
    hangs,
    restores,
    count_,
};

[[nodiscard]] std::span<const StatisticRow> rows_of(FrontStatistic) noexcept;
[[nodiscard]] std::span<const StatisticRow> rows_of(HostStatistic) noexcept;

[[nodiscard]] constexpr FrontStatistic closes_by(wire::ErrorCode code) noexcept {
    const auto first = static_cast<unsigned>(wire::ErrorCode::malformed);
    return static_cast<FrontStatistic>(static_cast<unsigned>(FrontStatistic::closes_malformed) +
                                       static_cast<unsigned>(code) - first);
}
static_assert(closes_by(wire::ErrorCode::banned) == FrontStatistic::closes_banned);

/// Requires a reason that the supervisor gives.
[[nodiscard]] HostStatistic refused_for(RefuseReason) noexcept;

}  // namespace ringside
