#include "ringside/net/client.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <flatbuffers/flatbuffers.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ringside/core/limits.hpp"
#include "ringside/net/frame.hpp"

namespace ringside {
namespace {

constexpr std::size_t prefix_bytes = sizeof(std::uint32_t);

auto bytes_vector(flatbuffers::FlatBufferBuilder& builder, Bytes bytes) {
    return builder.CreateVector(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

Client::Client(int fd, Deltas deltas) : fd_(fd) {
    send([deltas](auto& builder) {
        return std::pair{
            wire::ClientMessage::Hello,
            wire::CreateHello(builder, wire::protocol_version, deltas == Deltas::yes).Union()};
    });
}

Client::Client(Client&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      input_number_(other.input_number_),
      unsent_(std::move(other.unsent_)),
      received_(std::move(other.received_)),
      consumed_bytes_(other.consumed_bytes_),
      message_(std::move(other.message_)),
      last_error_(std::move(other.last_error_)) {}

Client& Client::operator=(Client&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(input_number_, other.input_number_);
    std::swap(unsent_, other.unsent_);
    std::swap(received_, other.received_);
    std::swap(consumed_bytes_, other.consumed_bytes_);
    std::swap(message_, other.message_);
    std::swap(last_error_, other.last_error_);
    return *this;
}

Client::~Client() {
    if (fd_ >= 0) {
        close(fd_);
    }
}

Result<Client> Client::connect(const Endpoint& endpoint, Deltas deltas,
                               std::chrono::milliseconds timeout) {
    const auto fd = connect_to(endpoint, timeout);
    if (!fd) {
        return std::unexpected(fd.error());
    }
    return Client(*fd, deltas);
}

// ---- sending -----------------------------------------------------------------------------------

template <class Build>
void Client::send(Build build) {
    flatbuffers::FlatBufferBuilder builder(256);
    const auto [type, message] = build(builder);
    builder.FinishSizePrefixed(wire::CreateFromClient(builder, type, message));
    const auto* first = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
    unsent_.insert(unsent_.end(), first, first + builder.GetSize());
    flush();
}

void Client::flush() {
    while (!unsent_.empty()) {
        const ssize_t sent = ::send(fd_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
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
    input_number_ = 0;
    send([&](auto& builder) {
        const auto game = builder.CreateString(request.game);
        const auto type = request.type.empty() ? 0 : builder.CreateString(request.type);
        const auto config = request.config.empty() ? 0 : bytes_vector(builder, request.config);
        const auto parameters =
            request.parameters.empty() ? 0 : bytes_vector(builder, request.parameters);
        return std::pair{
            wire::ClientMessage::Join,
            wire::CreateJoin(builder, game, type, request.mode, config, parameters).Union()};
    });
}

void Client::watch(std::string_view game) {
    send([&](auto& builder) {
        const auto name = builder.CreateString(game);
        return std::pair{wire::ClientMessage::Watch, wire::CreateWatch(builder, name).Union()};
    });
}

void Client::leave() {
    send([](auto& builder) {
        return std::pair{wire::ClientMessage::Leave, wire::CreateLeave(builder).Union()};
    });
}

void Client::input(Bytes bytes) {
    send([&](auto& builder) {
        const auto body = bytes_vector(builder, bytes);
        return std::pair{wire::ClientMessage::Input,
                         wire::CreateInput(builder, ++input_number_, body).Union()};
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
        const ssize_t count = recv(fd_, chunk.data(), chunk.size(), 0);
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
                return message;
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
        pollfd ready{.fd = fd_,
                     .events = static_cast<short>(POLLIN | (wants_write() ? POLLOUT : 0)),
                     .revents = 0};
        poll(&ready, 1, static_cast<int>(left.count()));
    }
}

}  // namespace ringside
