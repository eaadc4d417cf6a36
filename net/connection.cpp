#include "connection.hpp"

#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include "ringside/core/invariant.hpp"
#include "ringside/core/limits.hpp"
#include "ringside/ipc/happenings.hpp"

namespace ringside {
namespace {

constexpr std::size_t control_messages_max = 64;
constexpr std::int64_t linger_ns = 1'000'000'000;
// Of a turn, and as many for those in line. One takes some 5 µs.
constexpr std::uint32_t sends_started_max = 256;

}  // namespace

Connection::Connection(std::uint32_t place) noexcept
    : index(place), parser(client_message_bytes_max) {}

Connection* Connections::add(int fd) {
    if (count_ >= connections_max_ + turned_away_max) {
        loop_.close(fd);
        return nullptr;
    }
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(table_.size()));
        table_.emplace_back(free_.back());
    }
    Connection& connection = table_[free_.back()];
    free_.pop_back();
    ++count_;
    connection.fd = fd;
    connection.stage = Stage::greeting;
    connection.messages = {};
    return &connection;
}

Connection* Connections::find(Token token) noexcept {
    if (token.index >= table_.size()) {
        return nullptr;
    }
    Connection& connection = table_[token.index];
    const bool same = connection.generation == token.generation;
    return same && connection.stage != Stage::free ? &connection : nullptr;
}

// ---- out ---------------------------------------------------------------------------------------

bool Connections::queue(Connection& connection, BufferRef buffer, std::int64_t now_ns) {
    if (!connection.open()) {
        return true;
    }
    if (connection.control.size() >= control_messages_max) {
        return false;
    }
    connection.control.push_back(std::move(buffer));
    send_next(connection, now_ns);
    return true;
}

void Connections::send_snapshot(Connection& connection, const BufferRef& buffer,
                                std::uint64_t sequence, std::int64_t now_ns) {
    if (connection.open()) {
        if (connection.snapshot) {
            statistics_.add(FrontStatistic::drops_superseded);
            happened::drop(value(connection.session.id), connection.view_sequence,
                           static_cast<std::uint32_t>(DropReason::overtaken));
        }
        connection.snapshot = buffer;
        connection.view_sequence = sequence;
        send_next(connection, now_ns);
    }
}

bool Connections::send_delta(Connection& connection, const BufferRef& buffer,
                             std::uint64_t sequence, std::int64_t now_ns) {
    // A view that waits would be dropped for this one, and this one is nothing without it.
    const bool has_base = connection.view_sequence != 0 && connection.view_sequence + 1 == sequence;
    if (connection.snapshot || !has_base) {
        return false;
    }
    send_snapshot(connection, buffer, sequence, now_ns);
    return true;
}

void Connections::keep_snapshot(Connection& connection) {
    if (connection.snapshot) {
        connection.control.push_back(std::exchange(connection.snapshot, BufferRef()));
    }
}

void Connections::drop_snapshot(Connection& connection) noexcept {
    connection.snapshot.reset();
    connection.in_line = connection.in_line && !connection.control.empty();
}

void Connections::send_next(Connection& connection, std::int64_t now_ns) {
    if (connection.sending || connection.in_line ||
        (connection.control.empty() && !connection.snapshot)) {
        return;
    }
    if (started_count_ == sends_started_max) {
        connection.in_line = true;
        line_.push_back(connection.index);
        return;
    }
    ++started_count_;
    start_send(connection, now_ns);
}

void Connections::send_in_line(std::int64_t now_ns) {
    for (std::uint32_t left = sends_started_max; left > 0 && !line_.empty();) {
        Connection& connection = table_[line_.front()];
        line_.pop_front();
        if (std::exchange(connection.in_line, false) && connection.stage != Stage::closing) {
            start_send(connection, now_ns);
            --left;
        }
    }
    started_count_ = 0;
}

/// Requires something to send.
void Connections::start_send(Connection& connection, std::int64_t now_ns) {
    const bool is_view = connection.control.empty();
    if (!is_view) {
        connection.in_flight = std::move(connection.control.front());
        connection.control.erase(connection.control.begin());  // rarely more than one
    } else {
        connection.in_flight = std::exchange(connection.snapshot, BufferRef());
    }
    connection.sent_bytes = 0;
    connection.sending_since_ns = now_ns;
    happened::send(value(connection.session.id), is_view ? connection.view_sequence : 0,
                   static_cast<std::uint32_t>(bytes_to_send(connection).size()));
    submit_send(connection);
}

