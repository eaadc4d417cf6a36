#include "readings.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "ringside/core/printable.hpp"

namespace ringside {

std::int64_t quantile_ns(const LatenessHistogram& times, double share,
                         std::uint32_t unit_bits) noexcept {
    if (times.count() == 0) {
        return 0;
    }
    return static_cast<std::int64_t>(((times.quantile(share) + 1) << unit_bits) - 1);
}

LatenessHistogram since(const LatenessHistogram& now, const LatenessHistogram& before) noexcept {
    LatenessHistogram more;
    for (std::uint32_t bucket = 0; bucket < LatenessHistogram::bucket_count; ++bucket) {
        more.add(bucket, now.count_in(bucket) - before.count_in(bucket));
    }
    return more;
}

void TypeSum::add(const GameReading& game) {
    ++games;
    racing += game.deadline_ns != 0 ? 1 : 0;
    players += game.progress.players;
    seats += game.progress.seats;
    spectators += game.spectators;
    ticks += game.ticks;
    missed_ticks += game.missed_ticks;
    events_applied += game.events_applied;
    events_dropped += game.events_dropped;
    snapshots += game.snapshots;
    restarts += game.restarts;
    cpu_ns += game.cpu_ns;
    segment_bytes += game.segment_bytes;
    lateness.merge(game.lateness);
    tick_time.merge(game.tick_time);
}

std::vector<TypeSum> sums_by_type(const std::vector<GameReading>& games) {
    std::vector<TypeSum> sums;
    for (const GameReading& game : games) {
        const std::string type = printable(game.type);
        auto sum = std::ranges::find(sums, type, &TypeSum::type);
        if (sum == sums.end()) {
            sum = sums.insert(sum, TypeSum{.type = type, .lateness = {}, .tick_time = {}});
        }
        sum->add(game);
    }
    std::ranges::sort(sums, {}, &TypeSum::type);
    return sums;
}

std::string_view text_of(HostLife life) noexcept {
    switch (life) {
        case HostLife::running: return "running";
        case HostLife::stopped: return "stopped";
        case HostLife::dead: return "dead";
    }
    return "";
}

std::string_view doing(const GameReading& game) noexcept {
    if (game.state == GameState::starting) {
        return "starting";
    }
    return game.progress.ended ? "ended" : phase_name(static_cast<Phase>(game.progress.phase));
}

std::string time_text(std::int64_t time_ns) {
    constexpr std::array<std::string_view, 4> units{"ns", "µs", "ms", "s"};
    if (time_ns >= 120'000'000'000) {
        const std::int64_t minutes = time_ns / 60'000'000'000;
        return minutes < 120 ? fmt::format("{} min", minutes) : fmt::format("{} h", minutes / 60);
    }
    auto value = static_cast<double>(time_ns);
    std::size_t unit = 0;
    for (; unit + 1 < units.size() && value >= 999.5; ++unit) {
        value /= 1000;
    }
    return fmt::format("{:.{}f} {}", value,
                       unit == 0 || value >= 99.95 ? 0
                       : value >= 9.995            ? 1
                                                   : 2,
                       units[unit]);
}

std::string size_text(std::uint64_t bytes) {
    constexpr std::array<std::string_view, 4> units{"B", "KiB", "MiB", "GiB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; unit + 1 < units.size() && value >= 1023.5; ++unit) {
        value /= 1024;
    }
    return fmt::format("{:.{}f} {}", value, unit == 0 || value >= 99.95 ? 0 : 1, units[unit]);
}

}  // namespace ringside
