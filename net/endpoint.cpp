#include "ringside/net/endpoint.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace ringside {
namespace {

// The kernel caps it at net.core.somaxconn; a join storm of thousands should not meet a full queue.
constexpr int backlog = 4096;

struct AddressList {
    addrinfo* first = nullptr;
    AddressList() = default;
    AddressList(const AddressList&) = delete;
    AddressList& operator=(const AddressList&) = delete;
    ~AddressList() {
        if (first != nullptr) {
            freeaddrinfo(first);
        }
    }
};

Result<void> resolve(const Endpoint& endpoint, int flags, AddressList& list) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags | AI_NUMERICSERV;
    const std::string port = std::to_string(endpoint.port);
    const char* host = endpoint.host.empty() ? nullptr : endpoint.host.c_str();
    if (const int code = getaddrinfo(host, port.c_str(), &hints, &list.first); code != 0) {
        return failure(std::error_code{},
                       fmt::format("address '{}' cannot be used ({}); give a name or address that "
                                   "this machine knows",
                                   endpoint.host, gai_strerror(code)));
    }
    return {};
}

Result<sockaddr_un> unix_address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof(address.sun_path)) {
        return failure(std::errc::filename_too_long,
                       fmt::format("unix socket path '{}' has {} bytes, of 1 to {}", path,
                                   path.size(), sizeof(address.sun_path) - 1));
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

const sockaddr* generic(const sockaddr_un& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

// What stands at a Unix socket's path that cannot be bound.
enum class PathHolder { stale_socket, listener, other };

PathHolder holder_of(const std::string& path, const sockaddr_un& address) {
    struct stat file{};
    if (lstat(path.c_str(), &file) != 0 || !S_ISSOCK(file.st_mode)) {
        return PathHolder::other;  // connect would call it "refused" too, and it may be dear
    }
    // Non-blocking: a listener whose queue is full would hold a blocking connect for good.
    const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const bool refused =
        probe >= 0 && connect(probe, generic(address), sizeof(address)) != 0 &&
        errno == ECONNREFUSED;  // no other failure says that nobody listens: EAGAIN, EACCES
    if (probe >= 0) {
        close(probe);
    }
    return refused ? PathHolder::stale_socket : PathHolder::listener;
}

/// Makes way for a Unix socket where a killed host left its own.
Result<void> clear_path(const Endpoint& endpoint, const sockaddr_un& address) {
    switch (holder_of(endpoint.unix_path, address)) {
        case PathHolder::stale_socket: break;
        case PathHolder::listener:
            return failure(std::errc::address_in_use,
                           fmt::format("somebody listens on {} already; choose another path",
                                       endpoint.text()));
        case PathHolder::other:
            return failure(std::errc::file_exists,
                           fmt::format("cannot listen on {}: what is there is no socket; choose "
                                       "another path",
                                       endpoint.text()));
    }
    if (unlink(endpoint.unix_path.c_str()) != 0) {
        return errno_failure(fmt::format("cannot replace the unused socket {}", endpoint.text()));
    }
    return {};
}

Result<int> listen_unix(const Endpoint& endpoint) {
    const auto address = unix_address(endpoint.unix_path);
    if (!address) {
        return std::unexpected(address.error());
    }
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int bound = bind(fd, generic(*address), sizeof(*address));
    if (bound != 0 && errno == EADDRINUSE) {
        if (auto cleared = clear_path(endpoint, *address); !cleared) {
            close(fd);
            return std::unexpected(std::move(cleared.error()));
        }
        bound = bind(fd, generic(*address), sizeof(*address));
    }
    if (bound != 0 || listen(fd, backlog) != 0) {
        auto error = errno_failure(fmt::format("cannot listen on {}", endpoint.text()));
        close(fd);
        return error;
    }
    return fd;
}

Result<int> listen_tcp(const Endpoint& endpoint) {
    AddressList addresses;
    if (auto resolved = resolve(endpoint, AI_PASSIVE, addresses); !resolved) {
        return std::unexpected(std::move(resolved.error()));
    }
    // With no host, the IPv6 wildcard takes IPv4 too; where there is no IPv6, the IPv4 one is next.
    const addrinfo* address = addresses.first;
    if (endpoint.host.empty()) {
        for (const addrinfo* next = address; next != nullptr; next = next->ai_next) {
            if (next->ai_family == AF_INET6) {
                address = next;
            }
        }
    }
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 && errno == EAFNOSUPPORT && endpoint.host.empty()) {
        address = addresses.first;
        fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    }
    if (fd < 0) {
        return errno_failure(fmt::format("cannot make a socket for {}", endpoint.text()));
    }
    const int on = 1;
    const int both = endpoint.host.empty() ? 0 : 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));  // restart over TIME_WAIT
    if (address->ai_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &both, sizeof(both));
    }
    if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, backlog) != 0) {
        const bool in_use = errno == EADDRINUSE;
        auto error = errno_failure(fmt::format(
            "cannot listen on {}{}", endpoint.text(),
            in_use ? " (another program has this port: stop it, or choose another one with --port "
                     "or --listen; `ringside list` shows whether it is a host)"
                   : ""));
        close(fd);
        return error;
    }
    return fd;
}

Result<void> finish_connect(int fd, const sockaddr* address, socklen_t bytes,
                            std::chrono::milliseconds timeout) {
    if (connect(fd, address, bytes) == 0) {
        return {};
    }
    if (errno != EINPROGRESS) {
        return errno_failure("");
    }
    pollfd writable{.fd = fd, .events = POLLOUT, .revents = 0};
    int count = 0;
    do {
        count = poll(&writable, 1, static_cast<int>(timeout.count()));
    } while (count < 0 && errno == EINTR);
    if (count == 0) {
        return failure(std::errc::timed_out, "");
    }
    int code = 0;
    socklen_t code_bytes = sizeof(code);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &code_bytes);
    if (code != 0) {
        return failure(std::error_code(code, std::generic_category()), "");
    }
    return {};
}

