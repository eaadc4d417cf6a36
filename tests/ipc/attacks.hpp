#pragma once
// What a hostile game would try. Each ends the process, if the sandbox does not fail.

#include <array>
#include <cstddef>
#include <string_view>

namespace ringside::test {

struct Attack {
    std::string_view what;
    void (*run)();
};

inline constexpr std::size_t attack_count = 33;
[[nodiscard]] const std::array<Attack, attack_count>& attacks();

}  // namespace ringside::test
