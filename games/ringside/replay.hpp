#pragma once
// The command `replay`: plays a file of recorded matches and compares every state.

#include <memory>
#include <string>

#include "through_rings.hpp"

#include "ringside/tron/trace_driver.hpp"

namespace ringside {

struct ReplayOptions {
    std::string path;
    tron::TraceDriverFactory driver;  // where the games run; empty: the rules themselves
    std::shared_ptr<Kills> kills;     // what the driver kills; empty: nothing
};

/// Prints each trace that differs (its id, the tick, what), what was killed, and then
/// "150 passed, 0 failed". Returns
/// the exit code: 0, 1 when a trace differed, 2 when the file or one of its lines cannot be used.
[[nodiscard]] int run_replay(const ReplayOptions& options);

}  // namespace ringside
