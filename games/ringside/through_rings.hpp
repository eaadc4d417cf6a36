#pragma once
// The trace driver of `replay --through-rings`: every trace in a game process of its own, stepped
// in lockstep. Events are written to its event ring and states read from its snapshot ring, by the
// same host, nursery and game loop that serve players; only the network is left out.

#include <memory>

#include "ringside/core/result.hpp"
#include "ringside/tron/trace_driver.hpp"

namespace ringside {

/// Starts a host for the factory's lifetime.
[[nodiscard]] Result<tron::TraceDriverFactory> through_rings_factory();

}  // namespace ringside
