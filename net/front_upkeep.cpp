// FrontServer: sleeping, accepting, what becomes of sockets, deadlines, ending.

#include <algorithm>
#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front_server.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/ipc/happenings.hpp"

namespace ringside {
namespace {

constexpr std::int64_t sweep_period_ns = 10'000'000;
constexpr std::int64_t check_period_ns = 250'000'000;
constexpr std::int64_t sleep_ns_max = 1'000'000'000;
constexpr std::int64_t half_close_ns = 1'000'000'000;
// For whom there is no place: to say something, so that it is told why in the protocol it speaks.
constexpr std::int64_t refusal_ns = 1'000'000'000;
// A front holds back when it has more connections than the least busy one, plus these.
constexpr std::uint64_t share_slack = 4;
constexpr std::uint64_t share_slack_part = 16;  // and one in so many
constexpr std::int64_t left_waiting_ns = 20'000'000;
constexpr std::size_t drained_bytes_max = 256 * 1024;

/// Accepted sockets inherit both, which saves two calls a connection.
void tune(int listening_fd) noexcept {
    const int on = 1;
    const int unsent_bytes = 16 * 1024;  // more, and a slow client gets snapshots that are history
    (void)::setsockopt(listening_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)::setsockopt(listening_fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes,
                       sizeof unsent_bytes);  // both fail on Unix sockets, which need neither
}

}  // namespace

FrontServer::FrontServer(RingLoop loop, FrontLink link, const std::vector<int>& listening_fds,
                         const FrontOptions& options, bool futexes,
                         std::optional<NetworkSimulator> network)
    : link_(std::move(link)),
      options_(options),
      futexes_(futexes),
      network_(std::move(network)),
      connections_(loop_, statistics_, options.connections_max),
      games_(link_.host().games().size()),
      loop_(std::move(loop)) {
    for (const int fd : listening_fds) {
        listeners_.push_back({.fd = fd});
    }
}

void FrontServer::start() {
    now_ns_ = monotonic_ns();
    for (std::uint32_t listener = 0; listener < listeners_.size(); ++listener) {
        tune(listeners_[listener].fd);
    }
    count_connections();  // a dead front's do not count
    make_asset_buffers();
    arm_accepts();
    if (auto statistics = link_.open_statistics()) {  // else it counts where nobody looks
        statistics_ = std::move(*statistics);
    }
    if (auto table = link_.make_session_table()) {
        sessions_.emplace(std::move(*table));
    }
    loop_.poll_multishot(link_.control_fd(), {.operation = Operation::control});
    arm_bell();
    loop_.submit_and_wait(0);
    link_.report_ready();
}

bool FrontServer::finished() const noexcept {
    const bool all_told = connections_.count() == 0 || now_ns_ >= stop_deadline_ns_;
    return supervisor_gone_ || (stopping_ && all_told);
}

// ---- the wait ----------------------------------------------------------------------------------

void FrontServer::arm_bell() noexcept {
    if (bell_armed_) {
        return;
    }
    bell_armed_ = true;
    if (futexes_) {
        loop_.futex_wait(link_.bell(), {.operation = Operation::bell});
    } else {
        // Once: two completions for one readable state would make the second read block.
        loop_.poll_once(link_.wake_fd(), {.operation = Operation::bell});
    }
}

std::int64_t FrontServer::next_deadline_ns() const noexcept {
    std::int64_t deadline_ns = now_ns_ + sleep_ns_max;
    if (!games_.empty() || !retries_.empty() || !lists_waiting_.empty() || accept_held_) {
        deadline_ns = std::min(deadline_ns, next_sweep_ns_);
    }
    if (connections_.count() > 0 || accept_paused_ || options_.fronts > 1) {
        deadline_ns = std::min(deadline_ns, next_check_ns_);
    }
    return stopping_ ? std::min(deadline_ns, stop_deadline_ns_) : deadline_ns;
}

void FrontServer::sleep() {
    link_.line().turns.fetch_add(1, std::memory_order_relaxed);  // a sign of life
    count_turn();
    connections_.send_in_line(now_ns_);
    if (games_.anything_unpublished() || connections_.anyone_in_line() ||
        (retry_due_ && !retries_.empty())) {
        loop_.submit_and_wait(0);  // there is work, but sends should not wait for it
    } else if (options_.busy_poll || now_ns_ < spin_until_ns_) {
        loop_.submit_and_wait(0);
        if (!loop_.has_completions() && !link_.ringing().any()) {
            sched_yield();  // a game may have been given the same CPU
        }
    } else {
        announce_sleep(link_.bell());
        if (link_.ringing().any()) {  // BELL: rung before the announcement
            loop_.submit_and_wait(0);
        } else {
            arm_bell();
            loop_.submit_and_wait(std::max<std::int64_t>(next_deadline_ns(), 1));
            happened::woken(front_key(link_.slot()), 0, 0);
        }
        stay_awake(link_.bell());
    }
    now_ns_ = monotonic_ns();
    if (options_.spin.count() > 0 && (loop_.has_completions() || link_.ringing().any())) {
        spin_until_ns_ = now_ns_ + std::chrono::nanoseconds(options_.spin).count();
    }
}

/// The work since the last wait.
void FrontServer::count_turn() noexcept {
    if constexpr (statistics_enabled) {
        statistics_.record_time(monotonic_ns() - now_ns_, loop_time_unit_bits);
        const RingLoop::Counts counts = loop_.take_counts();
        statistics_.add(FrontStatistic::uring_enters, counts.enters);
        statistics_.add(FrontStatistic::cq_overflows, counts.overflows);
    }
}

void FrontServer::take_completions() {
    loop_.take_completions([this](const Completion& completion) {
        switch (completion.token.operation) {
            case Operation::accept: accepted(completion); break;
            case Operation::receive: received(completion); break;
            case Operation::send: sent(completion); break;
            case Operation::control:
                control_ready_ = true;
                if (!completion.more) {
                    loop_.poll_multishot(link_.control_fd(), {.operation = Operation::control});
                }
                break;
            case Operation::bell:
                statistics_.add(FrontStatistic::wakes);
                if (!futexes_) {
                    std::uint64_t rings = 0;
                    (void)!::read(link_.wake_fd(), &rings, sizeof rings);  // only resets it
                }
                bell_armed_ = false;
                break;
            case Operation::file: file_completed(completion); break;
            case Operation::ignored: break;
        }
    });
}

// ---- accepting ---------------------------------------------------------------------------------

void FrontServer::arm_accept(std::uint32_t listener) noexcept {
    if (listeners_[listener].armed || stopping_) {
        return;
    }
    if (options_.fronts > 1 && has_its_share() && !is_left_waiting(listeners_[listener])) {
        accept_held_ = true;
        return;
    }
    listeners_[listener].armed = true;
    const Token token{.operation = Operation::accept, .index = listener};
    if (options_.fronts > 1) {
        loop_.accept_once(listeners_[listener].fd, token);
    } else {
        loop_.accept_multishot(listeners_[listener].fd, token);
    }
}

void FrontServer::arm_accepts() noexcept {
    for (std::uint32_t listener = 0; listener < listeners_.size(); ++listener) {
        arm_accept(listener);
    }
}

/// The kernel wakes one of those who wait for a connection, and that is the same one as long as it
/// keeps up. So who has more than the others leaves the next to them.
bool FrontServer::has_its_share() noexcept {
    std::uint64_t least = connections_.count();
    for (const FrontSlotLine& front : link_.host().layout().front) {
        if (front.pid.load(std::memory_order_relaxed) != 0) {  // a hint, as the next line
            least = std::min(least, front.connections.load(std::memory_order_relaxed));
        }
    }
    return connections_.count() > least + share_slack + least / share_slack_part;
}

/// Whether a connection is there that none of the others takes: one of them is stuck.
bool FrontServer::is_left_waiting(Listener& listener) const noexcept {
    pollfd acceptable{.fd = listener.fd, .events = POLLIN, .revents = 0};
    if (::poll(&acceptable, 1, 0) <= 0) {
        listener.waiting_since_ns = 0;
        return false;
    }
    if (listener.waiting_since_ns == 0) {
        listener.waiting_since_ns = now_ns_;
    }
    return now_ns_ - listener.waiting_since_ns >= left_waiting_ns;
}

void FrontServer::count_connections() noexcept {
    link_.line().connections.store(connections_.count(), std::memory_order_relaxed);
}

void FrontServer::accepted(const Completion& completion) {
    const std::uint32_t listener = completion.token.index;
    listeners_[listener].armed = completion.more;
    if (completion.result >= 0) {
        welcome_socket(completion.result);
    } else if (completion.result != -ECONNABORTED && completion.result != -EINTR &&
               completion.result != -ECANCELED) {
        // EMFILE, ENFILE, ENOMEM: asking again at once would spin. A close, or the next check of
        // deadlines, asks again; clients wait in the backlog.
        accept_paused_ = true;
        return;
    }
    arm_accept(listener);
}

void FrontServer::welcome_socket(int fd) {
    const PeerAddress peer = peer_address_of(fd);
    if (network_ && (fd = network_->connect(fd)) < 0) {
        statistics_.add(FrontStatistic::accepts_refused);
        return;
    }
    Connection* connection = stopping_ ? nullptr : connections_.add(fd);
    count_connections();
    if (connection == nullptr) {
        if (stopping_) {
            loop_.close(fd);
        }
        statistics_.add(FrontStatistic::accepts_refused);
        return;
    }
    happened::accept(static_cast<std::uint64_t>(peer), connection->index, connections_.count());
    statistics_.add(FrontStatistic::accepts);
    connection->deadline_ns = now_ns_ + ns(options_.handshake_timeout);
    connection->proxy = peer;
    admit(*connection, peer);
    if (!connection->refusal && connections_.crowded()) {
        turn_away(*connection, wire::ErrorCode::busy,
                  "this host has no room for another connection; try again later");
    }
    if (connection->refusal) {
        connection->deadline_ns = now_ns_ + std::min(refusal_ns, ns(options_.handshake_timeout));
    }
    if (floods(peer)) {
        close(*connection, FrontStatistic::closes_busy);
        return;
    }
    connections_.receive(*connection);
}

/// It is that address's from now on, and turned away when there is no place for it.
void FrontServer::admit(Connection& connection, PeerAddress peer) {
    forget_peer(connection.peer);
    connection.peer = peer;
    const std::uint32_t from_there = is_limited(peer) ? ++connections_from_[peer] : 0;
    const std::uint32_t most = options_.connections_per_address_max;
    if (is_banned(link_.host().layout(), static_cast<std::uint64_t>(peer), now_ns_)) {
        turn_away(connection, wire::ErrorCode::banned, banned_text);
    } else if (most != 0 && from_there > most) {
        turn_away(connection, wire::ErrorCode::busy,
                  "at most " + std::to_string(most) + " connections from one address");
    }
}

/// What it speaks is not known yet: it is told when its first message has come, or none in time.
void FrontServer::turn_away(Connection& connection, wire::ErrorCode code, std::string text) {
    statistics_.add(FrontStatistic::accepts_refused);
    connection.refusal = std::make_unique<Refusal>(Refusal{.code = code, .text = std::move(text)});
}

/// Whether so many from there wait to be told that there is no place for them that more of them
/// would take the places of others.
bool FrontServer::floods(PeerAddress peer) const {
    const std::uint32_t most = options_.connections_per_address_max;
    const auto from_there = connections_from_.find(peer);
    return most != 0 && from_there != connections_from_.end() &&
           from_there->second > most + turned_away_max;
}

/// Whether limits per address count it.
bool FrontServer::is_limited(PeerAddress peer) const noexcept {
    return peer != PeerAddress::none && (options_.limit_own_address || !is_loopback(peer));
}

void FrontServer::forget_peer(PeerAddress peer) {
    const auto found = connections_from_.find(peer);
    if (found != connections_from_.end() && --found->second == 0) {
        connections_from_.erase(found);
    }
}

// ---- sockets -----------------------------------------------------------------------------------

void FrontServer::received(const Completion& completion) {
    Connection* connection = connections_.find(completion.token);
    if (connection != nullptr) {
        connection->receiving = completion.more;
        if (completion.result > 0) {
            statistics_.add(FrontStatistic::bytes_in,
                            static_cast<std::uint64_t>(completion.result));
            take_bytes(*connection, loop_.received(completion));
        }
    }
    if (completion.has_buffer) {
        loop_.give_back(completion.buffer);
    }
    if (connection == nullptr) {
        return;
    }
    const int result = completion.result;
    statistics_.add(FrontStatistic::buffers_exhausted, result == -ENOBUFS ? 1 : 0);
    const bool goes_on = result > 0 || result == -ENOBUFS || result == -ECANCELED ||
                         result == -EINTR || result == -EAGAIN;
    if (!goes_on) {
        peer_ended(*connection);
    } else if (!connection->receiving && !connection->waits()) {
        connections_.receive(*connection);  // ENOBUFS: buffers are back before this is submitted
    }
    settle(*connection);
}

/// It sends no more. What we have to tell it still goes out, for a while.
void FrontServer::peer_ended(Connection& connection) {
    if (connection.open()) {
        statistics_.add(FrontStatistic::closes_client);
        end_session(connection);
        connections_.drop_snapshot(connection);
        connection.stage = Stage::lingering;
        connection.deadline_ns = now_ns_ + half_close_ns;
        connection.shut = !connection.sending && !connection.in_line;
    }
}

void FrontServer::sent(const Completion& completion) {
    if (Connection* connection = connections_.find(completion.token)) {
        connections_.sent(*connection, completion.result, now_ns_);
        settle(*connection);
    }
}

/// After anything that may have ended a connection.
void FrontServer::settle(Connection& connection) {
    if (connection.stage == Stage::lingering &&
        ((connection.shut && !connection.receiving && !connection.sending) ||
         connection.drained_bytes > drained_bytes_max)) {
        connections_.close(connection, FrontStatistic::closes_client);
    }
    if (connection.stage == Stage::closing) {
        end_session(connection);
        const PeerAddress peer = connection.peer;
        if (connections_.release_if_done(connection)) {
            forget_peer(peer);
            count_connections();
            next_check_ns_ = accept_paused_ ? 0 : next_check_ns_;  // a descriptor is free
        }
    }
}

void FrontServer::close(Connection& connection, FrontStatistic why) {
    connections_.close(connection, why);
    settle(connection);
}

// ---- deadlines ---------------------------------------------------------------------------------

void FrontServer::keep_deadlines() {
    if (now_ns_ >= next_sweep_ns_) {
        next_sweep_ns_ = now_ns_ + sweep_period_ns;
        retry_due_ = true;
        if (std::exchange(accept_held_, false)) {
            arm_accepts();
        }
    }
    if (now_ns_ < next_check_ns_) {
        return;
    }
    next_check_ns_ =
        now_ns_ + std::min({check_period_ns, ns(options_.handshake_timeout) / 4 + 1,
                            ns(options_.stall_timeout) / 4 + 1, ns(options_.idle_timeout) / 4 + 1});
    connections_.for_each([this](Connection& connection) { check_deadlines(connection); });
    if (std::exchange(accept_paused_, false)) {
        arm_accepts();
    }
    if (options_.fronts > 1) {
        take_what_is_left();
    }
}

/// A connection wakes one of the fronts. If that one is stuck, another has to look by itself: an
/// accept that is armed anew looks at once.
void FrontServer::take_what_is_left() noexcept {
    for (std::uint32_t index = 0; index < listeners_.size(); ++index) {
        if (listeners_[index].armed && is_left_waiting(listeners_[index])) {
            loop_.cancel({.operation = Operation::accept, .index = index});
        }
    }
}

void FrontServer::check_deadlines(Connection& connection) {
    const std::int64_t stalled_before_ns = now_ns_ - ns(options_.stall_timeout);
    if (connection.session.membership != Membership::none) {
        connection.heard_ns = now_ns_;  // silence counts from when it is in no game
    }
    if (connection.http && connection.open()) {
        const bool idle = !connection.sending && !connection.request;
        if (idle ? now_ns_ >= connection.deadline_ns
                 : connection.sending && connection.sending_since_ns < stalled_before_ns) {
            close(connection, idle ? FrontStatistic::closes_web : FrontStatistic::closes_too_slow);
        }
    } else if (connection.stage == Stage::greeting && now_ns_ >= connection.deadline_ns) {
        if (connection.refusal) {
            fail(connection, connection.refusal->code, connection.refusal->text);
        } else {
            fail(connection, wire::ErrorCode::handshake_timeout, "no Hello in time");
        }
    } else if (connection.stage == Stage::lingering && now_ns_ >= connection.deadline_ns) {
        close(connection, FrontStatistic::closes_client);
    } else if (connection.open() && connection.sending &&
               connection.sending_since_ns < stalled_before_ns) {
        happened::drop(value(connection.session.id), connection.view_sequence,
                       static_cast<std::uint32_t>(DropReason::too_slow));
        fail(connection, wire::ErrorCode::too_slow, "you have not read for too long");
    } else if (connection.open() && connection.stalled &&
               connection.stalled_since_ns < stalled_before_ns) {
        fail(connection, wire::ErrorCode::game_stuck, "the game takes no input");
    } else if (connection.stage == Stage::serving &&
               connection.session.membership == Membership::none &&
               connection.heard_ns < now_ns_ - ns(options_.idle_timeout)) {
        fail(connection, wire::ErrorCode::idle, "you are in no game and have asked for nothing");
    }
}

void FrontServer::close_unused() {
    games_.close_unused();
}

// ---- the end of the host -----------------------------------------------------------------------

void FrontServer::stop() {
    stopping_ = true;
    stop_deadline_ns_ = now_ns_ + ns(options_.stop_grace);
    for (std::uint32_t listener = 0; listener < listeners_.size(); ++listener) {
        loop_.cancel({.operation = Operation::accept, .index = listener});
    }
    connections_.for_each([this](Connection& connection) {
        const Membership membership = connection.session.membership;
        if (connection.http && !connection.sending && !connection.request) {
            // A browser's, kept for its next request.
            close(connection, FrontStatistic::closes_stopping);
            return;
        }
        if (membership == Membership::seated || membership == Membership::leaving ||
            membership == Membership::watching) {
            leave(connection, LeaveReason::stopping, "the host is being stopped");
        } else if (membership != Membership::none) {
            refuse(connection, RefuseReason::stopping, "the host is being stopped");
        }
        fail(connection, wire::ErrorCode::stopping, "the host is being stopped");
    });
}

}  // namespace ringside
