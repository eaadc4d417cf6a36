#pragma once
// The command `replay`: shows a recorded match, or compares its states with those that the rules
// lead to; and the same comparison of a file of traces.

#include <memory>
#include <string>

#include "through_rings.hpp"

#include "ringside/tron/trace_driver.hpp"

namespace ringside {

struct ReplayOptions {
    std::string path;
    tron::TraceDriverFactory driver;  // where the games run; empty: the rules themselves
    std::shared_ptr<Kills> kills;     // what the driver kills; empty: nothing
    bool verify = false;              // a recording: do not show it
};

/// Of a recording: 0; 1 when its states differ from those that its calls lead to, 2 when it cannot
/// be used.
[[nodiscard]] int run_replay_recording(const ReplayOptions& options);

/// Whether that is what the file holds, by its first bytes.
[[nodiscard]] bool holds_recording(const std::string& path);

/// Of traces. Prints each trace that differs (its id, the tick, what), what was killed, and then
/// "150 passed, 0 failed". Returns
/// the exit code: 0, 1 when a trace differed, 2 when the file or one of its lines cannot be used.
[[nodiscard]] int run_replay(const ReplayOptions& options);

}  // namespace ringside
