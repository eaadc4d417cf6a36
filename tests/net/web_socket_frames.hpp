#pragma once
// WebSocket frames for tests, made and read by nobody's library: a test of one against itself would
// share its mistakes. Source: RFC 6455, section 5.2.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ringside::test {

enum class Opcode : std::uint8_t {
    continuation = 0,
    text = 1,
    binary = 2,
    close = 8,
    ping = 9,
    pong = 10,
};

struct FrameOptions {
    bool final = true;
    unsigned reserved_bits = 0;  // 0 to 7: RSV1 is 4
    bool masked = true;
};

/// As a client sends it.
[[nodiscard]] std::string client_frame(Opcode opcode, std::string_view payload = {},
                                       FrameOptions options = {});

/// The payload of a close frame.
[[nodiscard]] std::string close_payload(unsigned code, std::string_view reason = {});

struct HostFrame {
    Opcode opcode{};
    bool final = false;
    std::string payload;
};

/// Takes the first frame from `bytes`, if it is whole. Fails the test when it is masked or longer
/// than its length needs.
[[nodiscard]] std::optional<HostFrame> take_host_frame(std::string& bytes);

}  // namespace ringside::test
