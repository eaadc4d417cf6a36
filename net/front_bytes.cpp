// FrontServer: from a client's bytes to its messages, and the bytes that wait for room.

#include <algorithm>

#include <fmt/format.h>

#include "front_server.hpp"

#include "ringside/core/log.hpp"

namespace ringside {
namespace {

constexpr std::size_t pending_bytes_max = 4 * 1024;      // then the socket is not read
constexpr std::size_t pending_bytes_limit = 256 * 1024;  // of what the kernel had on its way
constexpr std::int64_t log_period_ns = 60'000'000'000;

}  // namespace

void FrontServer::take_bytes(Connection& connection, Bytes bytes) {
    if (connection.stage == Stage::lingering) {
        connection.drained_bytes += bytes.size();
        return;
    }
    if (connection.http) {
        take_http(connection, bytes);
    } else if (connection.web_socket) {
        take_web_socket(connection, bytes);
    } else if (connection.stalled) {
        hold(connection, bytes);
    } else {
        take_frames(connection, bytes);
    }
}

void FrontServer::take_frames(Connection& connection, Bytes bytes) {
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
            case FrameStatus::too_large: take_stranger(connection, bytes); return;
        }
    }
}

/// Keeps a message, and what follows it, until there is room.
void FrontServer::stall(Connection& connection, Bytes frame, Bytes rest) {
    connection.stalled = true;
    if (connection.stalled_since_ns == 0) {
        statistics_.add(FrontStatistic::stalls);
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
    if (connection.http) {
        take_http(connection, resumed_);
    } else {
        take_frames(connection, resumed_);
    }
    if (connection.open() && !connection.waits()) {
        connections_.receive(connection);
    }
}

/// What came first is no length of a frame. `rest` came behind it.
void FrontServer::take_stranger(Connection& connection, Bytes rest) {
    const bool may_be_another = connection.stage == Stage::greeting && !connection.web_socket;
    const Speaker speaker =
        may_be_another ? speaker_of(connection.parser.prefix()) : Speaker::unknown;
    if (speaker == Speaker::http) {
        begin_http(connection, rest);
        return;
    }
    if (speaker == Speaker::tls) {
        ++strangers_unlogged_;
        if (now_ns_ >= next_stranger_log_ns_) {
            statistics_.report(LogLevel::notice,
                               fmt::format("{} TLS connection(s) closed: this port speaks no TLS",
                                           strangers_unlogged_));
            strangers_unlogged_ = 0;
            next_stranger_log_ns_ = now_ns_ + log_period_ns;
        }
        connections_.close(connection, FrontStatistic::closes_tls);
        return;
    }
    fail(connection, wire::ErrorCode::message_too_large,
         "a message has at most " + std::to_string(client_message_bytes_max) + " bytes");
}

}  // namespace ringside
