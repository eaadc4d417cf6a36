#pragma once
// What a player wants to be called. Nicknames end up in terminals, pages and recordings of others,
// so they are made safe where they come in, and again where a game gives them back.

#include <array>
#include <string>
#include <string_view>

#include "ringside/core/limits.hpp"

namespace ringside {

/// Well-formed UTF-8, zero-padded; all zero: none.
using Nickname = std::array<char, nickname_bytes_max>;

/// What can be shown of a text: without control characters and those that nobody sees, each row of
/// spaces one space, none at the ends, cut to nickname_bytes_max between two characters.
[[nodiscard]] Nickname nickname_of(std::string_view text);

/// Up to its first zero.
[[nodiscard]] std::string_view text_of(const Nickname& nickname) noexcept;

}  // namespace ringside
