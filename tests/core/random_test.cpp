#include "ringside/core/random.hpp"

#include <array>
#include <cstdint>

#include <catch2/catch.hpp>

using ringside::Random;

TEST_CASE("random: draws the published SplitMix64 sequences", "[core][random]") {
    // Steele, Lea and Flood's generator; seed 1234567 as on Rosetta Code, seed 0 as in Vigna's C.
    Random of_zero(0);
    REQUIRE(of_zero.next() == 0xe220a8397b1dcdafu);
    REQUIRE(of_zero.next() == 0x6e789e6aa1b965f4u);
    REQUIRE(of_zero.next() == 0x06c45d188009454fu);

    Random random(1234567);
    REQUIRE(random.next() == 6457827717110365317u);
    REQUIRE(random.next() == 3203168211198807973u);
    REQUIRE(random.next() == 9817491932198370423u);
    REQUIRE(random.next() == 4593380528125082431u);
    REQUIRE(random.next() == 16408922859458223821u);
}

TEST_CASE("random: goes on from its state as if it had not stopped", "[core][random]") {
    Random original(Catch::rngSeed());
    original.next();
    Random restored(original.state());
    for (int draw = 0; draw < 100; ++draw) {
        REQUIRE(restored.next() == original.next());
    }
}

TEST_CASE("random: below stays under its bound and reaches every value", "[core][random]") {
    Random random(Catch::rngSeed());
    SECTION("of one") {
        REQUIRE(random.below(1) == 0);
    }
    SECTION("of a few") {
        // A value left out in 10,000 draws has a probability below 10^-700.
        std::array<int, 6> counts{};
        for (int draw = 0; draw < 10'000; ++draw) {
            ++counts.at(random.below(6));
        }
        for (const int count : counts) {
            REQUIRE(count > 0);
        }
    }
    SECTION("of the largest") {
        for (int draw = 0; draw < 1'000; ++draw) {
            REQUIRE(random.below(UINT32_MAX) < UINT32_MAX);
        }
    }
}
