#pragma once
// TimeCounts: a histogram of times in shared memory, by one writer: the buckets of
// LatenessHistogram (core/histogram.hpp). The unit, a power of two of nanoseconds, is the owner's
// to name: see core/statistics.hpp.
//
// Every bucket only grows, so a reader needs no lock: what it copies is at worst a moment between
// two records. A process that does the same again and again touches one line of it.

#include <atomic>
#include <cstdint>

#include "ringside/core/histogram.hpp"
#include "ringside/core/limits.hpp"

namespace ringside {

struct alignas(cache_line_bytes) TimeCounts {
    std::atomic<std::uint32_t> counts[LatenessHistogram::bucket_count];
    std::uint32_t reserved[12];  // zero

    /// By the one writer. Negative times count as none.
    void record(std::int64_t time_ns, std::uint32_t unit_bits) noexcept {
        const auto units = static_cast<std::uint64_t>(time_ns > 0 ? time_ns : 0) >> unit_bits;
        auto& count = counts[LatenessHistogram::bucket_of(units)];
        count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }

    /// A private copy.
    [[nodiscard]] LatenessHistogram read() const noexcept {
        LatenessHistogram copy;
        for (std::uint32_t bucket = 0; bucket < LatenessHistogram::bucket_count; ++bucket) {
            copy.add(bucket, counts[bucket].load(std::memory_order_relaxed));
        }
        return copy;
    }
};
static_assert(sizeof(TimeCounts) == 384,
              "layout changed: raise game_segment_layout_version and statistics_layout_version");

}  // namespace ringside
