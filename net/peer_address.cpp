#include "ringside/net/peer_address.hpp"

#include <algorithm>
#include <charconv>
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

std::optional<AddressRange> parse_address_range(const std::string& text) {
    constexpr std::uint64_t all_bits = ~std::uint64_t{0};
    if (text == "unix") {
        return AddressRange{.first = static_cast<std::uint64_t>(PeerAddress::none),
                            .mask = all_bits};
    }
    const std::size_t slash = std::min(text.find('/'), text.size());
    const auto address = parse_peer_address(text.substr(0, slash));
    if (!address) {
        return std::nullopt;
    }
    const auto bits = static_cast<std::uint64_t>(*address);
    const bool is_ipv4 = bits >> 32 == ipv4_mark;
    const unsigned longest = is_ipv4 ? 32 : 64;
    unsigned length = longest;
    if (slash != text.size()) {
        const char* const end = text.data() + text.size();
        const auto [parsed, error] = std::from_chars(text.data() + slash + 1, end, length);
        if (error != std::errc{} || parsed != end || length > longest) {
            return std::nullopt;
        }
    }
    const unsigned counted = is_ipv4 ? 32 + length : length;
    const std::uint64_t mask = counted == 0 ? 0 : all_bits << (64 - counted);
    return AddressRange{.first = bits & mask, .mask = mask};
}

std::optional<PeerAddress> forwarded_peer(std::string_view forwarded_for,
                                          const std::vector<AddressRange>& proxies) {
    while (!forwarded_for.empty()) {
        const std::size_t comma = forwarded_for.rfind(',');
        const std::size_t begin = comma == std::string_view::npos ? 0 : comma + 1;
        std::string_view text = forwarded_for.substr(begin);
        text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
        text = text.substr(0, text.find_last_not_of(" \t") + 1);
        const auto address = parse_peer_address(std::string(text));
        if (!address) {
            return std::nullopt;
        }
        const bool is_proxy = std::ranges::any_of(
            proxies, [&](const AddressRange& range) { return range.contains(*address); });
        if (!is_proxy) {
            return address;
        }
        forwarded_for = forwarded_for.substr(0, begin == 0 ? 0 : begin - 1);
    }
    return std::nullopt;
}

bool is_loopback(PeerAddress address) noexcept {
    const auto bits = static_cast<std::uint64_t>(address);
    return bits >> 32 == ipv4_mark && (bits >> 24 & 0xff) == IN_LOOPBACKNET;
}

}  // namespace ringside
