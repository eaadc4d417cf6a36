#pragma once
// The wire protocol's constants and its one gate: a message is verified here, once, with tight
// limits, before anything reads it. The messages themselves are in core/schema/wire.fbs.

#include <cstdint>

#include "ringside/core/game.hpp"

namespace ringside::wire {

struct FromClient;
struct FromHost;

inline constexpr std::uint32_t protocol_version = 1;

/// Codes of the Error message, and WebSocket close codes. Append only. "come back": whether a
/// client that reconnects unchanged can expect better.
enum class ErrorCode : std::uint16_t {
    malformed = 4000,          // not a message of this protocol; do not come back
    message_too_large = 4001,  // do not come back
    version = 4002,            // protocol version not spoken here; do not come back
    out_of_order = 4003,       // a message that makes no sense now; do not come back
    handshake_timeout = 4004,  // no Hello in time; come back
    too_slow = 4005,           // did not read for too long; come back
    rate = 4006,               // more messages than the limit; come back later
    busy = 4007,               // the host has no room for another connection; come back later
    stopping = 4008,           // the host is being stopped; come back later
    game_stuck = 4009,         // the game does not take its input; come back
    idle = 4010,               // in no game, and silent for too long; come back when there is need
    kicked = 4011,             // the operator has removed this session; do not come back
    banned = 4012,             // nobody is let in from this address for now; do not come back
};

/// Whether a client that reconnects unchanged, at once, can expect better.
[[nodiscard]] constexpr bool may_come_back(ErrorCode code) noexcept {
    return code == ErrorCode::handshake_timeout || code == ErrorCode::too_slow ||
           code == ErrorCode::busy || code == ErrorCode::game_stuck || code == ErrorCode::idle;
}

/// Codes of the Notice message. Append only.
enum class NoticeCode : std::uint16_t {
    input_dropped = 1,  // one of this session's inputs made the game crash, and was left out
};

/// The message in a frame, size prefix included and 8-aligned, or nullptr when it is not a well
/// formed one. Costs at most a few µs for any bytes up to the frame limits.
[[nodiscard]] const FromClient* verified_from_client(Bytes frame) noexcept;
[[nodiscard]] const FromHost* verified_from_host(Bytes frame) noexcept;

}  // namespace ringside::wire
