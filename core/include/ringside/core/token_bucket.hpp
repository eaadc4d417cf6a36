#pragma once
// TokenBucket: how often something may happen: `per_second` on average, `burst` at once.
//
// Source  the virtual scheduling form of the generic cell rate algorithm (ITU-T I.371): one word,
//         the time at which the bucket will be full.

#include <algorithm>
#include <cstdint>

namespace ringside {

struct TokenRate {
    std::uint32_t per_second = 0;  // ≥ 1
    std::uint32_t burst = 0;       // ≥ 1
};

class TokenBucket {
public:
    /// False: there is no token now. Full at first.
    [[nodiscard]] constexpr bool take(const TokenRate& rate, std::int64_t now_ns) noexcept {
        if (now_ns < next_ns(rate)) {
            return false;
        }
        full_at_ns_ = std::max(full_at_ns_, now_ns) + cost_ns(rate);
        return true;
    }

    /// From when on there is one.
    [[nodiscard]] constexpr std::int64_t next_ns(const TokenRate& rate) const noexcept {
        return full_at_ns_ - (std::int64_t{rate.burst} - 1) * cost_ns(rate);
    }

private:
    static constexpr std::int64_t cost_ns(const TokenRate& rate) noexcept {
        return 1'000'000'000 / std::int64_t{rate.per_second};
    }

    std::int64_t full_at_ns_ = 0;
};

}  // namespace ringside
