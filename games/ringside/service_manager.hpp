#pragma once
// What a service manager, systemd or another, hands to a host and is told by it: sockets that
// listen already, readiness, signs of life. Without one, nothing of this does anything.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "ringside/core/result.hpp"

namespace ringside {

/// The listening sockets that were passed (LISTEN_FDS), once. They are its own: whoever passed them
/// made their files and removes them.
[[nodiscard]] Result<std::vector<int>> take_passed_sockets();

/// That this process serves, and how; also again, after it has been replaced.
void tell_ready(const std::string& status);

/// That another program takes this one's place, as the same process.
void tell_reloading();

void tell_stopping();

/// How often a sign of life is wanted at least (WATCHDOG_USEC); nothing: not at all.
[[nodiscard]] std::optional<std::chrono::microseconds> watchdog_period();

void tell_alive();

}  // namespace ringside
