#include "epoll_echo.hpp"

#include <array>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "served.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/histogram.hpp"

namespace ringside::bench {
namespace {

void no_delay(int fd) {
    const int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void watch(int epoll_fd, int fd, std::uint64_t data) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = data}};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

void be_server(int listening_fd) {
    allow_descriptors();
    const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll_fd, listening_fd, static_cast<std::uint64_t>(listening_fd));
    std::array<epoll_event, 256> events{};
    std::array<std::byte, 4096> buffer;
    for (;;) {
        const int count = epoll_wait(epoll_fd, events.data(), events.size(), -1);
        for (int i = 0; i < count; ++i) {
            const int fd = static_cast<int>(events[static_cast<std::size_t>(i)].data.u64);
            if (fd == listening_fd) {
                const int accepted = accept4(listening_fd, nullptr, nullptr, SOCK_NONBLOCK);
                watch(epoll_fd, accepted, static_cast<std::uint64_t>(accepted));
                continue;
            }
            const ssize_t bytes = recv(fd, buffer.data(), buffer.size(), 0);
            if (bytes > 0) {
                (void)send(fd, buffer.data(), static_cast<std::size_t>(bytes), MSG_NOSIGNAL);
            } else {
                close(fd);
            }
        }
    }
}

struct EchoClient {
    int fd;
    std::uint32_t left_bytes;
    std::int64_t sent_ns;
};

}  // namespace

Result<EpollEcho> EpollEcho::start() {
    Endpoint endpoint{.host = "127.0.0.1", .port = 0, .unix_path = {}};
    const auto fd = listen_on(endpoint);
    if (!fd) {
        return std::unexpected(fd.error());
    }
    no_delay(*fd);
    endpoint.port = bound_port(*fd);
    EpollEcho echo;
    echo.endpoint_ = endpoint;
    auto forked = echo.process_->fork_one([&] { be_server(*fd); });
    close(*fd);
    if (!forked) {
        return std::unexpected(std::move(forked.error()));
    }
    return echo;
}

Result<EchoOutcome> run_echo_clients(const Endpoint& endpoint, const EchoClients& clients) {
    const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    std::vector<EchoClient> all;
    const std::vector<std::byte> message(clients.bytes, std::byte{42});
    const auto say = [&](EchoClient& client, std::int64_t now_ns) {
        client.left_bytes = clients.bytes;
        client.sent_ns = now_ns;
        (void)send(client.fd, message.data(), message.size(), MSG_NOSIGNAL);
    };
    for (std::uint32_t i = 0; i < clients.connections; ++i) {
        const auto fd = connect_to(endpoint, std::chrono::seconds(5));
        if (!fd) {
            return std::unexpected(fd.error());
        }
        no_delay(*fd);
        all.push_back({.fd = *fd, .left_bytes = 0, .sent_ns = 0});
        watch(epoll_fd, *fd, i);
    }
    Histogram latency;
    EchoOutcome outcome;
    const std::int64_t begin_ns = monotonic_ns();
    std::int64_t now_ns = begin_ns;
    for (EchoClient& client : all) {
        say(client, now_ns);
    }
    std::array<epoll_event, 256> events{};
    std::array<std::byte, 4096> buffer;
    while (now_ns - begin_ns < clients.time_ns) {
        const int count = epoll_wait(epoll_fd, events.data(), events.size(), 1'000);
        now_ns = monotonic_ns();
        for (int i = 0; i < count; ++i) {
            EchoClient& client = all[events[static_cast<std::size_t>(i)].data.u64];
            const ssize_t bytes = recv(client.fd, buffer.data(), buffer.size(), 0);
            client.left_bytes -= bytes > 0 ? static_cast<std::uint32_t>(bytes) : 0;
            if (client.left_bytes == 0) {
                latency.record(static_cast<std::uint64_t>(now_ns - client.sent_ns));
                ++outcome.echoes;
                say(client, now_ns);
            }
        }
    }
    for (const EchoClient& client : all) {
        close(client.fd);
    }
    close(epoll_fd);
    outcome.seconds = static_cast<double>(now_ns - begin_ns) / 1e9;
    outcome.p50_us = static_cast<double>(latency.quantile(0.5)) / 1e3;
    outcome.p99_us = static_cast<double>(latency.quantile(0.99)) / 1e3;
    return outcome;
}

}  // namespace ringside::bench
