#include "ringside/core/token_bucket.hpp"

#include <catch2/catch.hpp>

#include "ringside/core/random.hpp"

using namespace ringside;

TEST_CASE("token bucket: a burst, and then one for each that has come back", "[core]") {
    constexpr TokenRate rate{.per_second = 10, .burst = 3};
    TokenBucket bucket;
    std::int64_t now_ns = 5'000'000'000;
    for (int i = 0; i < 3; ++i) {
        CHECK(bucket.take(rate, now_ns));
    }
    CHECK(!bucket.take(rate, now_ns));
    CHECK(bucket.next_ns(rate) == now_ns + 100'000'000);
    CHECK(!bucket.take(rate, now_ns + 99'999'999));
    CHECK(bucket.take(rate, now_ns + 100'000'000));
    CHECK(!bucket.take(rate, now_ns + 100'000'000));

    now_ns += 3'600'000'000'000;  // no more come back than fit
    for (int i = 0; i < 3; ++i) {
        CHECK(bucket.take(rate, now_ns));
    }
    CHECK(!bucket.take(rate, now_ns));
}

TEST_CASE("token bucket: never more than the burst and the rate together", "[core]") {
    Random random(Catch::rngSeed());
    for (int run = 0; run < 100; ++run) {
        const TokenRate rate{.per_second = 1 + random.below(1'000), .burst = 1 + random.below(50)};
        TokenBucket bucket;
        std::int64_t now_ns = 1'000'000'000;
        const std::int64_t begin_ns = now_ns;
        std::int64_t taken = 0;
        for (int i = 0; i < 1'000; ++i) {
            now_ns += random.below(3'000'000);
            taken += bucket.take(rate, now_ns) ? 1 : 0;
            // A token costs whole nanoseconds, rounded down.
            const std::int64_t back = (now_ns - begin_ns) / (1'000'000'000 / rate.per_second);
            REQUIRE(taken <= rate.burst + back);
        }
        CHECK(taken >= std::min<std::int64_t>(1'000, rate.burst));
    }
}