Result<int> connect_address(int family, const sockaddr* address, socklen_t bytes,
                            std::chrono::milliseconds timeout) {
    const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno_failure("cannot make a socket");
    }
    if (auto connected = finish_connect(fd, address, bytes, timeout); !connected) {
        close(fd);
        return std::unexpected(std::move(connected.error()));
    }
    if (family != AF_UNIX) {
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    return fd;
}

std::unexpected<Error> connect_failure(const Endpoint& endpoint, const Error& last) {
    return failure(last.code,
                   fmt::format("cannot connect to {} (is a host running there? `ringside serve` "
                               "starts one)",
                               endpoint.text()));
}

Result<std::uint16_t> parse_port(std::string_view text) {
    unsigned port = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (code != std::errc{} || end != text.data() + text.size() || port > 65535) {
        return failure(std::errc::invalid_argument,
                       fmt::format("port '{}' is not a number from 0 to 65535", text));
    }
    return static_cast<std::uint16_t>(port);
}

}  // namespace

Result<Endpoint> Endpoint::parse(std::string_view text) {
    constexpr std::string_view unix_prefix = "unix:";
    Endpoint endpoint;
    if (text.starts_with(unix_prefix)) {
        endpoint.unix_path = text.substr(unix_prefix.size());
        if (auto address = unix_address(endpoint.unix_path); !address) {
            return std::unexpected(address.error());
        }
        return endpoint;
    }
    std::string_view port;
    if (text.starts_with('[')) {
        const std::size_t close_at = text.find(']');
        const std::string_view rest =
            close_at == std::string_view::npos ? "?" : text.substr(close_at + 1);
        if (!rest.empty() && !rest.starts_with(':')) {
            return failure(std::errc::invalid_argument,
                           fmt::format("address '{}' is not like [::1]:8766", text));
        }
        endpoint.host = text.substr(1, close_at - 1);
        port = rest.empty() ? rest : rest.substr(1);
    } else if (const std::size_t colon = text.find(':');
               colon != std::string_view::npos && colon == text.rfind(':')) {
        endpoint.host = text.substr(0, colon);
        port = text.substr(colon + 1);
    } else {
        endpoint.host = text;  // no port, or a bare IPv6 address
    }
    if (endpoint.host.find_first_of("[]") != std::string::npos) {
        return failure(std::errc::invalid_argument,
                       fmt::format("address '{}' is not like [::1]:8766", text));
    }
    if (!port.empty()) {
        const auto number = parse_port(port);
        if (!number) {
            return std::unexpected(number.error());
        }
        endpoint.port = *number;
    }
    return endpoint;
}

std::string Endpoint::text() const {
    if (!unix_path.empty()) {
        return "unix:" + unix_path;
    }
    return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                               : fmt::format("[{}]:{}", host, port);
}

Result<int> listen_on(const Endpoint& endpoint) {
    return endpoint.unix_path.empty() ? listen_tcp(endpoint) : listen_unix(endpoint);
}

std::uint16_t bound_port(int listening_fd) noexcept {
    sockaddr_storage address{};
    socklen_t bytes = sizeof(address);
    if (getsockname(listening_fd, reinterpret_cast<sockaddr*>(&address), &bytes) != 0) {
        return 0;
    }
    if (address.ss_family == AF_INET6) {
        return ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
    }
    return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

Endpoint bound_endpoint(int listening_fd) {
    sockaddr_storage address{};
    socklen_t bytes = sizeof(address);
    Endpoint endpoint{.port = bound_port(listening_fd)};
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (getsockname(listening_fd, reinterpret_cast<sockaddr*>(&address), &bytes) != 0) {
        return endpoint;
    }
    if (address.ss_family == AF_UNIX) {
        endpoint.unix_path = reinterpret_cast<const sockaddr_un*>(&address)->sun_path;
        return endpoint;
    }
    const auto& ipv6 = reinterpret_cast<const sockaddr_in6*>(&address)->sin6_addr;
    const auto& ipv4 = reinterpret_cast<const sockaddr_in*>(&address)->sin_addr;
    const bool is_ipv6 = address.ss_family == AF_INET6;
    if (is_ipv6 ? IN6_IS_ADDR_UNSPECIFIED(&ipv6) : ipv4.s_addr == INADDR_ANY) {
        return endpoint;  // every address
    }
    inet_ntop(address.ss_family, is_ipv6 ? static_cast<const void*>(&ipv6) : &ipv4, text.data(),
              text.size());
    endpoint.host = text.data();
    return endpoint;
}

Result<int> connect_to(const Endpoint& endpoint, std::chrono::milliseconds timeout) {
    if (!endpoint.unix_path.empty()) {
        const auto address = unix_address(endpoint.unix_path);
        if (!address) {
            return std::unexpected(address.error());
        }
        auto fd = connect_address(AF_UNIX, generic(*address), sizeof(*address), timeout);
        return fd ? fd : Result<int>(connect_failure(endpoint, fd.error()));
    }
    AddressList addresses;
    if (auto resolved = resolve(endpoint, 0, addresses); !resolved) {
        return std::unexpected(std::move(resolved.error()));
    }
    Error last{};
    for (const addrinfo* next = addresses.first; next != nullptr; next = next->ai_next) {
        auto fd = connect_address(next->ai_family, next->ai_addr, next->ai_addrlen, timeout);
        if (fd) {
            return fd;
        }
        last = fd.error();
    }
    return connect_failure(endpoint, last);
}

}  // namespace ringside
