#include "ringside/ipc/local_host.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <utility>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.hpp"
#include "control.hpp"
#include "instance.hpp"
#include "process.hpp"

#include "ringside/core/invariant.hpp"

namespace ringside {
namespace {

// In the forked child. Tells the other end why it could not start, if so.
[[noreturn]] void be_supervisor(const HostOptions& options, std::span<const GameType* const> types,
                                pid_t parent_pid) {
    int code = exit_code_orphaned;
    if (die_with(parent_pid, SIGTERM)) {
        const auto hosted = run_host(options, types, [](FrontLink) { return 0; }, [] {});
        code = hosted.value_or(exit_code_failed);
        if (!hosted) {
            ControlPacket packet{.kind = ControlKind::failed};
            copy_text(packet.text, sizeof(packet.text), hosted.error().text());
            static_cast<void>(send_packet(options.external_front_fd, packet));
        }
    }
    std::fflush(nullptr);
    _exit(code);
}

Result<FrontLink> attach_when_ready(int control_fd, std::string path) {
    ControlPacket packet;
    const Received received = receive_packet(control_fd, packet);
    if (received == Received::packet && packet.kind == ControlKind::ready) {
        return FrontLink::attach({.instance_path = std::move(path),
                                  .slot = 0,
                                  .epoch = packet.front_epoch,
                                  .control_fd = control_fd,
                                  .wake_fd = -1});
    }
    return failure(std::errc::connection_aborted,
                   received == Received::packet ? packet.text : "the supervisor died at its start");
}

}  // namespace

LocalHost::LocalHost(pid_t supervisor_pid, FrontLink front) noexcept
    : supervisor_pid_(supervisor_pid), front_(std::move(front)) {}

LocalHost::LocalHost(LocalHost&& other) noexcept
    : supervisor_pid_(std::exchange(other.supervisor_pid_, 0)), front_(std::move(other.front_)) {}

LocalHost::~LocalHost() {
    if (supervisor_pid_ > 0) {
        kill(supervisor_pid_, SIGTERM);
        while (waitpid(supervisor_pid_, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
}

Result<LocalHost> LocalHost::start(HostOptions options, std::span<const GameType* const> types) {
    auto pair = Channel::make_pair(/*peer_blocks=*/true);
    if (!pair) {
        return std::unexpected(std::move(pair.error()));
    }
    const int ours = pair->second;
    options.fronts = 0;
    options.external_front_fd = pair->first.fd();
    const pid_t parent_pid = getpid();
    const pid_t pid = fork();
    if (pid < 0) {
        close(ours);
        return errno_failure("cannot fork a supervisor");
    }
    if (pid == 0) {
        close(ours);
        pair->first.forget();
        be_supervisor(options, types, parent_pid);
    }
    pair->first = Channel{};
    auto attached = attach_when_ready(ours, instance_path(options.root, options.instance));
    if (!attached) {
        close(ours);
        waitpid(pid, nullptr, 0);  // it stops when its only front goes
        return std::unexpected(std::move(attached.error()));
    }
    set_nonblocking(ours);
    return LocalHost(pid, std::move(*attached));
}

OpenAnswer LocalHost::open(OpenRequest request) {
    invariant(front_.request_open(request), "nothing else is under way on this socket");
    for (;;) {
        pollfd readable{.fd = front_.control_fd(), .events = POLLIN, .revents = 0};
        poll(&readable, 1, -1);
        while (auto message = front_.receive()) {
            if (const auto* answer = std::get_if<OpenAnswer>(&*message)) {
                return *answer;
            }
            if (std::holds_alternative<SupervisorGone>(*message)) {
                return {.request = request.request,
                        .refused = RefuseReason::stopping,
                        .text = "the supervisor has gone",
                        .game = {}};
            }
        }
    }
}

}  // namespace ringside
