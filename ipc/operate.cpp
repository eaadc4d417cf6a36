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
#include "observe.hpp"
#include "operator_socket.hpp"

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
    if (auto judged = judge_instance_name(instance); !judged) {
        return std::unexpected(std::move(judged.error()));
    }
    const auto address = operator_address(instance_path(root, instance));
    if (!address) {
        return std::unexpected(address.error());
    }
    const Socket socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (socket.fd < 0 ||
        connect(socket.fd, reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0) {
        if (errno == ENOENT || errno == ECONNREFUSED) {
            return no_host(instance);
        }
        return errno_failure(fmt::format("cannot ask the host '{}'", instance));
    }
    ControlPacket packet{.kind = ControlKind::ask,
                         .mode = static_cast<std::uint32_t>(request.what)};
    copy_text(packet.name, sizeof(packet.name), request.game);
    packet.request = request.what == OperatorRequest::What::ban ? request.address : request.session;
    packet.seconds = request.seconds;
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

Result<std::vector<ObservedSession>> observe_sessions(const std::string& root,
                                                      const std::string& instance) {
    const auto host = observe_host(root, instance);
    if (!host) {
        return std::unexpected(host.error());
    }
    const std::string path = instance_path(root, instance);
    std::vector<ObservedSession> found;
    for (std::uint32_t slot = 0; slot < front_slots_max; ++slot) {
        const FrontSlotLine& front = host->layout().front[slot];
        const std::uint32_t epoch = front.epoch.load(std::memory_order_relaxed);
        if (front.pid.load(std::memory_order_relaxed) == 0) {  // a hint: the epoch decides
            continue;
        }
        for (const SessionRecord& record : read_sessions(path, slot, epoch)) {
            ObservedSession session{.record = record, .game = {}};
            DirectoryRecord game;
            if (record.in_game != 0 && record.game.slot < host->games().size() &&
                host->games()[record.game.slot].read(game) && game.epoch == record.game.epoch) {
                session.game.assign(game.name, strnlen(game.name, sizeof(game.name)));
            }
            found.push_back(std::move(session));
        }
    }
    return found;
}

}  // namespace ringside
