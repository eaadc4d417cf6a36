#include "bench.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "ringside/core/invariant.hpp"

namespace ringside::bench {
namespace {

constexpr std::size_t samples_for_p99_min = 100;

double quantile(const std::vector<double>& sorted, double share) {
    const double place = std::ceil(share * static_cast<double>(sorted.size())) - 1;
    return sorted[static_cast<std::size_t>(std::max(0.0, place))];
}

double part(const Measured& value, bool p99) {
    return p99 && value.p99 ? *value.p99 : value.median;
}

}  // namespace

Measured measured(std::vector<double>& samples) {
    invariant(!samples.empty(), "a benchmark measures at least once");
    std::ranges::sort(samples);
    return {.median = quantile(samples, 0.5),
            .p99 = quantile(samples, 0.99),
            .p99_is_worst = samples.size() < samples_for_p99_min};
}

std::string tail_text(const Measured& value) {
    return value.p99 ? fmt::format("{}{:.4g}", value.p99_is_worst ? "max " : "", *value.p99) : "";
}

std::optional<double> Figure::ratio() const {
    const bool judged = goal && goal->against != Against::number;
    const auto& yardstick =
        judged ? (goal->against == Against::rival ? rival : floor) : (rival ? rival : floor);
    if (!yardstick) {
        return std::nullopt;
    }
    const bool p99 = goal && goal->of_p99;
    const double base = part(yardstick->value, p99);
    return base != 0 ? std::optional(part(value, p99) / base) : std::nullopt;
}

std::optional<bool> Figure::met() const {
    if (!goal) {
        return std::nullopt;
    }
    const auto compared =
        goal->against == Against::number ? std::optional(part(value, goal->of_p99)) : ratio();
    if (!compared) {
        return std::nullopt;
    }
    return goal->bound == Bound::at_most ? *compared <= goal->factor : *compared >= goal->factor;
}

}  // namespace ringside::bench
