#include "operator_socket.hpp"

#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ringside {
namespace {

constexpr int backlog = 8;
// For the question, which is sent right after connecting. The supervisor has other things to do.
constexpr timeval question_wait{.tv_sec = 0, .tv_usec = 20'000};

bool is_operator(int connected_fd) noexcept {
    ucred peer{};
    socklen_t bytes = sizeof(peer);
    return getsockopt(connected_fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

}  // namespace

Result<sockaddr_un> operator_address(const std::string& instance_path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = instance_path + "/operator";
    if (path.size() >= sizeof(address.sun_path)) {
        return failure(std::errc::filename_too_long,
                       fmt::format("'{}' is too long for a socket's name", path));
    }
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
}

Result<OperatorSocket> OperatorSocket::listen(const std::string& instance_path) {
    const auto address = operator_address(instance_path);
    if (!address) {
        return std::unexpected(address.error());
    }
    OperatorSocket made(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (made.fd() < 0 ||
        bind(made.fd(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0 ||
        chmod(address->sun_path, S_IRUSR | S_IWUSR) != 0 || ::listen(made.fd(), backlog) != 0) {
        return errno_failure(fmt::format("cannot listen at {}", address->sun_path));
    }
    return made;
}

OperatorSocket::OperatorSocket(OperatorSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

OperatorSocket& OperatorSocket::operator=(OperatorSocket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

OperatorSocket::~OperatorSocket() {
    if (fd_ >= 0) {
        close(fd_);
    }
}

void OperatorSocket::serve_one(const std::function<void(ControlPacket&)>& answer) const {
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &question_wait, sizeof(question_wait));
    ControlPacket packet;
    if (is_operator(fd) && receive_packet(fd, packet) == Received::packet &&
        packet.kind == ControlKind::ask) {
        answer(packet);
        static_cast<void>(send_packet(fd, packet));  // who has gone hears no answer
    }
    close(fd);
}

}  // namespace ringside
