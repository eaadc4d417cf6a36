#pragma once
// What `stat`, `top` and /metrics make of a host's readings: sums by game type, quantiles, texts.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ringside/ipc/host_observer.hpp"

namespace ringside {

/// In ns, within the 25 % of a bucket: not less than the share's value. 0: nothing was recorded.
[[nodiscard]] std::int64_t quantile_ns(const LatenessHistogram& times, double share,
                                       std::uint32_t unit_bits) noexcept;

/// What `now` has more than `before`, of the same histogram.
[[nodiscard]] LatenessHistogram since(const LatenessHistogram& now,
                                      const LatenessHistogram& before) noexcept;

/// The games of one type.
struct TypeSum {
    std::string type;  // printable
    std::uint64_t games = 0;
    std::uint64_t racing = 0;  // that have a next tick
    std::uint64_t players = 0;
    std::uint64_t seats = 0;
    std::uint64_t spectators = 0;
    std::uint64_t ticks = 0;
    std::uint64_t missed_ticks = 0;
    std::uint64_t events_applied = 0;
    std::uint64_t events_dropped = 0;
    std::uint64_t snapshots = 0;
    std::uint64_t restarts = 0;
    std::int64_t cpu_ns = 0;
    std::uint64_t segment_bytes = 0;
    LatenessHistogram lateness;
    LatenessHistogram tick_time;

    void add(const GameReading& game);
};
[[nodiscard]] std::vector<TypeSum> sums_by_type(const std::vector<GameReading>& games);

[[nodiscard]] std::string_view text_of(HostLife life) noexcept;

/// "parked", "waiting", … as `list` calls phases; "starting" while it has no process.
[[nodiscard]] std::string_view doing(const GameReading& game) noexcept;

/// Three digits and a unit: "890 ns", "12.3 µs", "4.56 s", "3 min", "5 h".
[[nodiscard]] std::string time_text(std::int64_t time_ns);

/// "640 B", "12.3 KiB".
[[nodiscard]] std::string size_text(std::uint64_t bytes);

}  // namespace ringside