Bytes Connections::bytes_to_send(const Connection& connection) noexcept {
    const Bytes all = connection.web_socket ? connection.in_flight.web_socket_bytes()
                                            : connection.in_flight.bytes();
    return all.subspan(connection.sent_bytes);
}

void Connections::submit_send(Connection& connection) noexcept {
    connection.sending = true;
    loop_.send(connection.fd, bytes_to_send(connection),
               {Operation::send, connection.generation, connection.index});
}

void Connections::sent(Connection& connection, std::int32_t result, std::int64_t now_ns) {
    connection.sending = false;
    if (connection.stage == Stage::closing) {
        return;
    }
    const bool again = result == -EINTR || result == -EAGAIN;
    if (result <= 0 && !again) {
        close(connection, FrontStatistic::closes_client);  // EPIPE, ECONNRESET
        return;
    }
    if (result > 0) {
        happened::sent(value(connection.session.id),
                       static_cast<std::uint64_t>(now_ns - connection.sending_since_ns),
                       static_cast<std::uint32_t>(result));
        statistics_.add(FrontStatistic::bytes_out, static_cast<std::uint64_t>(result));
        connection.sent_bytes += static_cast<std::size_t>(result);
        connection.sending_since_ns = now_ns;
    }
    if (!bytes_to_send(connection).empty()) {
        submit_send(connection);
        return;
    }
    statistics_.add(FrontStatistic::messages_out);
    connection.in_flight.reset();
    send_next(connection, now_ns);
    shut_if_sent(connection);
}

// ---- in ----------------------------------------------------------------------------------------

void Connections::receive(Connection& connection) noexcept {
    if (!connection.receiving && (connection.open() || connection.stage == Stage::lingering)) {
        connection.receiving = true;
        loop_.receive_multishot(connection.fd,
                                {Operation::receive, connection.generation, connection.index});
    }
}

void Connections::stop_receiving(Connection& connection) noexcept {
    if (connection.receiving) {
        loop_.cancel({Operation::receive, connection.generation, connection.index});
    }
}

// ---- end ---------------------------------------------------------------------------------------

void Connections::fail(Connection& connection, FrontStatistic why, BufferRef last_words,
                       std::int64_t now_ns) {
    if (!connection.open()) {
        return;
    }
    statistics_.add(why);
    // What waits in order (a Left, a final snapshot) goes before; a mere newest snapshot does not.
    drop_snapshot(connection);
    connection.pending = {};
    connection.control.push_back(std::move(last_words));
    connection.stage = Stage::lingering;
    connection.deadline_ns = now_ns + linger_ns;
    send_next(connection, now_ns);
    receive(connection);  // it may have been stopped under back-pressure
}

void Connections::shut_if_sent(Connection& connection) noexcept {
    const bool all_sent = !connection.sending && !connection.in_line;
    if (connection.stage == Stage::lingering && all_sent && !connection.shut) {
        connection.shut = true;
        ::shutdown(connection.fd, SHUT_WR);  // fails only if the peer has gone: receive() tells
    }
}

void Connections::close(Connection& connection, FrontStatistic why) noexcept {
    if (connection.stage == Stage::closing) {
        return;
    }
    statistics_.add(why, connection.open() ? 1 : 0);
    connection.stage = Stage::closing;
    // Closing the descriptor would not end requests in the kernel; this does.
    ::shutdown(connection.fd, SHUT_RDWR);
}

bool Connections::release_if_done(Connection& connection) noexcept {
    if (connection.stage != Stage::closing || connection.receiving || connection.sending) {
        return false;
    }
    loop_.close(connection.fd);
    const std::uint32_t index = connection.index;
    const std::uint32_t generation = (connection.generation + 1) & 0xffffff;
    std::destroy_at(&connection);
    std::construct_at(&connection, index);
    connection.generation = generation;
    free_.push_back(index);
    --count_;
    return true;
}

}  // namespace ringside
