#include "ringside/core/histogram.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <catch2/catch.hpp>

#include "ringside/core/random.hpp"

using ringside::Histogram;

TEST_CASE("histogram: an empty one has no quantiles", "[core][histogram]") {
    const Histogram histogram;
    REQUIRE(histogram.count() == 0);
    REQUIRE(histogram.quantile(0.0) == 0);
    REQUIRE(histogram.quantile(1.0) == 0);
}

TEST_CASE("histogram: a single value is known to within a 64th", "[core][histogram]") {
    // Around each power of two, where one octave's buckets end and the next one's begin.
    const int bit = GENERATE(range(0, 40));
    const std::uint64_t power = std::uint64_t{1} << bit;
    for (const std::uint64_t recorded : {power - 1, power, power + 1}) {
        Histogram histogram;
        histogram.record(recorded);
        const std::uint64_t known = histogram.quantile(0.5);
        CAPTURE(recorded, known);
        REQUIRE(known >= recorded);
        REQUIRE(known - recorded <= recorded / 64);
        REQUIRE(histogram.quantile(0.0) == known);
        REQUIRE(histogram.quantile(1.0) == known);
    }
}

TEST_CASE("histogram: merged ones have the quantiles of all their values", "[core][histogram]") {
    Histogram few;
    Histogram many;
    Histogram all;
    for (std::uint64_t i = 0; i < 99; ++i) {
        many.record(i);
        all.record(i);
    }
    few.record(1'000'000);
    all.record(1'000'000);
    few.merge(many);
    const double share = GENERATE(0.0, 0.5, 0.9, 0.99, 1.0);
    REQUIRE(few.count() == 100);
    REQUIRE(few.quantile(share) == all.quantile(share));
}

TEST_CASE("histogram: values too large share the last bucket", "[core][histogram]") {
    const std::uint64_t largest = (std::uint64_t{1} << 40) - 1;
    Histogram histogram;
    histogram.record(GENERATE(std::uint64_t{1} << 40, std::uint64_t{1} << 41, UINT64_MAX));
    REQUIRE(histogram.count() == 1);
    REQUIRE(histogram.quantile(1.0) == largest);
}

TEST_CASE("histogram: quantiles are those of the sorted values, to within a 64th",
          "[core][histogram]") {
    ringside::Random random(Catch::rngSeed());
    Histogram histogram;
    std::vector<std::uint64_t> values;
    for (int i = 0; i < 10'000; ++i) {
        values.push_back(random.next() >> (25 + random.below(39)));
        histogram.record(values.back());
    }
    std::ranges::sort(values);
    REQUIRE(histogram.count() == values.size());
    for (const double share : {0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
        const auto rank = static_cast<std::size_t>(share * static_cast<double>(values.size()));
        const std::uint64_t exact = values[std::min(rank, values.size() - 1)];
        const std::uint64_t known = histogram.quantile(share);
        CAPTURE(share, exact, known);
        REQUIRE(known >= exact);
        REQUIRE(known - exact <= exact / 64);
    }
}

TEST_CASE("lateness histogram: counts kept elsewhere give the same quantiles",
          "[core][histogram]") {
    using ringside::LatenessHistogram;
    LatenessHistogram recorded;
    LatenessHistogram copied;
    for (const std::uint64_t units : {0u, 3u, 4u, 1'000u, 4'194'303u}) {
        recorded.record(units);
        copied.add(LatenessHistogram::bucket_of(units), 1);
    }
    for (const double share : {0.0, 0.5, 0.99}) {
        REQUIRE(copied.quantile(share) == recorded.quantile(share));
    }
    REQUIRE(recorded.quantile(1.0) == 4'194'303);
    REQUIRE(LatenessHistogram::bucket_of(UINT64_MAX) == LatenessHistogram::bucket_count - 1);
}
