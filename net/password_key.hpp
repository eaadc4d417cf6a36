#pragma once
// password_key: what a private game's password is kept and compared as.

#include <string_view>

#include "ringside/ipc/event.hpp"

namespace ringside {

/// BLAKE2b of both; of an empty password: all zero. It keeps a password from being read in memory,
/// not a weak one from being guessed.
[[nodiscard]] PasswordKey password_key_of(std::string_view game,
                                          std::string_view password) noexcept;

}  // namespace ringside
