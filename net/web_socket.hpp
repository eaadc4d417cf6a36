#pragma once
// WebSocket frames, without I/O: what a client's bytes say, and the frames that a host answers.
// Source  RFC 6455; wslay reads, and answers pings, closes and mistakes as the standard asks.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "ringside/core/game.hpp"

struct wslay_event_context;

namespace ringside {

/// What both sides name in Sec-WebSocket-Protocol. The number is wire::protocol_version.
inline constexpr std::string_view web_socket_protocol = "ringside.v1";

/// RFC 6455, section 7.4.1.
enum class CloseCode : std::uint16_t {
    protocol_error = 1002,
    unsupported_data = 1003,
    invalid_payload = 1007,
};

class WebSocketReader {
public:
    /// Messages longer than that end it with code 1009.
    explicit WebSocketReader(std::uint32_t message_bytes_max);

    /// Called for each message that is complete, with its bytes and whether they are text.
    using OnMessage = std::function<void(Bytes message, bool text)>;
    void take(Bytes bytes, const OnMessage& on_message);

    /// What is to be sent for what was taken: pongs, and at the end a close. Taken once.
    [[nodiscard]] std::vector<std::byte> replies();
    /// Frames since the last call that were no message: of control, and the parts of messages.
    [[nodiscard]] std::uint32_t other_frames() noexcept;
    /// No more will be read: the client has closed, or made a mistake. replies() says so.
    [[nodiscard]] bool ended() const noexcept;

private:
    struct Free {
        void operator()(wslay_event_context*) const noexcept;
    };
    struct State;  // what wslay's callbacks see; does not move
    struct FreeState {
        void operator()(State*) const noexcept;
    };

    std::unique_ptr<State, FreeState> state_;
    std::unique_ptr<wslay_event_context, Free> context_;
};

/// The header of a frame that holds a whole binary message of so many bytes.
class WebSocketHeader {
public:
    explicit WebSocketHeader(std::size_t message_bytes) noexcept;
    [[nodiscard]] Bytes bytes() const noexcept { return Bytes(bytes_).first(count_); }

private:
    std::array<std::byte, 10> bytes_{};
    std::size_t count_ = 2;
};

/// A close frame. Of `reason` (UTF-8) at most 123 bytes go in.
[[nodiscard]] std::vector<std::byte> web_socket_close(std::uint16_t code, std::string_view reason);

}  // namespace ringside
