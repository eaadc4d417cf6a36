#pragma once
// ResumeToken: the secret by which a client goes on with its seat on another connection. Only the
// client holds it; the game's roster holds its hash, which an observer of the segment may read.

#include <array>
#include <cstddef>

#include "ringside/core/game.hpp"
#include "ringside/ipc/event.hpp"

namespace ringside {

inline constexpr std::size_t resume_token_bytes = 16;
using ResumeToken = std::array<std::byte, resume_token_bytes>;

/// From the kernel's generator.
[[nodiscard]] ResumeToken make_resume_token() noexcept;

/// BLAKE2b. Requires resume_token_bytes.
[[nodiscard]] ResumeKey resume_key_of(Bytes token) noexcept;

}  // namespace ringside
