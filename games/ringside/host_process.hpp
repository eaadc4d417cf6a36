#pragma once
// HostProcess: a host of one's own, in a child process: for practice, for hosting friends while
// playing, and for tests.

#include <sys/types.h>

#include "serve.hpp"

#include "ringside/core/result.hpp"

namespace ringside {

class HostProcess {
public:
    /// Forks a host and waits until it serves. It dies with this process.
    [[nodiscard]] static Result<HostProcess> start(ServeOptions options);

    /// A host nobody else sees: an instance and a Unix socket of its own.
    [[nodiscard]] static Result<HostProcess> start_private();

    HostProcess(HostProcess&& other) noexcept;
    HostProcess& operator=(HostProcess&&) = delete;

    /// Stops the host and waits until it has cleaned up.
    ~HostProcess();

    /// Where to connect from this machine.
    [[nodiscard]] const Endpoint& endpoint() const noexcept { return endpoint_; }

private:
    HostProcess(pid_t pid, Endpoint endpoint) noexcept;
    pid_t pid_;
    Endpoint endpoint_;
};

}  // namespace ringside
