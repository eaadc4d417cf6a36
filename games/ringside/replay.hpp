#pragma once
// The command `replay`: plays a file of recorded matches and compares every state.

#include <string>

#include "ringside/tron/trace_driver.hpp"

namespace ringside {

struct ReplayOptions {
    std::string path;
    tron::TraceDriverFactory driver;  // where the games run; empty: the rules themselves
};

/// Prints each trace that differs (its id, the tick, what), then "150 passed, 0 failed". Returns
/// the exit code: 0, 1 when a trace differed, 2 when the file or one of its lines cannot be used.
[[nodiscard]] int run_replay(const ReplayOptions& options);

}  // namespace ringside
