#pragma once
// What a game may be called. Names end up in files, terminals, URLs and logs, so the alphabet is
// small: letters, digits, '-', '_' and '.', not starting with '.' or '-'; 1 to 47 bytes.

#include <string_view>

namespace ringside {

[[nodiscard]] bool is_game_name(std::string_view name) noexcept;

/// The same sentence wherever a name is refused.
inline constexpr std::string_view game_name_rule =
    "a game name is 1 to 47 letters, digits, '-', '_' or '.', and starts with a letter or digit";

}  // namespace ringside
