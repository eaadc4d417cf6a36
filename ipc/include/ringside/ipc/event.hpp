#pragma once
// Event: what one record of an event ring carries: this header, then a body (see EventKind).
//
// Exactly once: an input counts only if its session is in the roster and its number is the last
// applied + 1; lower is ignored, a gap is refused. A session that moves to another connection gets
// another id there, so whatever its old link still writes, or wrote and has not been read, finds no
// entry. Whoever resends after a crash or a move can resend too much, never too little.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "ringside/core/game.hpp"
#include "ringside/core/limits.hpp"
#include "ringside/core/nickname.hpp"

namespace ringside {

struct EventHeader {
    std::uint64_t session;       // SessionId; 0 for events of the host itself
    std::uint32_t input_number;  // of an input, from 1; else 0
    std::uint32_t body_bytes;    // what follows; the record's padding is not part of it
};
static_assert(std::is_trivially_copyable_v<EventHeader>);
static_assert(sizeof(EventHeader) == event_header_bytes,
              "layout changed: raise game_segment_layout_version");

/// What proves that a session is one's own, without being what its client holds: a hash of its
/// resume token. All zero: this session cannot be resumed.
using ResumeKey = std::array<std::byte, resume_key_bytes>;

/// In a time that does not tell how much of it is right.
[[nodiscard]] constexpr bool is_same(const ResumeKey& a, const ResumeKey& b) noexcept {
    std::byte difference{};
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference |= a[i] ^ b[i];
    }
    return difference == std::byte{};
}

/// What a game's password is compared by: a hash of it and of the game's name. All zero: none.
using PasswordKey = ResumeKey;

/// What a join event's body begins with; the joiner's parameters follow.
struct JoinHead {
    ResumeKey key;  // that will resume the session
    Nickname nickname;
};
static_assert(std::is_trivially_copyable_v<JoinHead> && sizeof(JoinHead) == 40);

/// The body of a join event.
[[nodiscard]] std::vector<std::byte> join_body(const JoinHead& head, Bytes parameters);

/// A link that may be the one the session has now.
struct ResumeCandidate {
    std::uint64_t session;
    ResumeKey key;
};
static_assert(std::is_trivially_copyable_v<ResumeCandidate> && sizeof(ResumeCandidate) == 24);

/// The body of a resume event: the key that will resume the session from now on, and the links
/// whose place it may take: the one that its client last heard of, and those that have asked to
/// resume since and were lost before the answer, of which any may have been let in. Requires 1 to
/// resume_candidates_max.
[[nodiscard]] std::vector<std::byte> resume_body(const ResumeKey& key,
                                                 std::span<const ResumeCandidate> candidates);

}  // namespace ringside
