#include "ringside/net/client.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <flatbuffers/flatbuffers.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ringside/core/clock.hpp"
#include "ringside/core/limits.hpp"
#include "ringside/net/frame.hpp"

namespace ringside {
namespace {

constexpr std::size_t prefix_bytes = sizeof(std::uint32_t);

auto bytes_vector(flatbuffers::FlatBufferBuilder& builder, Bytes bytes) {
    return builder.CreateVector(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

Client::Socket::~Socket() {
    if (fd >= 0) {
        close(fd);
    }
}

Client::Client(int fd, Deltas deltas) : socket_(fd), deltas_(deltas) {
    say_hello();
}

Result<Client> Client::connect(const Endpoint& endpoint, Deltas deltas,
                               std::chrono::milliseconds timeout) {
    const auto fd = connect_to(endpoint, timeout);
    if (!fd) {
        return std::unexpected(fd.error());
    }
    Client client(*fd, deltas);
    client.endpoint_ = endpoint;
    return client;
}

// ---- coming back -------------------------------------------------------------------------------

bool Client::can_reconnect() const noexcept {
    const bool in_time = lost_ns_ == 0 || monotonic_ns() - lost_ns_ < grace_ns_;
    return endpoint_ && (watching_ || joining_ || !candidates_.empty()) && in_time;
}

Result<void> Client::reconnect(std::chrono::milliseconds timeout) {
    const auto fd = connect_to(*endpoint_, timeout);
    if (!fd) {
        return std::unexpected(fd.error());
    }
    socket_ = Socket(*fd);
    own_ = {};
    received_.clear();
    consumed_bytes_ = 0;
    unsent_.clear();
    held_.clear();
    last_error_.clear();
    welcomed_ = false;
    say_hello();
    if (watching_) {
        watch(std::string(game_), std::string(password_));
        return {};
    }
    if (candidates_.empty()) {
        send_join();  // the connection was lost before its Welcome came: nobody has been let in
        return {};
    }
    link_ = Link::resuming;
    send_resume();
    return {};
}

void Client::send_resume() {
    std::vector<std::uint64_t> sessions;
    std::vector<std::byte> tokens;
    for (const Credentials& each : candidates_) {
        sessions.push_back(each.session);
        tokens.insert(tokens.end(), each.token.begin(), each.token.end());
    }
    send([&](auto& builder) {
        const auto game = builder.CreateString(game_);
        const auto session_vector = builder.CreateVector(sessions);
        const auto token_vector = bytes_vector(builder, tokens);
        return std::pair{wire::ClientMessage::Resume,
                         wire::CreateResume(builder, game, session_vector, token_vector).Union()};
    });
}

/// This connection is about to ask for the seat. With no room left the oldest is forgotten, save
/// the first: if none of the others was ever heard, that one still holds the seat.
void Client::note_candidate() {
    if (candidates_.size() == resume_candidates_max) {
        candidates_.erase(candidates_.begin() + 1);
    }
    candidates_.push_back(own_);
}

/// What a message means for coming back. False: its owner need not see it.
bool Client::note(const wire::FromHost& message) {
    if (const auto* welcome = message.message_as_Welcome()) {
        own_.session = welcome->session();
        own_.token.clear();
        if (const auto* token = welcome->token()) {
            const auto bytes = std::as_bytes(std::span(token->data(), token->size()));
            own_.token.assign(bytes.begin(), bytes.end());
        }
        grace_ns_ = std::int64_t{welcome->resume_grace_ms()} * 1'000'000;
        trace_every_ = welcome->trace_every();
        if (link_ == Link::resuming || joining_) {
            note_candidate();
        }
        welcomed_ = true;
        unsent_.insert(unsent_.end(), held_.begin(), held_.end());
        held_.clear();
        flush();
    } else if (const auto* joined = message.message_as_Joined()) {
        seat_ = joined->seat();
        candidates_ = {own_};
        joining_.reset();
        lost_ns_ = 0;
        if (std::exchange(link_, Link::up) == Link::resuming) {
            acknowledge(joined->last_input());
            std::ranges::for_each(unacknowledged_, [this](SentInput& input) { send_input(input); });
        }
    } else if (const auto* snapshot = message.message_as_Snapshot()) {
        note_seats(snapshot->seats());
    } else if (const auto* delta = message.message_as_Delta()) {
        note_seats(delta->seats());
    } else if (message.message_as_Watching() != nullptr) {
        lost_ns_ = 0;
    } else if (const auto* refused = message.message_as_Refused()) {
        const auto reason = static_cast<RefuseReason>(refused->reason());
        const bool unknown =
            reason == RefuseReason::no_such_session || reason == RefuseReason::no_such_game;
        if (std::exchange(link_, Link::up) == Link::resuming && joining_ && unknown) {
            send_join();  // the one sent before has not been seen
            return false;
        }
        forget_game();
    } else if (message.message_as_Left() != nullptr) {
        forget_game();
    } else if (const auto* error = message.message_as_Error()) {
        if (!wire::may_come_back(static_cast<wire::ErrorCode>(error->code()))) {
            forget_game();
        }
    }
    return true;
}

void Client::note_seats(const flatbuffers::Vector<const wire::SeatInput*>* seats) {
    for (std::uint32_t i = 0; seats != nullptr && i < seats->size(); ++i) {
        if (seat_ == seats->Get(i)->seat()) {
            acknowledge(seats->Get(i)->number());
        }
    }
}

void Client::acknowledge(std::uint32_t number) {
    while (!unacknowledged_.empty() && unacknowledged_.front().number <= number) {
        if (unacknowledged_.front().sent_ns != 0 && link_ == Link::up) {
            say_seen(unacknowledged_.front());
        }
        unacknowledged_.pop_front();
    }
}

void Client::forget_game() {
    link_ = Link::up;
    watching_ = false;
    joining_.reset();
    seat_.reset();
    candidates_.clear();
    unacknowledged_.clear();
}

// ---- sending -----------------------------------------------------------------------------------

void Client::say_hello() {
    queue(unsent_, [this](auto& builder) {
        return std::pair{
            wire::ClientMessage::Hello,
            wire::CreateHello(builder, wire::protocol_version, deltas_ == Deltas::yes).Union()};
    });
    flush();
}

template <class Build>
void Client::send(Build build) {
    queue(welcomed_ ? unsent_ : held_, build);
    flush();
}

template <class Build>
void Client::queue(std::vector<std::byte>& bytes, Build build) {
    flatbuffers::FlatBufferBuilder builder(256);
    const auto [type, message] = build(builder);
    builder.FinishSizePrefixed(wire::CreateFromClient(builder, type, message));
    const auto* first = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
    bytes.insert(bytes.end(), first, first + builder.GetSize());
}

void Client::flush() {
    while (!unsent_.empty()) {
        const ssize_t sent = ::send(socket_.fd, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
        if (sent >= 0) {
            unsent_.erase(unsent_.begin(), unsent_.begin() + sent);
        } else if (errno != EINTR) {
            if (errno != EAGAIN) {
                unsent_.clear();  // the connection has ended: try_receive() says why
            }
            return;
        }
    }
}

void Client::join(const JoinRequest& request) {
    forget_game();
    game_ = request.game;
    joining_ = request;
    input_number_ = 0;
    if (welcomed_) {
        note_candidate();
    }
    send_join();
}

void Client::send_join() {
    const JoinRequest& request = *joining_;
    send([&](auto& builder) {
        const auto game = builder.CreateString(request.game);
        const auto type = request.type.empty() ? 0 : builder.CreateString(request.type);
        const auto config = request.config.empty() ? 0 : bytes_vector(builder, request.config);
        const auto parameters =
            request.parameters.empty() ? 0 : bytes_vector(builder, request.parameters);
        const auto password = request.password.empty() ? 0 : builder.CreateString(request.password);
        const auto nickname = request.nickname.empty() ? 0 : builder.CreateString(request.nickname);
        return std::pair{wire::ClientMessage::Join,
                         wire::CreateJoin(builder, game, type, request.mode, config, parameters,
                                          password, request.unlisted, nickname)
                             .Union()};
    });
}

void Client::watch(const std::string& game, const std::string& password) {
    forget_game();
    game_ = game;
    password_ = password;
    watching_ = true;
    send([&](auto& builder) {
        const auto name = builder.CreateString(game);
        const auto secret = password.empty() ? 0 : builder.CreateString(password);
        return std::pair{wire::ClientMessage::Watch,
                         wire::CreateWatch(builder, name, secret).Union()};
    });
}

void Client::leave() {
    send([](auto& builder) {
        return std::pair{wire::ClientMessage::Leave, wire::CreateLeave(builder).Union()};
    });
}

void Client::input(Bytes bytes) {
    unacknowledged_.push_back(
        {.number = ++input_number_, .bytes = {bytes.begin(), bytes.end()}, .sent_ns = 0});
    if (link_ == Link::up) {
        send_input(unacknowledged_.back());
    }
}

void Client::send_input(SentInput& input) {
    if (trace_every_ != 0 && input.number % trace_every_ == 0) {
        input.sent_ns = monotonic_ns();
    }
    send([&](auto& builder) {
        const auto body = bytes_vector(builder, input.bytes);
        return std::pair{wire::ClientMessage::Input,
                         wire::CreateInput(builder, input.number, body).Union()};
    });
}

void Client::say_seen(const SentInput& input) {
    const std::int64_t seen_ns = monotonic_ns();
    send([&](auto& builder) {
        return std::pair{wire::ClientMessage::Seen,
                         wire::CreateSeen(builder, input.number, input.sent_ns, seen_ns).Union()};
    });
}

void Client::list(std::string_view prefix, std::string_view after) {
    send([&](auto& builder) {
        const auto prefix_text = builder.CreateString(prefix);
        const auto after_text = builder.CreateString(after);
        return std::pair{wire::ClientMessage::List,
                         wire::CreateList(builder, prefix_text, after_text).Union()};
    });
}

void Client::ping(std::uint64_t nonce) {
    send([&](auto& builder) {
        return std::pair{wire::ClientMessage::Ping, wire::CreatePing(builder, nonce).Union()};
    });
}

// ---- receiving ---------------------------------------------------------------------------------

Result<bool> Client::fill() {
    std::array<std::byte, 16384> chunk;
    for (;;) {
        const ssize_t count = recv(socket_.fd, chunk.data(), chunk.size(), 0);
        if (count > 0) {
            received_.insert(received_.end(), chunk.begin(), chunk.begin() + count);
            return true;
        }
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0 && errno == EAGAIN) {
            return false;
        }
        link_ = Link::lost;
        lost_ns_ = lost_ns_ != 0 ? lost_ns_ : monotonic_ns();
        if (!last_error_.empty()) {
            return failure(std::errc::connection_aborted, last_error_);
        }
        return failure(std::errc::connection_reset, "the host closed the connection");
    }
}

Result<const wire::FromHost*> Client::try_receive() {
    received_.erase(received_.begin(),
                    received_.begin() + static_cast<std::ptrdiff_t>(consumed_bytes_));
    consumed_bytes_ = 0;
    for (;;) {
        if (received_.size() >= prefix_bytes) {
            std::uint32_t size = 0;
            std::memcpy(&size, received_.data(), prefix_bytes);
            if (size == 0 || size > host_message_bytes_max) {
                return failure(std::errc::bad_message,
                               fmt::format("the host sent a message of {} bytes, of 1 to {}", size,
                                           host_message_bytes_max));
            }
            if (received_.size() >= prefix_bytes + size) {
                consumed_bytes_ = prefix_bytes + size;
                message_.resize((consumed_bytes_ + 7) / 8);
                std::memcpy(message_.data(), received_.data(), consumed_bytes_);
                const auto* message = wire::verified_from_host(
                    std::as_bytes(std::span(message_)).first(consumed_bytes_));
                if (message == nullptr) {
                    return failure(std::errc::bad_message,
                                   "the host sent bytes that are no message");
                }
                if (const auto* error = message->message_as_Error()) {
                    last_error_ = fmt::format("the host says: {} (code {})",
                                              error->text() ? error->text()->string_view() : "",
                                              error->code());
                }
                return note(*message) ? message : try_receive();
            }
        }
        const auto filled = fill();
        if (!filled) {
            return std::unexpected(filled.error());
        }
        if (!*filled) {
            return nullptr;
        }
    }
}

Result<const wire::FromHost*> Client::receive(std::chrono::milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    for (;;) {
        auto message = try_receive();
        if (!message || *message != nullptr) {
            return message;
        }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) {
            return nullptr;
        }
        flush();
        pollfd ready{.fd = socket_.fd,
                     .events = static_cast<short>(POLLIN | (wants_write() ? POLLOUT : 0)),
                     .revents = 0};
        poll(&ready, 1, static_cast<int>(left.count()));
    }
}

}  // namespace ringside
