#pragma once
// Endpoint: where a host listens and a client connects: TCP over IPv4 or IPv6, or a Unix socket.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "ringside/core/limits.hpp"
#include "ringside/core/result.hpp"

namespace ringside {

struct Endpoint {
    std::string host;  // name or address; empty when listening: every address
    std::uint16_t port = port_default;
    std::string unix_path;  // not empty: a Unix socket, and the two above are unused

    /// "example.org:8766", "10.0.0.5", "[::1]:8766", ":8766" or "unix:/run/ringside.sock".
    [[nodiscard]] static Result<Endpoint> parse(std::string_view text);

    [[nodiscard]] std::string text() const;
};

/// A non-blocking listening socket. A port in use and a Unix socket somebody listens on are
/// refused; a Unix socket file that nobody listens on any more is replaced, any other file never.
/// Port 0 takes a free one; see bound_port().
[[nodiscard]] Result<int> listen_on(const Endpoint& endpoint);

/// The port a listening TCP socket has.
[[nodiscard]] std::uint16_t bound_port(int listening_fd) noexcept;

/// Where a listening socket listens.
[[nodiscard]] Endpoint bound_endpoint(int listening_fd);

/// A connected non-blocking socket.
[[nodiscard]] Result<int> connect_to(const Endpoint& endpoint, std::chrono::milliseconds timeout);

}  // namespace ringside
