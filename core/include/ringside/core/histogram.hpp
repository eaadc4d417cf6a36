#pragma once
// Histogram: counts of durations, log-linear, constant memory, one increment per record.
//
// Each power of two is cut into 8 equal buckets, so a value is known to within 12.5 %. Values of
// 2^40 and more (18 minutes, in ns) share the last bucket. Plain data: it may live in a segment
// with one writer.
// Source  HdrHistogram (Gil Tene): the same bucketing with fixed precision.

#include <array>
#include <cstdint>

namespace ringside {

class Histogram {
public:
    void record(std::uint64_t value) noexcept;

    [[nodiscard]] std::uint64_t count() const noexcept;

    /// The upper bound of the bucket that holds the given share of the values; share in [0, 1].
    /// 0 when nothing was recorded.
    [[nodiscard]] std::uint64_t quantile(double share) const noexcept;

private:
    static constexpr std::uint32_t linear_bits = 3;
    static constexpr std::uint32_t value_bits_max = 40;
    static constexpr std::uint32_t bucket_count = (value_bits_max - linear_bits + 1) << linear_bits;

    static std::uint32_t bucket_of(std::uint64_t value) noexcept;
    static std::uint64_t upper_bound(std::uint32_t bucket) noexcept;

    std::array<std::uint64_t, bucket_count> counts_{};
};

}  // namespace ringside
