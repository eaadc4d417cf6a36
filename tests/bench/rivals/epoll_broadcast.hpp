#pragma once
// The plain way to send one message to many sockets: accept them all, and send() to each in turn.

#include <cstdint>
#include <memory>
#include <vector>

#include "bare_processes.hpp"

#include "ringside/core/result.hpp"
#include "ringside/net/endpoint.hpp"

namespace ringside::bench {

class EpollBroadcast {
public:
    /// Listens on a free port of loopback, in a process of its own.
    [[nodiscard]] static Result<EpollBroadcast> start();
    EpollBroadcast(EpollBroadcast&&) = default;
    EpollBroadcast& operator=(EpollBroadcast&&) = delete;
    ~EpollBroadcast();

    [[nodiscard]] const Endpoint& endpoint() const noexcept { return endpoint_; }
    [[nodiscard]] pid_t pid() const noexcept { return process_->pids().front(); }

    /// Has a message of so many bytes, prefix included, sent to every connection.
    void broadcast(std::uint32_t message_bytes);

private:
    EpollBroadcast() = default;
    Endpoint endpoint_;
    int order_fd_ = -1;
    std::unique_ptr<BareProcesses> process_ = std::make_unique<BareProcesses>();
};

}  // namespace ringside::bench
