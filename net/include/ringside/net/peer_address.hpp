#pragma once
// PeerAddress: whom limits per address count as one: an IPv4 address, or the /64 network of an IPv6
// one, because that is what one subscriber has.

#include <cstdint>
#include <optional>
#include <string>

namespace ringside {

enum class PeerAddress : std::uint64_t {
    none = 0,  // a Unix socket: its file's permissions say who may connect
};

[[nodiscard]] PeerAddress peer_address_of(int connected_fd) noexcept;

/// "10.0.0.5", "2001:db8:1:2::/64" or "unix".
[[nodiscard]] std::string text_of(PeerAddress);

/// Of an address that somebody types; an IPv6 one stands for its /64.
[[nodiscard]] std::optional<PeerAddress> parse_peer_address(const std::string& text);

/// Whether it is this machine itself: load generators, proxies, tests.
[[nodiscard]] bool is_loopback(PeerAddress) noexcept;

}  // namespace ringside
