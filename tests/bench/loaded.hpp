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

    /// Starts one; `cpu` is the one it runs on, -1: any.
    [[nodiscard]] Result<void> start(const load::Options& options, int cpu = -1);

    /// Waits for what came of the one started last.
    [[nodiscard]] Result<load::Outcome> outcome();

private:
    BareProcesses processes_;
    std::vector<int> result_fds_;
};

/// Starts one and waits. The Error also is a load that lost or doubled an input, or a session.
[[nodiscard]] Result<load::Outcome> run_loaded(const load::Options& options, int cpu = -1);

}  // namespace ringside::bench
