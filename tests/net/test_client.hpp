#pragma once
// A client for tests of the front: blocking, over any connected socket, free to misbehave. Speaks
// plain frames, or through a WebSocket once it has upgraded.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ringside/core/wire.hpp"
#include "ringside/core/wire_generated.h"

namespace ringside::test {

class TestClient {
public:
    explicit TestClient(int connected_fd) noexcept : fd_(connected_fd) {}
    TestClient(TestClient&&) noexcept;
    TestClient& operator=(TestClient&&) = delete;
    ~TestClient();

    /// Turns to WebSocket, with these headers more; the response's head.
    std::string upgrade(std::string_view headers = {});
    /// The code of the close frame that has come; 0: none.
    [[nodiscard]] unsigned close_code() const noexcept { return close_code_; }
    [[nodiscard]] const std::vector<std::string>& pongs() const noexcept { return pongs_; }

    // What a client says.
    void hello(std::uint32_t version = wire::protocol_version, bool deltas = false);
    void join(std::string_view game, wire::JoinMode = wire::JoinMode::join_or_create,
              std::string_view config = {}, std::string_view parameters = {},
              std::string_view type = {});
    void join_as(std::string_view nickname, std::string_view game);
    void watch(std::string_view game);
    void resume(std::string_view game, std::uint64_t session, std::string_view token);
    void leave();
    void input(std::uint32_t number, std::uint8_t byte);
    void list(std::string_view prefix = {}, std::string_view after = {}, std::uint16_t limit = 0);
    void ping(std::uint64_t nonce);
    void raw(std::string_view bytes);

    /// The next message; nullptr when the front has closed. Valid until the next call.
    [[nodiscard]] const wire::FromHost* next();

    /// The next message of a type; anything but Snapshots before it fails the test.
    template <class Message>
    const Message& expect() {
        return *static_cast<const Message*>(
            expect_type(wire::HostMessageTraits<Message>::enum_value));
    }
    /// The code of the Error that comes next, after which the front closes.
    [[nodiscard]] wire::ErrorCode expect_error();
    /// Everything until the front closes, as it is.
    [[nodiscard]] std::string rest();

private:
    const void* expect_type(wire::HostMessage);
    void say(const std::string& frame);
    bool read_some();

    int fd_;
    bool web_socket_ = false;
    std::string web_received_;  // WebSocket frames, the last one perhaps cut
    unsigned close_code_ = 0;
    std::vector<std::string> pongs_;
    std::vector<std::byte> received_;
    std::vector<std::byte> message_;
};

}  // namespace ringside::test
