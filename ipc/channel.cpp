#include "channel.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ringside {

void set_nonblocking(int fd) noexcept {
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

Channel::Channel(Channel&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), queued_(std::move(other.queued_)) {}

Channel& Channel::operator=(Channel&& other) noexcept {
    std::swap(socket_, other.socket_);
    std::swap(queued_, other.queued_);
    return *this;
}

Channel::~Channel() {
    if (socket_ >= 0) {
        close(socket_);
    }
}

Result<std::pair<Channel, int>> Channel::make_pair(bool peer_blocks) {
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
        return errno_failure("cannot make a control socket");
    }
    set_nonblocking(sockets[0]);
    if (!peer_blocks) {
        set_nonblocking(sockets[1]);
    }
    return std::pair{Channel(sockets[0]), sockets[1]};
}

Sent Channel::try_send(const Queued& queued) const noexcept {
    if (queued.file_to_pass.empty()) {
        return send_packet(socket_, queued.packet);
    }
    const int fd = open(queued.file_to_pass.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return errno == EMFILE || errno == ENFILE ? Sent::full : Sent::gone;
    }
    const Sent sent = send_packet(socket_, queued.packet, fd);
    close(fd);
    return sent;
}

void Channel::send(const ControlPacket& packet, std::string file_to_pass) {
    queued_.push_back({packet, std::move(file_to_pass)});
    flush();
}

void Channel::flush() {
    while (!queued_.empty()) {
        // Gone: the peer's death is noticed by SIGCHLD, and whoever replaces it is asked anew.
        if (try_send(queued_.front()) == Sent::full) {
            return;
        }
        queued_.pop_front();
    }
}

}  // namespace ringside
