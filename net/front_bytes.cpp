// FrontServer: from a client's bytes to its messages, and the bytes that wait for room.

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "front_server.hpp"

namespace ringside {
namespace {

constexpr std::size_t pending_bytes_max = 4 * 1024;      // then the socket is not read
constexpr std::size_t pending_bytes_limit = 256 * 1024;  // of what the kernel had on its way
constexpr std::int64_t log_period_ns = 60'000'000'000;

// To a browser, which finds no page on this port: there is no web client yet. 501 is the status
// that says so, and the text says what there is instead.
constexpr std::string_view http_answer =
    "HTTP/1.1 501 Not Implemented\r\n"
    "Content-Type: text/plain\r\n"
    "Content-Length: 86\r\n"
    "Connection: close\r\n"
    "\r\n"
    "This is a Ringside game host. Play from a terminal: ringside play -A <host> -P <port>\n";
static_assert(http_answer.substr(http_answer.find("\r\n\r\n") + 4).size() == 86);

}  // namespace

void FrontServer::take_bytes(Connection& connection, Bytes bytes) {
    if (connection.stage == Stage::lingering) {
        connection.drained_bytes += bytes.size();
        return;
    }
    if (connection.stalled) {
        hold(connection, bytes);
        return;
    }
    Bytes frame;
    while (connection.open()) {
        switch (connection.parser.next(bytes, frame)) {
            case FrameStatus::frame:
                if (take_message(connection, frame) == Handled::later) {
                    stall(connection, frame, bytes);
                    return;
                }
                connection.stalled_since_ns = 0;
                break;
            case FrameStatus::more: return;
            case FrameStatus::empty:
                fail(connection, wire::ErrorCode::malformed, "a message of no bytes");
                return;
            case FrameStatus::too_large: refuse_stranger(connection); return;
        }
    }
}

/// Keeps a message, and what follows it, until there is room.
void FrontServer::stall(Connection& connection, Bytes frame, Bytes rest) {
    connection.stalled = true;
    if (connection.stalled_since_ns == 0) {
        connection.stalled_since_ns = now_ns_;
    }
    connection.pending.assign(frame.begin(), frame.end());
    hold(connection, rest);
    retry_later(connection);
}

void FrontServer::hold(Connection& connection, Bytes bytes) {
    connection.pending.insert(connection.pending.end(), bytes.begin(), bytes.end());
    if (connection.pending.size() > pending_bytes_limit) {
        fail(connection, wire::ErrorCode::rate, "too much was sent while the game was busy");
    } else if (connection.pending.size() > pending_bytes_max) {
        connections_.stop_receiving(connection);
    }
}

void FrontServer::resume(Connection& connection) {
    resumed_.swap(connection.pending);
    connection.pending.clear();
    connection.stalled = false;
    take_bytes(connection, resumed_);
    if (connection.open() && !connection.stalled) {
        connections_.receive(connection);
    }
}

void FrontServer::refuse_stranger(Connection& connection) {
    const Speaker speaker = connection.stage == Stage::greeting
                                ? speaker_of(connection.parser.prefix())
                                : Speaker::unknown;
    if (speaker == Speaker::http) {
        end_session(connection);
        connections_.fail(connection, messages_.text(http_answer), now_ns_);
        return;
    }
    if (speaker == Speaker::tls) {
        ++strangers_unlogged_;
        if (now_ns_ >= next_stranger_log_ns_) {
            std::fprintf(stderr,
                         "ringside: %llu TLS connection(s) closed: this port speaks no TLS\n",
                         static_cast<unsigned long long>(strangers_unlogged_));
            strangers_unlogged_ = 0;
            next_stranger_log_ns_ = now_ns_ + log_period_ns;
        }
        connections_.close(connection);
        return;
    }
    fail(connection, wire::ErrorCode::message_too_large,
         "a message has at most " + std::to_string(client_message_bytes_max) + " bytes");
}

}  // namespace ringside
