#pragma once
// LocalHost: a host without a network, in processes of its own, whose only front is the caller.
// For replays, tests and measurements.

#include <span>
#include <string>

#include <sys/types.h>

#include "ringside/ipc/front_link.hpp"
#include "ringside/ipc/supervisor.hpp"

namespace ringside {

class LocalHost {
public:
    /// Forks the supervisor. `options.fronts` and `.external_front_fd` are set here.
    [[nodiscard]] static Result<LocalHost> start(HostOptions options,
                                                 std::span<const GameType* const> types);
    LocalHost(LocalHost&&) noexcept;
    LocalHost& operator=(LocalHost&&) = delete;

    /// Stops every process and waits for them.
    ~LocalHost();

    [[nodiscard]] FrontLink& front() noexcept { return front_; }
    [[nodiscard]] pid_t supervisor_pid() const noexcept { return supervisor_pid_; }

    /// Blocks until the answer to request_open arrives.
    [[nodiscard]] OpenAnswer open(OpenRequest request);

private:
    LocalHost(pid_t supervisor_pid, FrontLink front) noexcept;
    pid_t supervisor_pid_;
    FrontLink front_;
};

}  // namespace ringside
