#include "epoll_broadcast.hpp"

#include <array>
#include <cstring>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "served.hpp"

#include "ringside/net/frame.hpp"

namespace ringside::bench {
namespace {

// Which descriptor an event is for; connections are known by what comes from them: their greeting.
constexpr std::uint64_t listener = ~std::uint64_t{0};
constexpr std::uint64_t orders = listener - 1;

std::vector<std::byte> message_of(std::uint32_t bytes) {
    std::vector<std::byte> message(bytes, std::byte{42});
    const std::uint32_t payload_bytes = bytes - static_cast<std::uint32_t>(frame_prefix_bytes);
    std::memcpy(message.data(), &payload_bytes, sizeof(payload_bytes));
    return message;
}

void be_server(int listening_fd, int order_fd) {
    allow_descriptors();
    const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    const auto watch = [&](int fd, std::uint64_t data) {
        epoll_event event{.events = EPOLLIN, .data = {.u64 = data}};
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    };
    watch(listening_fd, listener);
    watch(order_fd, orders);
    std::vector<int> connections;
    std::array<epoll_event, 256> events{};
    std::array<std::byte, 4096> greeting;
    for (;;) {
        const int count = epoll_wait(epoll_fd, events.data(), events.size(), -1);
        for (int i = 0; i < count; ++i) {
            const std::uint64_t what = events[static_cast<std::size_t>(i)].data.u64;
            if (what == listener) {
                const int fd = accept4(listening_fd, nullptr, nullptr, SOCK_NONBLOCK);
                if (fd >= 0) {
                    watch(fd, static_cast<std::uint64_t>(fd));
                    connections.push_back(fd);
                }
            } else if (what == orders) {
                std::uint32_t bytes = 0;
                if (read(order_fd, &bytes, sizeof(bytes)) != sizeof(bytes)) {
                    return;
                }
                const auto message = message_of(bytes);
                for (const int fd : connections) {
                    (void)send(fd, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
                }
            } else {
                (void)recv(static_cast<int>(what), greeting.data(), greeting.size(), 0);
            }
        }
    }
}

}  // namespace

Result<EpollBroadcast> EpollBroadcast::start() {
    Endpoint endpoint{.host = "127.0.0.1", .port = 0, .unix_path = {}};
    const auto fd = listen_on(endpoint);
    if (!fd) {
        return std::unexpected(fd.error());
    }
    const int on = 1;
    (void)setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    endpoint.port = bound_port(*fd);
    std::array<int, 2> order{};
    if (pipe(order.data()) != 0) {
        return errno_failure("cannot make a pipe");
    }
    EpollBroadcast rival;
    rival.endpoint_ = endpoint;
    rival.order_fd_ = order[1];
    auto forked = rival.process_->fork_one([&] {
        close(order[1]);
        be_server(*fd, order[0]);
    });
    close(order[0]);
    close(*fd);
    if (!forked) {
        return std::unexpected(std::move(forked.error()));
    }
    return rival;
}

EpollBroadcast::~EpollBroadcast() {
    if (process_ != nullptr) {
        close(order_fd_);
    }
}

void EpollBroadcast::broadcast(std::uint32_t message_bytes) {
    (void)!write(order_fd_, &message_bytes, sizeof(message_bytes));
}

}  // namespace ringside::bench
