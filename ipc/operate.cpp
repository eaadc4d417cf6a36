#include "ringside/ipc/operate.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.hpp"
#include "instance.hpp"
#include "operator_socket.hpp"

#include "ringside/core/game_name.hpp"

namespace ringside {
namespace {

constexpr int answer_ms_max = 10'000;

class Socket {
public:
    explicit Socket(int opened) noexcept : fd(opened) {}
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket() {
        if (fd >= 0) {
            close(fd);
        }
    }
    const int fd;
};

}  // namespace

Result<std::string> ask_host(const std::string& root, const std::string& instance,
                             const OperatorRequest& request) {
    if (!is_game_name(instance)) {
        return failure(
            std::errc::invalid_argument,
            fmt::format("instance name '{}' refused: like {}", instance, game_name_rule));
    }
    const auto address = operator_address(instance_path(root, instance));
    if (!address) {
        return std::unexpected(address.error());
    }
    const Socket socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (socket.fd < 0 ||
        connect(socket.fd, reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0) {
        if (errno == ENOENT || errno == ECONNREFUSED) {
            return failure(std::errc::no_such_process,
                           fmt::format("no host named '{}' is running here; name another with "
                                       "--instance",
                                       instance));
        }
        return errno_failure(fmt::format("cannot ask the host '{}'", instance));
    }
    ControlPacket packet{.kind = ControlKind::ask,
                         .mode = static_cast<std::uint32_t>(request.what)};
    copy_text(packet.name, sizeof(packet.name), request.game);
    if (send_packet(socket.fd, packet) != Sent::yes) {
        return failure(std::errc::connection_reset, "the host went away");
    }
    pollfd readable{.fd = socket.fd, .events = POLLIN, .revents = 0};
    if (poll(&readable, 1, answer_ms_max) <= 0) {
        return failure(std::errc::timed_out, "the host does not answer");
    }
    if (receive_packet(socket.fd, packet) != Received::packet) {
        return failure(std::errc::permission_denied,
                       "refused: only root and the host's own user may ask this");
    }
    if (packet.reason != 0) {
        return failure(std::error_code{}, packet.text);
    }
    return std::string(packet.text);
}

}  // namespace ringside
