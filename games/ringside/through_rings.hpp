#pragma once
// The trace driver of `replay --through-rings`: every trace in a game process of its own, stepped
// in lockstep. Events are written to its event ring and states read from its snapshot ring, by the
// same host, nursery and game loop that serve players; only the network is left out.
//
// With a seed its processes are killed at random instants, and restored: no state may differ.

#include <cstdint>
#include <memory>

#include "ringside/core/result.hpp"
#include "ringside/tron/trace_driver.hpp"

namespace ringside {

/// Processes killed while traces are played, and those to be killed.
struct Kills {
    std::uint64_t seed = 0;
    std::uint64_t count = 0;
};

/// Starts a host for the factory's lifetime. Without `kills` nobody is killed.
[[nodiscard]] Result<tron::TraceDriverFactory> through_rings_factory(std::shared_ptr<Kills> kills);

}  // namespace ringside
