#include "web_socket.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include <wslay/wslay.h>

#include "ringside/core/printable.hpp"

namespace ringside {
namespace {

constexpr std::size_t close_reason_bytes_max = 123;
constexpr std::uint16_t no_status_code = 1005;  // never sent: says that none was

constexpr std::byte final_binary{0x82};
constexpr std::byte final_close{0x88};

/// Puts another close in the place of the one among these frames of control.
void replace_close(std::vector<std::byte>& frames, CloseCode code) {
    std::size_t at = 0;
    while (at < frames.size() && frames[at] != final_close) {
        at += 2 + static_cast<std::size_t>(frames[at + 1]);
    }
    frames.resize(std::min(at, frames.size()));
    const auto close = web_socket_close(static_cast<std::uint16_t>(code), {});
    frames.insert(frames.end(), close.begin(), close.end());
}

}  // namespace

struct WebSocketReader::State {
    Bytes input;
    const OnMessage* on_message = nullptr;
    std::vector<std::byte> replies;
    std::uint32_t other_frames = 0;
    // Of the client's close:
    bool bad_reason = false;
    bool closed_without_code = false;

    static State& of(void* user_data) noexcept { return *static_cast<State*>(user_data); }

    static ssize_t receive(wslay_event_context* context, std::uint8_t* into, std::size_t bytes_max,
                           int /*flags*/, void* user_data) noexcept {
        State& state = of(user_data);
        if (state.input.empty()) {
            wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
            return -1;
        }
        const Bytes piece = state.input.first(std::min(bytes_max, state.input.size()));
        std::memcpy(into, piece.data(), piece.size());
        state.input = state.input.subspan(piece.size());
        return static_cast<ssize_t>(piece.size());
    }

    static ssize_t send(wslay_event_context* /*context*/, const std::uint8_t* data,
                        std::size_t bytes, int /*flags*/, void* user_data) {
        const Bytes piece = std::as_bytes(std::span(data, bytes));
        State& state = of(user_data);
        state.replies.insert(state.replies.end(), piece.begin(), piece.end());
        return static_cast<ssize_t>(bytes);
    }

    // A frame's end, not its begin: a message may come in several reads, and is counted off below.
    static void frame_ends(wslay_event_context* /*context*/, void* user_data) noexcept {
        ++of(user_data).other_frames;
    }

    static void message_came(wslay_event_context* /*context*/,
                             const wslay_event_on_msg_recv_arg* message, void* user_data) {
        State& state = of(user_data);
        const Bytes bytes = std::as_bytes(std::span(message->msg, message->msg_length));
        if (message->opcode == WSLAY_CONNECTION_CLOSE) {
            const Bytes reason = bytes.subspan(std::min<std::size_t>(bytes.size(), 2));
            state.closed_without_code = bytes.empty();
            state.bad_reason =
                !is_utf8({reinterpret_cast<const char*>(reason.data()), reason.size()});
        } else if (wslay_is_ctrl_frame(message->opcode) == 0) {
            --state.other_frames;
            (*state.on_message)(bytes, message->opcode == WSLAY_TEXT_FRAME);
        }
    }
};

void WebSocketReader::Free::operator()(wslay_event_context* context) const noexcept {
    wslay_event_context_free(context);
}

void WebSocketReader::FreeState::operator()(State* state) const noexcept {
    std::default_delete<State>()(state);
}

WebSocketReader::WebSocketReader(std::uint32_t message_bytes_max) : state_(new State) {
    wslay_event_callbacks callbacks{};
    callbacks.recv_callback = State::receive;
    callbacks.send_callback = State::send;
    callbacks.on_frame_recv_end_callback = State::frame_ends;
    callbacks.on_msg_recv_callback = State::message_came;
    wslay_event_context* context = nullptr;
    if (wslay_event_context_server_init(&context, &callbacks, state_.get()) != 0) {
        throw std::bad_alloc();
    }
    context_.reset(context);
    wslay_event_config_set_max_recv_msg_length(context, message_bytes_max);
}

void WebSocketReader::take(Bytes bytes, const OnMessage& on_message) {
    state_->input = bytes;
    state_->on_message = &on_message;
    // Nothing but a lack of memory fails here: a client's mistakes are answered by a close.
    if (wslay_event_recv(context_.get()) == WSLAY_ERR_NOMEM) {
        throw std::bad_alloc();
    }
    state_->input = {};
    state_->on_message = nullptr;
}

std::vector<std::byte> WebSocketReader::replies() {
    if (wslay_event_want_write(context_.get()) != 0 &&
        wslay_event_send(context_.get()) == WSLAY_ERR_NOMEM) {
        throw std::bad_alloc();
    }
    std::vector<std::byte> replies = std::exchange(state_->replies, {});
    // wslay misses a bad reason that comes in pieces, and answers frames of control that are not as
    // they must be without a code.
    if (std::exchange(state_->bad_reason, false)) {
        replace_close(replies, CloseCode::invalid_payload);
    } else if (ended() && !replies.empty() && !std::exchange(state_->closed_without_code, false) &&
               wslay_event_get_status_code_sent(context_.get()) == no_status_code) {
        replace_close(replies, CloseCode::protocol_error);
    }
    return replies;
}

std::uint32_t WebSocketReader::other_frames() noexcept {
    return std::exchange(state_->other_frames, 0);
}

bool WebSocketReader::ended() const noexcept {
    return wslay_event_get_read_enabled(context_.get()) == 0;
}

WebSocketHeader::WebSocketHeader(std::size_t message_bytes) noexcept {
    // Lengths are 7 bits in the second byte, or 16 or 64 bits behind it, most significant first.
    const std::size_t length_bytes = message_bytes < 126 ? 0 : message_bytes <= 0xffff ? 2 : 8;
    bytes_[0] = final_binary;
    bytes_[1] = length_bytes == 0   ? static_cast<std::byte>(message_bytes)
                : length_bytes == 2 ? std::byte{126}
                                    : std::byte{127};
    for (std::size_t i = 0; i < length_bytes; ++i) {
        bytes_[2 + i] = static_cast<std::byte>(message_bytes >> 8 * (length_bytes - 1 - i));
    }
    count_ = 2 + length_bytes;
}

std::vector<std::byte> web_socket_close(std::uint16_t code, std::string_view reason) {
    std::size_t bytes = std::min(reason.size(), close_reason_bytes_max);
    while (bytes < reason.size() && bytes > 0 && (reason[bytes] & 0xc0) == 0x80) {
        --bytes;  // not inside a character
    }
    reason = reason.substr(0, bytes);
    std::vector<std::byte> frame{final_close, static_cast<std::byte>(2 + reason.size()),
                                 static_cast<std::byte>(code >> 8), static_cast<std::byte>(code)};
    const Bytes text = std::as_bytes(std::span(reason));
    frame.insert(frame.end(), text.begin(), text.end());
    return frame;
}

}  // namespace ringside
