#include "ringside/core/histogram.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

namespace ringside {

template <std::uint32_t linear_bits, std::uint32_t value_bits_max>
std::uint32_t LogLinearHistogram<linear_bits, value_bits_max>::bucket_of(
    std::uint64_t value) noexcept {
    const std::uint64_t clamped = std::min(value, (std::uint64_t{1} << value_bits_max) - 1);
    if (clamped < (1u << linear_bits)) {
        return static_cast<std::uint32_t>(clamped);
    }
    const auto octave = static_cast<std::uint32_t>(std::bit_width(clamped)) - 1 - linear_bits;
    const auto within = static_cast<std::uint32_t>(clamped >> octave) - (1u << linear_bits);
    return ((octave + 1) << linear_bits) + within;
}

template <std::uint32_t linear_bits, std::uint32_t value_bits_max>
std::uint64_t LogLinearHistogram<linear_bits, value_bits_max>::upper_bound(
    std::uint32_t bucket) noexcept {
    if (bucket < (1u << linear_bits)) {
        return bucket;
    }
    const std::uint32_t octave = (bucket >> linear_bits) - 1;
    const std::uint64_t within = (bucket & ((1u << linear_bits) - 1)) + (1u << linear_bits);
    return ((within + 1) << octave) - 1;
}

template <std::uint32_t linear_bits, std::uint32_t value_bits_max>
void LogLinearHistogram<linear_bits, value_bits_max>::merge(
    const LogLinearHistogram& other) noexcept {
    for (std::uint32_t bucket = 0; bucket < bucket_count; ++bucket) {
        counts_[bucket] += other.counts_[bucket];
    }
}

template <std::uint32_t linear_bits, std::uint32_t value_bits_max>
std::uint64_t LogLinearHistogram<linear_bits, value_bits_max>::count() const noexcept {
    return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

template <std::uint32_t linear_bits, std::uint32_t value_bits_max>
std::uint64_t LogLinearHistogram<linear_bits, value_bits_max>::quantile(
    double share) const noexcept {
    const std::uint64_t total = count();
    const auto rank = static_cast<std::uint64_t>(share * static_cast<double>(total));
    std::uint64_t seen = 0;
    for (std::uint32_t bucket = 0; bucket < bucket_count; ++bucket) {
        seen += counts_[bucket];
        if (seen > rank || (seen == total && total > 0)) {
            return upper_bound(bucket);
        }
    }
    return 0;
}

template class LogLinearHistogram<6, 40>;
template class LogLinearHistogram<2, 22>;

}  // namespace ringside
