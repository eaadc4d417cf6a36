#pragma once
// Sizes in whole units.

#include <cstddef>

namespace ringside {

[[nodiscard]] constexpr std::size_t round_up(std::size_t bytes, std::size_t unit) noexcept {
    return (bytes + unit - 1) / unit * unit;
}

}  // namespace ringside
