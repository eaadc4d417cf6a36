#pragma once
// PeerAddress: whom limits per address count as one: an IPv4 address, or the /64 network of an IPv6
// one, because that is what one subscriber has.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// Addresses that begin alike.
struct AddressRange {
    std::uint64_t first = 0;
    std::uint64_t mask = 0;  // of the bits that count

    [[nodiscard]] bool contains(PeerAddress address) const noexcept {
        return (static_cast<std::uint64_t>(address) & mask) == first;
    }
};

/// "10.0.0.0/8", "2001:db8::/32" (up to /64), one address, or "unix" for Unix sockets.
[[nodiscard]] std::optional<AddressRange> parse_address_range(const std::string& text);

/// Whom a proxy speaks for: the last address of X-Forwarded-For that is none of `proxies`, because
/// what stands before it anybody may have written. Nothing when there is no such address.
[[nodiscard]] std::optional<PeerAddress> forwarded_peer(std::string_view forwarded_for,
                                                        const std::vector<AddressRange>& proxies);

}  // namespace ringside
