#pragma once
// A QR code of a link, for the camera of a phone beside the terminal.

#include <string>
#include <string_view>

namespace ringside {

/// Lines of half-block characters, dark on light whatever the terminal's colours. Empty when the
/// text does not fit a code.
[[nodiscard]] std::string qr_code(std::string_view text);

}  // namespace ringside
