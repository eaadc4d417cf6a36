#pragma once
// The command `top`: a host's games, live.

#include <string>

namespace ringside {

/// Returns the exit code; errors go to standard error.
[[nodiscard]] int run_top(const std::string& instance);

}  // namespace ringside
