// Who a peer is: of a connection, as typed, within a range, behind a proxy.

#include "ringside/net/peer_address.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace ringside;

TEST_CASE("peer address: IPv4, mapped or not, an IPv6 network, or nobody", "[net]") {
    const auto peer_of_connection = [](int family, const sockaddr* bound, socklen_t bytes,
                                       const sockaddr_in* other = nullptr) {
        const int listening = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        REQUIRE(bind(listening, bound, bytes) == 0);
        REQUIRE(listen(listening, 1) == 0);
        sockaddr_in6 address{};
        socklen_t size = sizeof address;
        REQUIRE(getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size) == 0);
        sockaddr_in v4 = other != nullptr ? *other : sockaddr_in{};
        v4.sin_port = address.sin6_port;
        const int client =
            socket(other != nullptr ? AF_INET : family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const auto* to = other != nullptr ? reinterpret_cast<const sockaddr*>(&v4)
                                          : reinterpret_cast<const sockaddr*>(&address);
        REQUIRE(connect(client, to, other != nullptr ? sizeof v4 : size) == 0);
        const int accepted = accept(listening, nullptr, nullptr);
        const PeerAddress peer = peer_address_of(accepted);
        for (const int fd : {listening, client, accepted}) {
            close(fd);
        }
        return peer;
    };
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const PeerAddress plain =
        peer_of_connection(AF_INET, reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
    CHECK(is_loopback(plain));
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    CHECK(peer_of_connection(AF_INET6, reinterpret_cast<const sockaddr*>(&any), sizeof any, &v4) ==
          plain);
    any.sin6_addr = in6addr_loopback;
    CHECK(peer_of_connection(AF_INET6, reinterpret_cast<const sockaddr*>(&any), sizeof any) ==
          plain);
    int pair[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    CHECK(peer_address_of(pair[0]) == PeerAddress::none);
    close(pair[0]);
    close(pair[1]);
    CHECK_FALSE(is_loopback(PeerAddress{0x2001'0db8'0000'0000}));
}

TEST_CASE("peer address: what is printed is read back", "[net]") {
    const auto printed = [](const char* typed) {
        const auto address = parse_peer_address(typed);
        REQUIRE(address.has_value());
        CHECK(parse_peer_address(text_of(*address)) == address);
        return text_of(*address);
    };
    CHECK(printed("203.0.113.7") == "203.0.113.7");
    CHECK(printed("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
    CHECK(printed("2001:db8:1:2::/64") == "2001:db8:1:2::/64");
    CHECK(printed("::ffff:10.0.0.1") == "10.0.0.1");
    CHECK(printed("::1") == "127.0.0.1");
    for (const char* wrong : {"", "unix", "10.0.0", "10.0.0.1/24", "10.0.0.1/64", "2001:db8::/32",
                              "example.org", "::1 ", "::"}) {
        CHECK_FALSE(parse_peer_address(wrong).has_value());
    }
}

TEST_CASE("peer address: ranges", "[net]") {
    const auto in_range = [](const char* range, const char* address) {
        const auto parsed = parse_address_range(range);
        REQUIRE(parsed.has_value());
        const auto peer = parse_peer_address(address);
        return parsed->contains(peer ? *peer : PeerAddress::none);
    };
    CHECK(in_range("10.0.0.0/8", "10.255.3.4"));
    CHECK(in_range("10.1.2.3/8", "10.255.3.4"));  // whatever stands behind the 8 bits
    CHECK_FALSE(in_range("10.0.0.0/8", "11.0.0.1"));
    CHECK(in_range("0.0.0.0/0", "203.0.113.9"));
    CHECK_FALSE(in_range("0.0.0.0/0", "2001:db8::1"));
    CHECK(in_range("203.0.113.9", "203.0.113.9"));
    CHECK_FALSE(in_range("203.0.113.9", "203.0.113.8"));
    CHECK(in_range("127.0.0.0/8", "::1"));
    CHECK(in_range("2001:db8::/32", "2001:db8:ffff::1"));
    CHECK_FALSE(in_range("2001:db8::/32", "2001:db9::1"));
    CHECK(in_range("2001:db8:1:2::/64", "2001:db8:1:2:3::"));
    CHECK(in_range("unix", "a socket has none"));
    CHECK_FALSE(in_range("unix", "10.0.0.1"));
    for (const char* wrong : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/8x", "10.0.0.0/-1",
                              "2001:db8::/65", "example.org", "10.0.0.0/8/8"}) {
        CHECK_FALSE(parse_address_range(wrong).has_value());
    }
}

TEST_CASE("peer address: whom a proxy speaks for", "[net]") {
    const std::vector<AddressRange> proxies{*parse_address_range("10.0.0.0/8"),
                                            *parse_address_range("127.0.0.0/8")};
    const auto client_of = [&](std::string_view header) {
        const auto peer = forwarded_peer(header, proxies);
        return peer ? text_of(*peer) : "";
    };
    CHECK(client_of("203.0.113.9") == "203.0.113.9");
    CHECK(client_of("198.51.100.1, 203.0.113.9") == "203.0.113.9");  // the first may be a lie
    CHECK(client_of("203.0.113.9, 10.1.1.1 ,\t127.0.0.1") == "203.0.113.9");
    CHECK(client_of("2001:db8::1:2") == "2001:db8::/64");
    CHECK(client_of("") == "");
    CHECK(client_of("10.1.1.1") == "");
    CHECK(client_of("unknown, 10.1.1.1") == "");
    CHECK(client_of(", ,") == "");
    CHECK(client_of("203.0.113.9, nonsense") == "");
}
