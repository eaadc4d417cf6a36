#include "test_client.hpp"

#include <array>
#include <cstring>
#include <utility>

#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include "web_socket_frames.hpp"

#include "ringside/net/frame.hpp"

namespace ringside::test {
namespace {

template <class Make>
std::string framed(Make make) {
    flatbuffers::FlatBufferBuilder builder;
    const auto message = make(builder);
    using Message = typename decltype(message)::offset_type;
    builder.FinishSizePrefixed(wire::CreateFromClient(
        builder, wire::ClientMessageTraits<Message>::enum_value, message.Union()));
    return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

template <class Table>
struct Typed : flatbuffers::Offset<Table> {
    using offset_type = Table;
    Typed(flatbuffers::Offset<Table> offset) : flatbuffers::Offset<Table>(offset) {}
};

auto octets(flatbuffers::FlatBufferBuilder& builder, std::string_view bytes) {
    return builder.CreateVector(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

TestClient::TestClient(TestClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

TestClient::~TestClient() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

void TestClient::hello(std::uint32_t version, bool deltas) {
    say(framed([&](auto& builder) { return Typed(wire::CreateHello(builder, version, deltas)); }));
}

void TestClient::join(std::string_view game, wire::JoinMode mode, std::string_view config,
                      std::string_view parameters, std::string_view type) {
    say(framed([&](auto& builder) {
        const auto name = builder.CreateString(std::string(game));
        const auto config_bytes = octets(builder, config);
        const auto parameter_bytes = octets(builder, parameters);
        const auto type_name = type.empty() ? 0 : builder.CreateString(std::string(type));
        return Typed(
            wire::CreateJoin(builder, name, type_name, mode, config_bytes, parameter_bytes));
    }));
}

void TestClient::join_as(std::string_view nickname, std::string_view game) {
    say(framed([&](auto& builder) {
        const auto name = builder.CreateString(std::string(game));
        const auto nickname_text = builder.CreateString(std::string(nickname));
        wire::JoinBuilder join(builder);
        join.add_game(name);
        join.add_nickname(nickname_text);
        return Typed(join.Finish());
    }));
}

void TestClient::watch(std::string_view game) {
    say(framed([&](auto& builder) {
        return Typed(wire::CreateWatch(builder, builder.CreateString(std::string(game))));
    }));
}

void TestClient::resume(std::string_view game, std::uint64_t session, std::string_view token) {
    say(framed([&](auto& builder) {
        const auto name = builder.CreateString(std::string(game));
        const auto sessions = builder.CreateVector(&session, 1);
        const auto tokens = octets(builder, token);
        return Typed(wire::CreateResume(builder, name, sessions, tokens));
    }));
}

void TestClient::leave() {
    say(framed([](auto& builder) { return Typed(wire::CreateLeave(builder)); }));
}

void TestClient::input(std::uint32_t number, std::uint8_t byte) {
    say(framed([&](auto& builder) {
        return Typed(wire::CreateInput(builder, number, builder.CreateVector(&byte, 1)));
    }));
}

void TestClient::list(std::string_view prefix, std::string_view after, std::uint16_t limit) {
    say(framed([&](auto& builder) {
        const auto prefix_text = builder.CreateString(std::string(prefix));
        const auto after_text = builder.CreateString(std::string(after));
        return Typed(wire::CreateList(builder, prefix_text, after_text, limit));
    }));
}

void TestClient::ping(std::uint64_t nonce) {
    say(framed([&](auto& builder) { return Typed(wire::CreatePing(builder, nonce)); }));
}

void TestClient::say(const std::string& frame) {
    raw(web_socket_ ? client_frame(Opcode::binary, frame) : frame);
}

std::string TestClient::upgrade(std::string_view headers) {
    raw("GET /play HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Protocol: ringside.v1\r\n" +
        std::string(headers) + "\r\n");
    std::string head;
    while (!head.ends_with("\r\n\r\n")) {
        char byte = 0;
        REQUIRE(::recv(fd_, &byte, 1, 0) == 1);
        head += byte;
    }
    web_socket_ = head.starts_with("HTTP/1.1 101 ");
    return head;
}

void TestClient::raw(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) {
            return;  // the front has closed: next() will tell
        }
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

bool TestClient::read_some() {
    std::array<std::byte, 4096> chunk;
    const auto count = ::recv(fd_, chunk.data(), chunk.size(), 0);
    if (count <= 0) {
        return false;
    }
    if (!web_socket_) {
        received_.insert(received_.end(), chunk.begin(), chunk.begin() + count);
        return true;
    }
    web_received_.append(reinterpret_cast<const char*>(chunk.data()),
                         static_cast<std::size_t>(count));
    while (const auto frame = take_host_frame(web_received_)) {
        if (frame->opcode == Opcode::binary) {
            const Bytes message = std::as_bytes(std::span(frame->payload));
            REQUIRE(is_one_frame(message));
            received_.insert(received_.end(), message.begin(), message.end());
        } else if (frame->opcode == Opcode::pong) {
            pongs_.push_back(frame->payload);
        } else {
            REQUIRE(frame->opcode == Opcode::close);
            REQUIRE(frame->payload.size() >= 2);
            close_code_ = static_cast<unsigned>(static_cast<unsigned char>(frame->payload[0]))
                              << 8 |
                          static_cast<unsigned char>(frame->payload[1]);
        }
    }
    return true;
}

const wire::FromHost* TestClient::next() {
    const auto have = [this](std::size_t bytes) {
        while (received_.size() < bytes) {
            if (!read_some()) {
                return false;
            }
        }
        return true;
    };
    if (!have(frame_prefix_bytes)) {
        return nullptr;
    }
    std::uint32_t payload_bytes = 0;
    std::memcpy(&payload_bytes, received_.data(), sizeof payload_bytes);
    if (!have(frame_prefix_bytes + payload_bytes)) {
        return nullptr;
    }
    const auto end = received_.begin() + frame_prefix_bytes + payload_bytes;
    message_.assign(received_.begin(), end);
    received_.erase(received_.begin(), end);
    const auto* root = wire::verified_from_host(message_);
    REQUIRE(root != nullptr);
    return root;
}

const void* TestClient::expect_type(wire::HostMessage type) {
    for (;;) {
        const auto* root = next();
        REQUIRE(root != nullptr);
        if (root->message_type() == type) {
            return root->message();
        }
        INFO(wire::EnumNameHostMessage(root->message_type()));
        if (const auto* error = root->message_as_Error()) {
            FAIL("error " << error->code() << ": " << error->text()->str());
        }
        REQUIRE(root->message_type() == wire::HostMessage::Snapshot);
    }
}

wire::ErrorCode TestClient::expect_error() {
    const auto code = expect<wire::Error>().code();
    REQUIRE(next() == nullptr);
    return static_cast<wire::ErrorCode>(code);
}

std::string TestClient::rest() {
    while (read_some()) {
    }
    return {reinterpret_cast<const char*>(received_.data()), received_.size()};
}

}  // namespace ringside::test
