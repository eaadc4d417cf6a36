// bytes: what a tick of tron costs on the wire for each client, as a whole view and as a delta, in
// a terminal and in a browser.

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "benches.hpp"
#include "race_bytes.hpp"

#include "ringside/net/frame.hpp"

namespace ringside::bench {
namespace {

constexpr std::size_t whole_race = 5'000;  // ticks; none is so long
constexpr std::size_t minute = 600;        // of them, at 10 Hz

/// The mean stands for the median: bytes add up.
template <class Of>
Measured mean_of(const std::vector<TickBytes>& ticks, Of of) {
    std::vector<double> samples;
    double sum = 0;
    for (const TickBytes& tick : ticks) {
        samples.push_back(static_cast<double>(of(tick)));
        sum += samples.back();
    }
    return {.median = samples.empty() ? 0 : sum / static_cast<double>(samples.size()),
            .p99 = measured(samples).p99};
}

void add(Report& report, const std::string& name, const Measured& value, const std::string& note,
         std::optional<Goal> goal = {}, const std::string& unit = "B") {
    report.figures.push_back({.name = name,
                              .unit = unit,
                              .value = value,
                              .floor = {},
                              .rival = {},
                              .goal = goal,
                              .note = note});
}

/// Races as they come, to their end.
void add_races(Report& report, std::uint8_t seats, double goal_bytes, const Options& options) {
    std::vector<TickBytes> ticks;
    const std::uint64_t races = options.smoke ? 2 : 50;
    for (std::uint64_t race = 0; race < races; ++race) {
        const auto more = RaceBytes({.seats = seats}, options.seed + race).run(whole_race);
        ticks.insert(ticks.end(), more.begin(), more.end());
    }
    std::vector<TickBytes> deltas = ticks;
    std::erase_if(deltas, [](const TickBytes& tick) { return tick.delta_bytes == 0; });
    const double own = mean_of(deltas, [](const auto& tick) { return tick.delta_bytes; }).median;
    const double inputs =
        mean_of(deltas, [](const auto& tick) { return tick.inputs_bytes; }).median;
    const Measured all = mean_of(ticks, [](const auto& tick) { return tick.delta.terminal; });
    add(report, fmt::format("{} players, delta: mean a tick", seats), all,
        fmt::format("{:.1f} of the game, {:.1f} inputs acknowledged, {} length prefix, "
                    "{:.1f} tables of FlatBuffers",
                    own, inputs, frame_prefix_bytes,
                    all.median - own - inputs - frame_prefix_bytes),
        Goal{.bound = Bound::at_most, .factor = goal_bytes});
    add(report, fmt::format("{} players, whole view: mean a tick", seats),
        mean_of(ticks, [](const auto& tick) { return tick.whole.terminal; }),
        fmt::format("{:.0f} of the game",
                    mean_of(ticks, [](const auto& tick) { return tick.view_bytes; }).median));
    report.notes.push_back(
        fmt::format("{} players: {} racing ticks of {} races, {} of them told by a whole view",
                    seats, ticks.size(), races, ticks.size() - deltas.size()));
}

/// Six in an arena where they drive for the whole minute, and their walls grow long.
void add_long_walls(Report& report, const Options& options) {
    std::vector<TickBytes> ticks;
    const std::uint64_t matches = options.smoke ? 1 : 10;
    std::size_t longest = 0;
    for (std::uint64_t match = 0; match < matches; ++match) {
        const auto more = RaceBytes(large_arena_of_six, options.seed + match).run(minute);
        ticks.insert(ticks.end(), more.begin(), more.end());
        longest = std::max(longest, more.back().whole.terminal);
    }
    for (const auto& [client, of] : {std::pair{"terminal", &MessageBytes::terminal},
                                     std::pair{"browser", &MessageBytes::browser}}) {
        const std::string name = fmt::format("6 players, long walls, {}: ", client);
        const Measured whole = mean_of(ticks, [of](const auto& tick) { return tick.whole.*of; });
        const Measured delta = mean_of(ticks, [of](const auto& tick) { return tick.delta.*of; });
        add(report, name + "whole view, mean a tick", whole, {});
        add(report, name + "delta, mean a tick", delta, {});
        add(report, name + "delta of whole view", {.median = 100 * delta.median / whole.median}, {},
            Goal{.bound = Bound::at_most, .factor = 10}, "%");
    }
    report.notes.push_back(fmt::format(
        "long walls: {} ticks of {} matches of 60 s in an arena of {} x {}; the longest whole view "
        "has {} bytes",
        ticks.size(), matches, large_arena_of_six.width, large_arena_of_six.height, longest));
}

}  // namespace

Result<Report> run_bytes(const Options& options) {
    Report report{.bench = "bytes", .figures = {}, .charts = {}, .notes = {}};
    add_races(report, 2, 64, options);
    add_races(report, 6, 76, options);
    add_long_walls(report, options);
    report.notes.push_back("Colyseus 0.16 sends patches of 29 and 76 bytes for the same game");
    return report;
}

}  // namespace ringside::bench
