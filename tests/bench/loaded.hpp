#pragma once
// Runs the load generator's engine in a process of its own, so that its CPU and its wakes are not
// the benchmark's.

#include "bench.hpp"
#include "load.hpp"
#include "placed.hpp"

#include "ringside/core/histogram.hpp"
#include "ringside/core/result.hpp"

namespace ringside::bench {

/// A load that runs beside something else; its process ends with this object.
class Loaded {
public:
    [[nodiscard]] Result<void> start(const load::Options& options, Place place = {});

    /// Waits for what came of it, which may be sessions that failed or inputs that were lost.
    [[nodiscard]] Result<load::Outcome> outcome() { return process_.outcome<load::Outcome>(); }

    [[nodiscard]] pid_t pid() const noexcept { return process_.pid(); }

private:
    PlacedProcess process_;
};

/// An Error when a session failed or an input was lost or doubled.
[[nodiscard]] Result<void> check_outcome(const load::Outcome& outcome);

/// Starts one and waits. The Error also is a load that lost or doubled an input, or a session.
[[nodiscard]] Result<load::Outcome> run_loaded(const load::Options& options, Place place = {});

/// Of nanoseconds, in µs.
[[nodiscard]] Measured measured_us(const Histogram& latency_ns);

}  // namespace ringside::bench
