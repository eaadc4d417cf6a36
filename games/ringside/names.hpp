#pragma once
// Made-up names for games nobody has named: two words, easy to say across a room.

#include <string>

namespace ringside {

/// "brisk-otter". One of about four thousand; the caller makes it unique if it must be.
[[nodiscard]] std::string made_up_name();

}  // namespace ringside
