#include "peer_address.hpp"

#include <cstring>

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

}  // namespace

PeerAddress peer_address_of(int connected_fd) noexcept {
    sockaddr_storage address{};
    socklen_t bytes = sizeof address;
    if (::getpeername(connected_fd, reinterpret_cast<sockaddr*>(&address), &bytes) != 0) {
        return PeerAddress::none;  // gone already
    }
    if (address.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
        return ipv4(ntohl(v4.sin_addr.s_addr));
    }
    if (address.ss_family != AF_INET6) {
        return PeerAddress::none;
    }
    const in6_addr& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
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

bool is_loopback(PeerAddress address) noexcept {
    const auto bits = static_cast<std::uint64_t>(address);
    return bits >> 32 == ipv4_mark && (bits >> 24 & 0xff) == IN_LOOPBACKNET;
}

}  // namespace ringside
