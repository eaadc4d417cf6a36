#pragma once
// Channel: the supervisor's end of a control socket, with the packets that did not fit yet. The
// supervisor never blocks on a front or a nursery that does not read.

#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "control.hpp"

#include "ringside/core/result.hpp"

namespace ringside {

/// Switches O_NONBLOCK on.
void set_nonblocking(int fd) noexcept;

class Channel {
public:
    Channel() noexcept = default;
    explicit Channel(int socket) noexcept : socket_(socket) {}
    Channel(Channel&& other) noexcept;
    Channel& operator=(Channel&& other) noexcept;
    ~Channel();

    /// A connected pair: ours (non-blocking) and the peer's.
    [[nodiscard]] static Result<std::pair<Channel, int>> make_pair(bool peer_blocks);

    /// Leaves the socket open for somebody else who has its number.
    void forget() noexcept { socket_ = -1; }

    [[nodiscard]] int fd() const noexcept { return socket_; }
    [[nodiscard]] bool waiting() const noexcept { return !queued_.empty(); }

    /// Sends now or queues. With a path, that file's descriptor goes along.
    void send(const ControlPacket& packet, std::string file_to_pass = {});

    /// Sends what was queued, as far as the socket takes it.
    void flush();

    [[nodiscard]] Received receive(ControlPacket& packet) noexcept {
        return receive_packet(socket_, packet);
    }

private:
    struct Queued {
        ControlPacket packet;
        std::string file_to_pass;
    };
    [[nodiscard]] Sent try_send(const Queued& queued) const noexcept;

    int socket_ = -1;
    std::deque<Queued> queued_;
};

}  // namespace ringside
