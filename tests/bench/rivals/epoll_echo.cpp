#include "epoll_echo.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <deque>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "served.hpp"

#include "ringside/core/clock.hpp"

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

constexpr std::int64_t drain_ns_max = 1'000'000'000;

class Clients {
public:
    explicit Clients(const EchoClients& options)
        : options_(options),
          message_(options.bytes, std::byte{42}),
          period_ns_(options.per_second > 0 ? static_cast<std::int64_t>(1e9 / options.per_second)
                                            : 0) {}
    Clients(const Clients&) = delete;
    Clients& operator=(const Clients&) = delete;
    ~Clients() {
        for (const Client& client : clients_) {
            close(client.fd);
        }
        close(epoll_fd_);
    }

    Result<void> connect(const Endpoint& endpoint) {
        for (std::uint32_t i = 0; i < options_.connections; ++i) {
            const auto fd = connect_to(endpoint, std::chrono::seconds(5));
            if (!fd) {
                return std::unexpected(fd.error());
            }
            no_delay(*fd);
            clients_.push_back({.fd = *fd, .received_bytes = 0, .due_ns = 0, .meant_ns = {}});
            watch(epoll_fd_, *fd, i);
        }
        return {};
    }

    EchoOutcome run() {
        const std::int64_t begin_ns = monotonic_ns();
        end_ns_ = begin_ns + options_.time_ns;
        for (Client& client : clients_) {
            client.due_ns = begin_ns + period_ns_;
            if (period_ns_ == 0) {
                say(client, begin_ns);
            }
        }
        std::int64_t now_ns = begin_ns;
        while (now_ns < end_ns_) {
            now_ns = turn(now_ns, end_ns_);
        }
        outcome_.seconds = static_cast<double>(now_ns - begin_ns) / 1e9;
        const std::uint64_t echoes = outcome_.echoes;
        for (const std::int64_t drained_ns = now_ns + drain_ns_max;
             unanswered_ != 0 && now_ns < drained_ns;) {
            now_ns = turn(now_ns, drained_ns);
        }
        outcome_.echoes = echoes;
        for (const Client& client : clients_) {
            for (const std::int64_t meant_ns : client.meant_ns) {
                outcome_.latency_ns.record(static_cast<std::uint64_t>(now_ns - meant_ns));
            }
        }
        return outcome_;
    }

private:
    struct Client {
        int fd;
        std::uint32_t received_bytes;       // of the next echo
        std::int64_t due_ns;                // open loop
        std::deque<std::int64_t> meant_ns;  // of what has not come back
    };

    void say(Client& client, std::int64_t meant_ns) {
        client.meant_ns.push_back(meant_ns);
        ++unanswered_;
        (void)send(client.fd, message_.data(), message_.size(), MSG_NOSIGNAL);
    }

    /// Says what is due before the end; returns when the next is.
    std::int64_t say_due(std::int64_t now_ns) {
        std::int64_t next_ns = end_ns_;
        for (Client& client : clients_) {
            for (; client.due_ns <= now_ns && client.due_ns < end_ns_;
                 client.due_ns += period_ns_) {
                say(client, client.due_ns);
            }
            next_ns = std::min(next_ns, client.due_ns);
        }
        return next_ns;
    }

    std::int64_t turn(std::int64_t now_ns, std::int64_t deadline_ns) {
        if (period_ns_ != 0 && now_ns < end_ns_) {
            deadline_ns = std::min(deadline_ns, say_due(now_ns));
        }
        const std::int64_t wait_ns = std::max<std::int64_t>(deadline_ns - monotonic_ns(), 0);
        const timespec wait{.tv_sec = wait_ns / 1'000'000'000, .tv_nsec = wait_ns % 1'000'000'000};
        const int count = epoll_pwait2(epoll_fd_, events_.data(), static_cast<int>(events_.size()),
                                       &wait, nullptr);
        now_ns = monotonic_ns();
        for (int i = 0; i < count; ++i) {
            hear(clients_[events_[static_cast<std::size_t>(i)].data.u64], now_ns);
        }
        return now_ns;
    }

    void hear(Client& client, std::int64_t now_ns) {
        const ssize_t bytes = recv(client.fd, buffer_.data(), buffer_.size(), 0);
        client.received_bytes += bytes > 0 ? static_cast<std::uint32_t>(bytes) : 0;
        for (; client.received_bytes >= options_.bytes && !client.meant_ns.empty();
             client.received_bytes -= options_.bytes) {
            outcome_.latency_ns.record(
                static_cast<std::uint64_t>(now_ns - client.meant_ns.front()));
            client.meant_ns.pop_front();
            --unanswered_;
            ++outcome_.echoes;
            if (period_ns_ == 0 && now_ns < end_ns_) {
                say(client, now_ns);
            }
        }
    }

    const EchoClients& options_;
    const std::vector<std::byte> message_;
    const std::int64_t period_ns_;
    std::int64_t end_ns_ = 0;
    const int epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
    std::vector<Client> clients_;
    std::uint64_t unanswered_ = 0;
    EchoOutcome outcome_;
    std::array<epoll_event, 256> events_{};
    std::array<std::byte, 4096> buffer_{};
};

}  // namespace

Result<EpollEcho> EpollEcho::start(Place place) {
    Endpoint endpoint{.host = "127.0.0.1", .port = 0, .unix_path = {}};
    const auto fd = listen_on(endpoint);
    if (!fd) {
        return std::unexpected(fd.error());
    }
    no_delay(*fd);
    endpoint.port = bound_port(*fd);
    EpollEcho echo;
    echo.endpoint_ = endpoint;
    auto forked = echo.process_->fork_one([&] {
        if (const auto there = go_to(place); !there) {
            std::fprintf(stderr, "ringside-bench: %s\n", there.error().text().c_str());
            return;  // who connects is refused
        }
        be_server(*fd);
    });
    close(*fd);
    if (!forked) {
        return std::unexpected(std::move(forked.error()));
    }
    return echo;
}

Result<EchoOutcome> run_echo_clients(const Endpoint& endpoint, const EchoClients& options,
                                     Place place) {
    PlacedProcess process;
    auto started = process.start<EchoOutcome>(place, [&]() -> Result<EchoOutcome> {
        allow_descriptors();
        Clients clients(options);
        if (auto connected = clients.connect(endpoint); !connected) {
            return std::unexpected(std::move(connected.error()));
        }
        return clients.run();
    });
    if (!started) {
        return std::unexpected(std::move(started.error()));
    }
    return process.outcome<EchoOutcome>();
}

}  // namespace ringside::bench
