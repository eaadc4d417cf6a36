#pragma once
// A contest: Ringside, floor and rivals measured in short slices that take turns, so that all see
// the machine in the same moods. A figure is the median of its slices.

#include <functional>
#include <string>
#include <vector>

#include "bench.hpp"

namespace ringside::bench {

struct Contestant {
    std::string name;
    std::function<Result<double>()> slice;
    std::vector<double> samples;

    /// Requires samples.
    [[nodiscard]] Yardstick yardstick();
};

/// One slice of each in turn, `rounds` times.
[[nodiscard]] Result<void> take_turns(std::vector<Contestant>&, int rounds);

/// The first is Ringside, the second the floor; the best of the rest is the rival, and all of them
/// stand in the note. Best is what the goal's bound says: most for "at least".
[[nodiscard]] Figure figure_of(std::vector<Contestant>&, Goal);

}  // namespace ringside::bench
