#pragma once
// Runs the load generator's engine in a process of its own, so that its CPU and its wakes are not
// the benchmark's.

#include "bare_processes.hpp"
#include "load.hpp"

#include "ringside/core/result.hpp"

namespace ringside::bench {

/// Loads that run beside something else; the processes end with this object.
class Loaded {
public:
    Loaded() = default;
    Loaded(const Loaded&) = delete;
    Loaded& operator=(const Loaded&) = delete;
    ~Loaded();

    /// Where a load runs. What measures a full machine has to run before what fills it.
    struct Place {
        int cpu = -1;  // -1: any
        bool realtime = false;
    };
    [[nodiscard]] Result<void> start(const load::Options& options, Place place);
    [[nodiscard]] Result<void> start(const load::Options& options) { return start(options, {}); }

    /// Waits for what came of the one started last.
    [[nodiscard]] Result<load::Outcome> outcome();

private:
    BareProcesses processes_;
    std::vector<int> result_fds_;
};

/// Starts one and waits. The Error also is a load that lost or doubled an input, or a session.
[[nodiscard]] Result<load::Outcome> run_loaded(const load::Options& options,
                                               Loaded::Place place = {});

}  // namespace ringside::bench
