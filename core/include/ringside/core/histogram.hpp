#pragma once
// Histogram: counts of durations, log-linear, constant memory, one increment per record.
//
// Each power of two is cut into 2^linear_bits equal buckets, so a value is known to within that
// part of it; values of 2^value_bits_max and more share the last bucket. Where the counts live in a
// segment (a game's lateness), the segment holds the counters and this class only names buckets and
// reads quantiles out of a private copy.
// Source  HdrHistogram (Gil Tene): the same bucketing with fixed precision.

#include <array>
#include <cstdint>

namespace ringside {

template <std::uint32_t linear_bits, std::uint32_t value_bits_max>
class LogLinearHistogram {
public:
    static constexpr std::uint32_t bucket_count = (value_bits_max - linear_bits + 1) << linear_bits;

    [[nodiscard]] static std::uint32_t bucket_of(std::uint64_t value) noexcept;

    void record(std::uint64_t value) noexcept { add(bucket_of(value), 1); }

    /// Requires bucket < bucket_count. Unsigned: adding a negative count takes values out again.
    void add(std::uint32_t bucket, std::uint64_t count) noexcept { counts_[bucket] += count; }

    /// Adds what another one holds: quantiles of several runs are those of all their values, which
    /// no mean of the runs' quantiles is.
    void merge(const LogLinearHistogram& other) noexcept;

    [[nodiscard]] std::uint64_t count() const noexcept;

    /// The upper bound of the bucket that holds the given share of the values; share in [0, 1].
    /// 0 when nothing was recorded.
    [[nodiscard]] std::uint64_t quantile(double share) const noexcept;

    /// How many values one bucket holds, and the largest that it can.
    [[nodiscard]] std::uint64_t count_in(std::uint32_t bucket) const noexcept {
        return counts_[bucket];
    }
    [[nodiscard]] static std::uint64_t upper_bound(std::uint32_t bucket) noexcept;

private:
    std::array<std::uint64_t, bucket_count> counts_{};
};

/// Of nanoseconds up to 18 minutes, to within 1.6 %: a ratio of two quantiles must not show the
/// buckets. 2,240 counters, 18 KiB, in private memory only.
using Histogram = LogLinearHistogram<6, 40>;

/// Of ticks' lateness, in units of 1,024 ns up to 4 s, to within 25 %: 84 counters.
using LatenessHistogram = LogLinearHistogram<2, 22>;
inline constexpr std::uint32_t lateness_unit_bits = 10;  // 1,024 ns: no division on the tick path

extern template class LogLinearHistogram<6, 40>;
extern template class LogLinearHistogram<2, 22>;

}  // namespace ringside
