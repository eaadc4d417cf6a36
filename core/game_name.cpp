#include "ringside/core/game_name.hpp"

#include <algorithm>

#include "ringside/core/limits.hpp"

namespace ringside {
namespace {

bool is_alphanumeric(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

bool is_game_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= game_name_bytes_max && is_alphanumeric(name.front()) &&
           std::ranges::all_of(
               name, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

}  // namespace ringside
