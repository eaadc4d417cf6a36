#pragma once
// NetworkSimulator: a bad network between a front and its clients.
//
// A thread of its own stands between the two, so that what the front does is what it always does:
// it is given one end of a socket pair for each connection, and the thread carries bytes between
// the other end and the client, piece by piece, in order. A piece that is "lost" comes after TCP's
// retransmission timeout, and all behind it wait. Needs three descriptors a connection, and is not
// made for thousands of them.

#include <thread>
#include <utility>

#include "ringside/core/result.hpp"
#include "ringside/net/network_conditions.hpp"

namespace ringside {

class NetworkSimulator {
public:
    [[nodiscard]] static Result<NetworkSimulator> start(const NetworkConditions&);

    NetworkSimulator(NetworkSimulator&&) noexcept;
    NetworkSimulator& operator=(NetworkSimulator&&) = delete;
    /// Delivers what is on its way, for two round trips at most, and closes all connections.
    ~NetworkSimulator();

    /// The front's end of a connection with a client, whose socket is taken. Negative: there are no
    /// descriptors, and the client's socket is closed.
    [[nodiscard]] int connect(int client_fd) noexcept;

private:
    NetworkSimulator(int links_fd, std::thread thread) noexcept
        : links_fd_(links_fd), thread_(std::move(thread)) {}

    int links_fd_;  // a pipe to the thread; closed: it ends
    std::thread thread_;
};

}  // namespace ringside
