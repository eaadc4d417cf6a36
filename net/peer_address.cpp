#include "ringside/net/peer_address.hpp"

#include <cstring>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace ringside {
namespace {

// No /64 that is routed anywhere begins with these 32 bits.
constexpr std::uint64_t ipv4_mark = 0x0000'ffff;

PeerAddress ipv4(std::uint32_t address) noexcept {
    return PeerAddress{ipv4_mark << 32 | address};
}

PeerAddress ipv6(const in6_addr& v6) noexcept {
    if (IN6_IS_ADDR_LOOPBACK(&v6)) {
        return ipv4(INADDR_LOOPBACK);
    }
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
        std::uint32_t mapped = 0;
        std::memcpy(&mapped, v6.s6_addr + 12, sizeof mapped);
        return ipv4(ntohl(mapped));
    }
    std::uint64_t network = 0;
    for (int i = 0; i < 8; ++i) {
        network = network << 8 | v6.s6_addr[i];
    }
    return PeerAddress{network};
}

}  // namespace

PeerAddress peer_address_of(int connected_fd) noexcept {
    sockaddr_storage address{};
    socklen_t bytes = sizeof address;
    if (::getpeername(connected_fd, reinterpret_cast<sockaddr*>(&address), &bytes) != 0) {
        return PeerAddress::none;  // gone already
    }
    switch (address.ss_family) {
        case AF_INET:
            return ipv4(ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr));
        case AF_INET6: return ipv6(reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
        default: return PeerAddress::none;
    }
}

std::string text_of(PeerAddress address) {
    const auto bits = static_cast<std::uint64_t>(address);
    char text[INET6_ADDRSTRLEN] = {};
    if (address == PeerAddress::none) {
        return "unix";
    }
    if (bits >> 32 == ipv4_mark) {
        const in_addr v4{.s_addr = htonl(static_cast<std::uint32_t>(bits))};
        ::inet_ntop(AF_INET, &v4, text, sizeof text);
        return text;
    }
    in6_addr v6{};
    for (unsigned i = 0; i < 8; ++i) {
        v6.s6_addr[i] = static_cast<std::uint8_t>(bits >> (56 - 8 * i));
    }
    ::inet_ntop(AF_INET6, &v6, text, sizeof text);
    return std::string(text) + "/64";
}

std::optional<PeerAddress> parse_peer_address(const std::string& text) {
    constexpr std::string_view network = "/64";
    const bool is_network = text.ends_with(network);
    const std::string address = is_network ? text.substr(0, text.size() - network.size()) : text;
    in_addr v4{};
    in6_addr v6{};
    if (!is_network && ::inet_pton(AF_INET, address.c_str(), &v4) == 1) {
        return ipv4(ntohl(v4.s_addr));
    }
    if (::inet_pton(AF_INET6, address.c_str(), &v6) == 1 && ipv6(v6) != PeerAddress::none) {
        return ipv6(v6);
    }
    return std::nullopt;
}

bool is_loopback(PeerAddress address) noexcept {
    const auto bits = static_cast<std::uint64_t>(address);
    return bits >> 32 == ipv4_mark && (bits >> 24 & 0xff) == IN_LOOPBACKNET;
}

}  // namespace ringside
