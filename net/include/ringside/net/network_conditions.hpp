#pragma once
// What a network between the host and its clients is like, for tests and for trying games out.

#include <chrono>
#include <string_view>

#include "ringside/core/result.hpp"

namespace ringside {

struct NetworkConditions {
    std::chrono::milliseconds delay{0};   // each way; 0 to 10 s
    std::chrono::milliseconds jitter{0};  // each piece's delay differs by up to so much; 0 to delay
    double stall_percent = 0;             // of pieces that are lost and sent again; 0 to 50

    /// Whether they differ from none at all.
    [[nodiscard]] bool any() const noexcept { return delay.count() > 0 || stall_percent > 0; }
};

/// Of "delay=80ms,jitter=20ms,stall=1%": any of the three, each once. The Error says what is wrong.
[[nodiscard]] Result<NetworkConditions> parse_network_conditions(std::string_view text);

}  // namespace ringside
