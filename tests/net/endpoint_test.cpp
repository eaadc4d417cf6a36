#include "ringside/net/endpoint.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace std::chrono_literals;
using ringside::Endpoint;

namespace {

constexpr auto timeout = 5'000ms;

struct Fd {
    int value = -1;
    explicit Fd(int fd) : value(fd) {}
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { close(value); }
};

Fd listening(const Endpoint& endpoint) {
    const auto fd = ringside::listen_on(endpoint);
    INFO((fd ? "" : fd.error().text()));
    REQUIRE(fd);
    return Fd(*fd);
}

std::string refusal_to_listen(const Endpoint& endpoint) {
    const auto fd = ringside::listen_on(endpoint);
    REQUIRE_FALSE(fd);
    return fd.error().text();
}

// Whether somebody who connects there reaches this listener.
bool reaches(const Endpoint& endpoint, const Fd& listener) {
    const auto client = ringside::connect_to(endpoint, timeout);
    INFO((client ? "" : client.error().text()));
    REQUIRE(client);
    const Fd closed_at_end(*client);
    pollfd incoming{.fd = listener.value, .events = POLLIN, .revents = 0};
    REQUIRE(poll(&incoming, 1, static_cast<int>(timeout.count())) == 1);
    const Fd accepted(accept(listener.value, nullptr, nullptr));
    return accepted.value >= 0;
}

// A folder of this test's own, removed with everything in it.
class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "endpoint-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }

    [[nodiscard]] Endpoint unix_endpoint(const std::string& file) const {
        return {.host = {}, .port = 0, .unix_path = (path_ / file).string()};
    }

private:
    std::filesystem::path path_;
};

}  // namespace

TEST_CASE("endpoint: each way of writing one is read, and written again", "[net][endpoint]") {
    struct Row {
        const char* text;
        const char* host;
        int port;
        const char* again;
    };
    const Row row = GENERATE(values<Row>({{"10.0.0.5:9000", "10.0.0.5", 9000, "10.0.0.5:9000"},
                                          {"example.org", "example.org", 8766, "example.org:8766"},
                                          {"example.org:", "example.org", 8766, "example.org:8766"},
                                          {":9000", "", 9000, ":9000"},
                                          {"", "", 8766, ":8766"},
                                          {"[::1]:9000", "::1", 9000, "[::1]:9000"},
                                          {"[::1]", "::1", 8766, "[::1]:8766"},
                                          {"fe80::1", "fe80::1", 8766, "[fe80::1]:8766"},
                                          {"host:0", "host", 0, "host:0"},
                                          {"host:65535", "host", 65535, "host:65535"}}));
    CAPTURE(row.text);
    const auto endpoint = Endpoint::parse(row.text);
    REQUIRE(endpoint);
    CHECK(endpoint->host == row.host);
    CHECK(endpoint->port == row.port);
    CHECK(endpoint->unix_path.empty());
    CHECK(endpoint->text() == row.again);
}

TEST_CASE("endpoint: a Unix socket's path is taken whole", "[net][endpoint]") {
    const auto endpoint = Endpoint::parse("unix:/run/a:b.sock");
    REQUIRE(endpoint);
    CHECK(endpoint->unix_path == "/run/a:b.sock");
    CHECK(endpoint->text() == "unix:/run/a:b.sock");
}

TEST_CASE("endpoint: what is none is refused with what was wrong", "[net][endpoint]") {
    const std::string text = GENERATE("host:65536", "host:-1", "host:12x", "host: 80", "[::1",
                                      "[::1]9000", "[::1]:x", "unix:");
    CAPTURE(text);
    const auto endpoint = Endpoint::parse(text);
    REQUIRE_FALSE(endpoint);
    CHECK(endpoint.error().code);
    CHECK(endpoint.error().message.find('\'') != std::string::npos);
}

TEST_CASE("endpoint: a Unix path longer than the kernel takes is refused", "[net][endpoint]") {
    const std::string longest = "/tmp/" + std::string(107 - 5, 'x');
    CHECK(Endpoint::parse("unix:" + longest));
    const auto too_long = Endpoint::parse("unix:" + longest + "x");
    REQUIRE_FALSE(too_long);
    CHECK(too_long.error().message.find("108 bytes, of 1 to 107") != std::string::npos);
}

