#pragma once
// BareProcesses: forked processes without a host, for floors: what a process costs at all.

#include <cstdint>
#include <functional>
#include <vector>

#include <sys/types.h>

#include "ringside/core/result.hpp"

namespace ringside::bench {

class BareProcesses {
public:
    BareProcesses() = default;
    BareProcesses(const BareProcesses&) = delete;
    BareProcesses& operator=(const BareProcesses&) = delete;

    /// Kills all of them and waits until they are gone.
    ~BareProcesses();

    /// Forks one that runs `body` with a timer slack of 1 ns and dies with this process.
    [[nodiscard]] Result<void> fork_one(const std::function<void()>& body);

    [[nodiscard]] const std::vector<pid_t>& pids() const noexcept { return pids_; }

private:
    std::vector<pid_t> pids_;
};

/// While it lives, this process goes before those that it measures: an equal share of a drowning
/// machine would be too little to steer or to stop them. Best effort: it takes root.
class GoesFirst {
public:
    GoesFirst() noexcept;
    GoesFirst(const GoesFirst&) = delete;
    GoesFirst& operator=(const GoesFirst&) = delete;
    ~GoesFirst();

private:
    int nice_before_;
};

/// A field of /proc/PID/status that is a number; 0 when there is none.
[[nodiscard]] std::uint64_t status_of(pid_t pid, const char* field);

/// What the kernel thinks could still be given to new processes, KiB.
[[nodiscard]] std::int64_t mem_available_kib();

}  // namespace ringside::bench
