#include "contest.hpp"

#include <iterator>

#include <fmt/format.h>

namespace ringside::bench {

Yardstick Contestant::yardstick() {
    return {name, {measured(samples).median, {}}};  // a handful of slices has no p99
}

Result<void> take_turns(std::vector<Contestant>& contestants, int rounds) {
    for (int round = 0; round < rounds; ++round) {
        for (Contestant& contestant : contestants) {
            const auto sample = contestant.slice();
            if (!sample) {
                return std::unexpected(sample.error());
            }
            contestant.samples.push_back(*sample);
        }
    }
    return {};
}

Figure figure_of(std::vector<Contestant>& contestants, Goal goal) {
    const bool more_is_better = goal.bound == Bound::at_least;
    Figure figure;
    figure.value = contestants[0].yardstick().value;
    figure.floor = contestants[1].yardstick();
    figure.goal = goal;
    for (std::size_t at = 2; at < contestants.size(); ++at) {
        const Yardstick rival = contestants[at].yardstick();
        fmt::format_to(std::back_inserter(figure.note), "{}{} {:.4g}", at == 2 ? "" : ", ",
                       rival.name, rival.value.median);
        if (!figure.rival || (rival.value.median > figure.rival->value.median) == more_is_better) {
            figure.rival = rival;
        }
    }
    return figure;
}

}  // namespace ringside::bench
