#pragma once
// What a server costs at all: an epoll loop that sends back what it receives, in one process.

#include <memory>

#include "bare_processes.hpp"
#include "placed.hpp"

#include "ringside/core/histogram.hpp"
#include "ringside/core/result.hpp"
#include "ringside/net/endpoint.hpp"

namespace ringside::bench {

class EpollEcho {
public:
    [[nodiscard]] static Result<EpollEcho> start(Place place = {});

    [[nodiscard]] const Endpoint& endpoint() const noexcept { return endpoint_; }
    [[nodiscard]] pid_t pid() const noexcept { return process_->pids().front(); }

private:
    EpollEcho() = default;
    Endpoint endpoint_;
    std::unique_ptr<BareProcesses> process_ = std::make_unique<BareProcesses>();
};

/// Clients of an echo: each sends `bytes`, and again when they are back or, in an open loop, at its
/// rate, for the time. One process with an epoll loop.
struct EchoClients {
    std::uint32_t connections = 1;
    std::uint32_t bytes = 64;
    double per_second = 0;  // of each connection; 0: closed loop
    std::int64_t time_ns = 0;
};

struct EchoOutcome {
    std::uint64_t echoes = 0;  // within the time
    double seconds = 0;
    Histogram latency_ns;  // from when each was meant to be sent; all that were sent
};

/// In a process of its own, there.
[[nodiscard]] Result<EchoOutcome> run_echo_clients(const Endpoint& endpoint,
                                                   const EchoClients& clients, Place place = {});

}  // namespace ringside::bench