TEST_CASE("endpoint: who connects reaches who listens", "[net][endpoint]") {
    SECTION("over IPv4") {
        const Fd listener = listening({.host = "127.0.0.1", .port = 0, .unix_path = {}});
        const auto port = ringside::bound_port(listener.value);
        CHECK(port != 0);
        CHECK(reaches({.host = "127.0.0.1", .port = port, .unix_path = {}}, listener));
    }
    SECTION("on every address") {
        const Fd listener = listening({.host = {}, .port = 0, .unix_path = {}});
        const auto port = ringside::bound_port(listener.value);
        CHECK(reaches({.host = "127.0.0.1", .port = port, .unix_path = {}}, listener));
        CHECK(reaches({.host = {}, .port = port, .unix_path = {}}, listener));
    }
    SECTION("over a Unix socket") {
        const Folder folder;
        const Endpoint endpoint = folder.unix_endpoint("host.sock");
        const Fd listener = listening(endpoint);
        CHECK(reaches(endpoint, listener));
    }
}

TEST_CASE("endpoint: sockets block nobody and reach no child program", "[net][endpoint]") {
    const Fd listener = listening({.host = "127.0.0.1", .port = 0, .unix_path = {}});
    const auto port = ringside::bound_port(listener.value);
    const auto client =
        ringside::connect_to({.host = "127.0.0.1", .port = port, .unix_path = {}}, timeout);
    REQUIRE(client);
    const Fd closed_at_end(*client);
    for (const int fd : {listener.value, *client}) {
        CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
        CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    }
}

TEST_CASE("endpoint: a port in use is refused with port and cure", "[net][endpoint]") {
    const Fd listener = listening({.host = "127.0.0.1", .port = 0, .unix_path = {}});
    const auto port = ringside::bound_port(listener.value);
    const std::string text =
        refusal_to_listen({.host = "127.0.0.1", .port = port, .unix_path = {}});
    CHECK(text.find(std::to_string(port)) != std::string::npos);
    CHECK(text.find("--port") != std::string::npos);
    CHECK(text.find("ringside list") != std::string::npos);
}

TEST_CASE("endpoint: a Unix socket somebody listens on is refused", "[net][endpoint]") {
    const Folder folder;
    const Endpoint endpoint = folder.unix_endpoint("host.sock");
    const Fd listener = listening(endpoint);
    SECTION("while it accepts") {
        CHECK(refusal_to_listen(endpoint).find("somebody listens") != std::string::npos);
        CHECK(reaches(endpoint, listener));
    }
    SECTION("while its queue is full") {
        REQUIRE(listen(listener.value, 0) == 0);
        const auto waiting = ringside::connect_to(endpoint, timeout);
        REQUIRE(waiting);
        const Fd in_queue(*waiting);
        CHECK(refusal_to_listen(endpoint).find("somebody listens") != std::string::npos);
        const Fd accepted(accept(listener.value, nullptr, nullptr));
        CHECK(accepted.value >= 0);
        CHECK(reaches(endpoint, listener));
    }
}

TEST_CASE("endpoint: a Unix socket left behind is replaced", "[net][endpoint]") {
    const Folder folder;
    const Endpoint endpoint = folder.unix_endpoint("host.sock");
    {
        const Fd killed = listening(endpoint);
    }
    REQUIRE(std::filesystem::exists(endpoint.unix_path));
    const Fd listener = listening(endpoint);
    CHECK(reaches(endpoint, listener));
}

TEST_CASE("endpoint: a file that is no socket is kept", "[net][endpoint]") {
    const Folder folder;
    const Endpoint endpoint = folder.unix_endpoint("notes.txt");
    std::ofstream(endpoint.unix_path) << "dear\n";
    CHECK(refusal_to_listen(endpoint).find("is no socket") != std::string::npos);
    CHECK(std::filesystem::file_size(endpoint.unix_path) == 5);
}

TEST_CASE("endpoint: a host that is not there is told with its address", "[net][endpoint]") {
    std::uint16_t port = 0;
    {
        const Fd listener = listening({.host = "127.0.0.1", .port = 0, .unix_path = {}});
        port = ringside::bound_port(listener.value);
    }
    const auto client =
        ringside::connect_to({.host = "127.0.0.1", .port = port, .unix_path = {}}, timeout);
    REQUIRE_FALSE(client);
    CHECK(client.error().code == std::errc::connection_refused);
    CHECK(client.error().message.find(std::to_string(port)) != std::string::npos);
    CHECK(client.error().message.find("ringside serve") != std::string::npos);
}
