#pragma once
// `ringside sessions`, and how an operator names one of them.

#include <cstdint>
#include <optional>
#include <string>

#include "ringside/core/ids.hpp"
#include "ringside/core/result.hpp"
#include "ringside/net/peer_address.hpp"

namespace ringside {

/// Prints who is connected to a host of this machine; returns the program's exit code.
[[nodiscard]] int run_sessions(const std::string& instance, bool json);

/// As run_sessions() prints it: 16 hexadecimal digits.
[[nodiscard]] std::optional<SessionId> parse_session(const std::string& text);

/// The address itself, or the one that a session of the host comes from.
[[nodiscard]] Result<PeerAddress> address_of(const std::string& instance, const std::string& who);

}  // namespace ringside
