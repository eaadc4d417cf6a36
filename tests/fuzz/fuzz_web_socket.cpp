// Any bytes in a WebSocket: the messages read from them are the same however they are split, and it
// is closed once at most, with well-formed frames. When half a frame is enough for that may depend
// on the split. The first byte chooses it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "net/web_socket.hpp"

#include "ringside/core/limits.hpp"
#include "ringside/net/frame.hpp"

namespace {

using namespace ringside;

/// Of whole frames of control: the close with which they may end.
Bytes close_in(Bytes frames) {
    constexpr std::byte final_close{0x88};
    constexpr std::byte final_pong{0x8a};
    while (!frames.empty() && frames[0] != final_close) {
        const std::size_t frame_bytes = 2 + static_cast<std::size_t>(frames[1]);
        if (frames[0] != final_pong || frame_bytes > 2 + 125 || frame_bytes > frames.size()) {
            std::abort();
        }
        frames = frames.subspan(frame_bytes);
    }
    return frames;
}

std::vector<std::byte> messages_in(Bytes rest, std::size_t step) {
    constexpr std::uint32_t message_bytes_max = client_message_bytes_max + frame_prefix_bytes;
    WebSocketReader reader(message_bytes_max);
    std::vector<std::byte> messages;
    bool closed = false;
    while (!rest.empty()) {
        const Bytes piece = rest.first(std::min(step, rest.size()));
        rest = rest.subspan(piece.size());
        const std::vector<std::byte> copy(piece.begin(), piece.end());
        reader.take(copy, [&](Bytes message, bool text) {
            if (message.size() > message_bytes_max) {
                std::abort();
            }
            messages.push_back(std::byte{text});
            messages.insert(messages.end(), message.begin(), message.end());
        });
        const auto replies = reader.replies();
        const auto close = close_in(replies);
        if (!close.empty() && closed) {
            std::abort();
        }
        closed = closed || !close.empty();
    }
    if (closed != reader.ended()) {
        std::abort();
    }
    return messages;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
    if (bytes == 0) {
        return 0;
    }
    const Bytes all = std::as_bytes(std::span(data + 1, bytes - 1));
    if (messages_in(all, 1 + data[0]) != messages_in(all, std::max<std::size_t>(all.size(), 1))) {
        std::abort();
    }
    return 0;
}
