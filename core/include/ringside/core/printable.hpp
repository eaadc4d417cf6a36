#pragma once
// Foreign text: judged, and made safe for a terminal.

#include <string>
#include <string_view>

namespace ringside {

/// The text with every control character and every byte that is not well-formed UTF-8 replaced by
/// '?', so that what a host sends cannot move the cursor or change the terminal.
[[nodiscard]] std::string printable(std::string_view text);

/// The characters of well-formed UTF-8; '?' for what is none.
[[nodiscard]] std::u32string code_points(std::string_view text);

/// One character; '?' for what is none.
[[nodiscard]] std::string utf8_of(char32_t character);

/// Whether all of it is well-formed (RFC 3629).
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

}  // namespace ringside
