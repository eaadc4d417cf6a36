#include "ringside/net/client.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <flatbuffers/flatbuffers.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ringside/core/limits.hpp"

using namespace std::chrono_literals;
using ringside::Bytes;
using ringside::Client;
namespace wire = ringside::wire;

namespace {

constexpr auto timeout = 5'000ms;

using Frame = std::vector<std::byte>;

template <class Build>
Frame frame_of(wire::HostMessage type, Build build) {
    flatbuffers::FlatBufferBuilder builder;
    builder.FinishSizePrefixed(wire::CreateFromHost(builder, type, build(builder).Union()));
    const Bytes bytes = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
    return {bytes.begin(), bytes.end()};
}

Frame welcome(std::uint64_t session) {
    return frame_of(wire::HostMessage::Welcome, [&](auto& builder) {
        const auto token =
            builder.CreateVector(std::vector<std::uint8_t>(16, static_cast<std::uint8_t>(session)));
        wire::WelcomeBuilder message(builder);
        message.add_session(session);
        message.add_token(token);
        message.add_resume_grace_ms(10'000);
        return message.Finish();
    });
}

Frame joined() {
    return frame_of(wire::HostMessage::Joined, [](auto& builder) {
        const auto game = builder.CreateString("g");
        return wire::CreateJoined(builder, game, builder.CreateString("tron"));
    });
}

Frame pong(std::uint64_t nonce) {
    return frame_of(wire::HostMessage::Pong,
                    [&](auto& builder) { return wire::CreatePong(builder, nonce); });
}

Frame snapshot(std::uint64_t tick, std::size_t view_bytes) {
    const std::vector<std::uint8_t> view(view_bytes, 7);
    return frame_of(wire::HostMessage::Snapshot, [&](auto& builder) {
        const auto bytes = builder.CreateVector(view);
        return wire::CreateSnapshot(builder, tick, 0, bytes);
    });
}

Frame error(wire::ErrorCode code, const char* text) {
    return frame_of(wire::HostMessage::Error, [&](auto& builder) {
        const auto wide = builder.CreateString(text);
        return wire::CreateError(builder, static_cast<std::uint16_t>(code), wide);
    });
}

struct Ends {
    int client = -1;
    int host = -1;
};

Ends connected_ends() {
    std::array<int, 2> ends{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    REQUIRE(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
    const timeval patience{.tv_sec = 5, .tv_usec = 0};
    setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return {.client = ends[0], .host = ends[1]};
}

/// What the host's end of a socket hears and says.
class HostEnd {
public:
    explicit HostEnd(int fd) : fd_(fd) {}
    HostEnd(const HostEnd&) = delete;
    HostEnd& operator=(const HostEnd&) = delete;
    ~HostEnd() { hang_up(); }

    void sends(Bytes bytes) const {
        REQUIRE(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(bytes.size()));
    }

    [[nodiscard]] bool has_more() const {
        std::byte byte{};
        return recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
    }

    /// The next message that the client has sent.
    const wire::FromClient& hears() {
        std::uint32_t payload_bytes = 0;
        REQUIRE(recv(fd_, &payload_bytes, 4, MSG_PEEK | MSG_WAITALL) == 4);
        REQUIRE(payload_bytes <= ringside::client_message_bytes_max);
        heard_.resize(4 + payload_bytes);
        REQUIRE(recv(fd_, heard_.data(), heard_.size(), MSG_WAITALL) ==
                static_cast<ssize_t>(heard_.size()));
        const auto* message = wire::verified_from_client(heard_);
        REQUIRE(message != nullptr);
        return *message;
    }

    void hang_up() {
        if (fd_ >= 0) {
            close(std::exchange(fd_, -1));
        }
    }

private:
    int fd_;
    std::vector<std::byte> heard_;
};

/// A client on one end of a socket, welcomed, and the test as its host on the other.
class Pair {
public:
    Pair() : Pair(connected_ends()) {
        host_sends(welcome(1));
        const auto message = client_.try_receive();
        REQUIRE(message);
        REQUIRE(*message != nullptr);
        REQUIRE((*message)->message_as_Welcome() != nullptr);
    }
    [[nodiscard]] Client& client() { return client_; }
    void host_sends(Bytes bytes) const { host_.sends(bytes); }
    const wire::FromClient& host_hears() { return host_.hears(); }
    void hang_up() { host_.hang_up(); }

private:
    explicit Pair(Ends ends) : host_(ends.host), client_(ends.client) {}

    HostEnd host_;
    Client client_;
};

/// Accepts what comes to a port of its own.
class Listener {
public:
    Listener() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t bytes = sizeof(address_);
        REQUIRE(bind(fd_, reinterpret_cast<const sockaddr*>(&address_), bytes) == 0);
        REQUIRE(listen(fd_, 4) == 0);
        REQUIRE(getsockname(fd_, reinterpret_cast<sockaddr*>(&address_), &bytes) == 0);
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener() { close(fd_); }

    [[nodiscard]] ringside::Endpoint endpoint() const {
        return {.host = "127.0.0.1", .port = ntohs(address_.sin_port)};
    }
    [[nodiscard]] int accept() const {
        const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
        REQUIRE(fd >= 0);
        const timeval patience{.tv_sec = 5, .tv_usec = 0};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        return fd;
    }

private:
    int fd_;
    sockaddr_in address_{};
};

std::string text_of_failure(Client& client) {
    for (;;) {
        const auto message = client.receive(timeout);
        if (!message) {
            return message.error().text();
        }
        REQUIRE(*message != nullptr);
    }
}

std::uint64_t nonce_received(Client& client) {
    const auto message = client.receive(timeout);
    REQUIRE(message);
    REQUIRE(*message != nullptr);
    REQUIRE((*message)->message_as_Pong() != nullptr);
    return (*message)->message_as_Pong()->nonce();
}

}  // namespace

TEST_CASE("client: says Hello first, in the protocol's version", "[net][client]") {
    Pair pair;
    const auto* hello = pair.host_hears().message_as_Hello();
    REQUIRE(hello != nullptr);
    CHECK(hello->protocol_version() == wire::protocol_version);
}

TEST_CASE("client: each message says what was asked", "[net][client]") {
    Pair pair;
    Client& client = pair.client();
    static_cast<void>(pair.host_hears());
    SECTION("join") {
        client.join({.game = "swift-lantern",
                     .type = "tron",
                     .mode = wire::JoinMode::create_only,
                     .config = {std::byte{1}, std::byte{2}},
                     .parameters = {std::byte{3}}});
        const auto* join = pair.host_hears().message_as_Join();
        REQUIRE(join != nullptr);
        CHECK(join->game()->string_view() == "swift-lantern");
        CHECK(join->game_type()->string_view() == "tron");
        CHECK(join->mode() == wire::JoinMode::create_only);
        CHECK(join->config()->size() == 2);
        CHECK(join->parameters()->Get(0) == 3);
    }
    SECTION("join, with nothing but a name") {
        client.join({.game = "g", .type = {}, .config = {}, .parameters = {}});
        const auto* join = pair.host_hears().message_as_Join();
        REQUIRE(join != nullptr);
        CHECK(join->game_type() == nullptr);
        CHECK(join->config() == nullptr);
        CHECK(join->parameters() == nullptr);
    }
    SECTION("watch") {
        client.watch("g");
        const auto* watch = pair.host_hears().message_as_Watch();
        REQUIRE(watch != nullptr);
        CHECK(watch->game()->string_view() == "g");
    }
    SECTION("list") {
        client.list("sw", "swift-lantern");
        const auto* list = pair.host_hears().message_as_List();
        REQUIRE(list != nullptr);
        CHECK(list->prefix()->string_view() == "sw");
        CHECK(list->after()->string_view() == "swift-lantern");
    }
    SECTION("leave and ping") {
        client.leave();
        client.ping(42);
        CHECK(pair.host_hears().message_as_Leave() != nullptr);
        const auto* ping = pair.host_hears().message_as_Ping();
        REQUIRE(ping != nullptr);
        CHECK(ping->nonce() == 42);
    }
}

TEST_CASE("client: until its Welcome has come it asks for nothing", "[net][client]") {
    const Ends ends = connected_ends();
    HostEnd host(ends.host);
    Client client(ends.client);
    client.join({.game = "g", .type = {}, .config = {}, .parameters = {}});
    client.leave();
    REQUIRE(host.hears().message_as_Hello() != nullptr);
    CHECK_FALSE(host.has_more());
    host.sends(welcome(1));
    REQUIRE(client.receive(timeout).has_value());
    CHECK(host.hears().message_as_Join() != nullptr);
    CHECK(host.hears().message_as_Leave() != nullptr);
}

// Whatever connection it was that the game heard last, the client can name it.
TEST_CASE("client: a seat is asked for in the name of every connection that may hold it",
          "[net][client]") {
    const Listener listener;
    auto client = Client::connect(listener.endpoint());
    REQUIRE(client);
    const auto lose = [&](HostEnd& host) {
        host.hang_up();
        while (client->receive(timeout).has_value()) {
        }
        REQUIRE(client->can_reconnect());
        REQUIRE(client->reconnect());
    };
    {
        HostEnd host(listener.accept());
        host.sends(welcome(1));
        REQUIRE(client->receive(timeout).has_value());
        client->join({.game = "g", .type = {}, .config = {}, .parameters = {}});
        host.sends(joined());
        REQUIRE(client->receive(timeout).has_value());
        lose(host);
    }
    std::vector<std::uint64_t> asked{1};
    for (std::uint64_t session = 2; session < 20; ++session) {
        {
            HostEnd host(listener.accept());
            REQUIRE(host.hears().message_as_Hello() != nullptr);
            lose(host);  // it has not been told who it is, so it has not asked
        }
        HostEnd host(listener.accept());
        REQUIRE(host.hears().message_as_Hello() != nullptr);
        CHECK_FALSE(host.has_more());
        host.sends(welcome(session));
        REQUIRE(client->receive(timeout).has_value());
        const auto* resume = host.hears().message_as_Resume();
        REQUIRE(resume != nullptr);
        const std::vector<std::uint64_t> named(resume->sessions()->begin(),
                                               resume->sessions()->end());
        CHECK(named == asked);
        if (asked.size() == ringside::resume_candidates_max) {
            asked.erase(asked.begin() + 1);
        }
        asked.push_back(session);
        lose(host);
    }
}

TEST_CASE("client: inputs are numbered from 1 in each game joined", "[net][client]") {
    Pair pair;
    static_cast<void>(pair.host_hears());
    const std::array key{std::byte{'i'}};
    for (int game = 0; game < 2; ++game) {
        pair.client().join({.game = "g", .type = {}, .config = {}, .parameters = {}});
        static_cast<void>(pair.host_hears());
        for (std::uint32_t number = 1; number <= 3; ++number) {
            pair.client().input(key);
            const auto* input = pair.host_hears().message_as_Input();
            REQUIRE(input != nullptr);
            CHECK(input->number() == number);
            CHECK(input->bytes()->Get(0) == 'i');
        }
    }
}

TEST_CASE("client: messages come out as they went in, however the stream is split",
          "[net][client]") {
    std::mt19937 random(static_cast<std::mt19937::result_type>(Catch::rngSeed()));
    Pair pair;
    std::vector<std::byte> stream;
    constexpr std::uint64_t count = 100;
    for (std::uint64_t i = 0; i < count; ++i) {
        const Frame frame = i % 3 == 0 ? snapshot(i, random() % 3000) : pong(i);
        stream.insert(stream.end(), frame.begin(), frame.end());
    }
    std::uint64_t next = 0;
    for (std::size_t offset = 0; offset < stream.size();) {
        const std::size_t piece = std::min<std::size_t>(random() % 900, stream.size() - offset);
        pair.host_sends(Bytes(stream).subspan(offset, piece));
        offset += piece;
        for (;;) {
            const auto message = pair.client().try_receive();
            REQUIRE(message);
            if (*message == nullptr) {
                break;
            }
            const auto* tick = (*message)->message_as_Snapshot();
            CHECK((tick != nullptr ? tick->tick() : (*message)->message_as_Pong()->nonce()) ==
                  next++);
        }
    }
    CHECK(next == count);
}

TEST_CASE("client: the largest message is read, one byte more is refused", "[net][client]") {
    Pair pair;
    const std::uint32_t payload_bytes = GENERATE(values<std::uint32_t>(
        {ringside::host_message_bytes_max, ringside::host_message_bytes_max + 1, 0, 0xffff'ffff}));
    CAPTURE(payload_bytes);
    pair.host_sends(std::as_bytes(std::span(&payload_bytes, 1)));
    const auto message = pair.client().try_receive();
    if (payload_bytes == ringside::host_message_bytes_max) {
        REQUIRE(message);
        CHECK(*message == nullptr);  // the rest may come
        return;
    }
    REQUIRE_FALSE(message);
    CHECK(message.error().code == std::errc::bad_message);
    CHECK(message.error().message.find(std::to_string(payload_bytes)) != std::string::npos);
}

TEST_CASE("client: bytes that are no message end the connection", "[net][client]") {
    Pair pair;
    SECTION("garbage") {
        Frame garbage(4 + 64, std::byte{0xa5});
        constexpr std::uint32_t payload_bytes = 64;
        std::memcpy(garbage.data(), &payload_bytes, sizeof(payload_bytes));
        pair.host_sends(garbage);
    }
    SECTION("a message cut short, with the length of what is left") {
        Frame cut = snapshot(1, 100);
        cut.resize(cut.size() / 2);
        const auto payload_bytes = static_cast<std::uint32_t>(cut.size() - 4);
        std::memcpy(cut.data(), &payload_bytes, sizeof(payload_bytes));
        pair.host_sends(cut);
    }
    SECTION("another protocol") {
        pair.host_sends(std::as_bytes(std::span("HTTP/1.1 400 Bad Request\r\n\r\n")));
    }
    const auto message = pair.client().receive(timeout);
    REQUIRE_FALSE(message);
    CHECK(message.error().code == std::errc::bad_message);
}

TEST_CASE("client: random damage never gets past the gate", "[net][client]") {
    std::mt19937 random(static_cast<std::mt19937::result_type>(Catch::rngSeed()));
    for (int round = 0; round < 500; ++round) {
        Pair pair;
        Frame frame = snapshot(1, 40);
        for (int flips = 0; flips < 3; ++flips) {
            frame[4 + random() % (frame.size() - 4)] ^= static_cast<std::byte>(1 + random() % 255);
        }
        pair.host_sends(frame);
        const auto message = pair.client().try_receive();
        if (message && *message != nullptr) {  // damaged where any value is one
            const auto* got = (*message)->message_as_Snapshot();
            CHECK((got == nullptr || got->view()->size() <= frame.size()));
        }
    }
}

TEST_CASE("client: a host that closes is told from one that says why", "[net][client]") {
    Pair pair;
    SECTION("without a word") {
        pair.hang_up();
        CHECK(text_of_failure(pair.client()).find("the host closed") != std::string::npos);
    }
    SECTION("in the middle of a message") {
        const Frame frame = pong(1);
        pair.host_sends(Bytes(frame).first(frame.size() - 1));
        pair.hang_up();
        CHECK(text_of_failure(pair.client()).find("the host closed") != std::string::npos);
    }
    SECTION("after an Error") {
        pair.host_sends(error(wire::ErrorCode::stopping, "back at noon"));
        pair.hang_up();
        const std::string text = text_of_failure(pair.client());
        CHECK(text.find("back at noon") != std::string::npos);
        CHECK(text.find("4008") != std::string::npos);
    }
}

TEST_CASE("client: what came before the end is still given out", "[net][client]") {
    Pair pair;
    pair.host_sends(pong(7));
    pair.hang_up();
    CHECK(nonce_received(pair.client()) == 7);
    CHECK(text_of_failure(pair.client()).find("the host closed") != std::string::npos);
}

TEST_CASE("client: nothing sent is no message, after the timeout", "[net][client]") {
    Pair pair;
    const auto message = pair.client().receive(1ms);
    REQUIRE(message);
    CHECK(*message == nullptr);
}

TEST_CASE("client: what a full socket does not take waits and arrives in order", "[net][client]") {
    Pair pair;
    static_cast<void>(pair.host_hears());
    std::uint64_t sent = 0;
    while (!pair.client().wants_write()) {
        pair.client().ping(sent++);
    }
    for (std::uint64_t more = 0; more < 100; ++more) {
        pair.client().ping(sent++);
    }
    for (std::uint64_t nonce = 0; nonce < sent; ++nonce) {
        const auto* ping = pair.host_hears().message_as_Ping();
        REQUIRE(ping != nullptr);
        REQUIRE(ping->nonce() == nonce);
        pair.client().flush();
    }
    CHECK_FALSE(pair.client().wants_write());
}

TEST_CASE("client: a moved client goes on where the first one was", "[net][client]") {
    Pair pair;
    const Frame frame = pong(9);
    pair.host_sends(Bytes(frame).first(5));
    const auto nothing = pair.client().try_receive();
    REQUIRE(nothing);
    CHECK(*nothing == nullptr);
    Client moved(std::move(pair.client()));
    pair.host_sends(Bytes(frame).subspan(5));
    CHECK(nonce_received(moved) == 9);
}
