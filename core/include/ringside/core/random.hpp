#pragma once
// Random: the only source of chance that rules may use. Its whole state is one word, so a snapshot
// carries it and a restored game draws the same numbers.
//
// Source  SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014).
//         Good enough for games, not for secrets.

#include <cstdint>

namespace ringside {

class Random {
public:
    explicit constexpr Random(std::uint64_t state) noexcept : state_(state) {}

    constexpr std::uint64_t next() noexcept {
        state_ += 0x9e3779b97f4a7c15u;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }

    /// Uniform in [0, bound), bound ≥ 1. Multiply-shift: its bias is below bound / 2^32.
    constexpr std::uint32_t below(std::uint32_t bound) noexcept {
        return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
    }

    /// What a snapshot keeps; Random(state()) goes on from here.
    [[nodiscard]] constexpr std::uint64_t state() const noexcept { return state_; }

private:
    std::uint64_t state_;
};

}  // namespace ringside
