#pragma once
// Client: one connection to a host, as a player, spectator or bot has it. Non-blocking; its owner
// polls fd() and calls, so one thread can drive thousands.
//
// When the connection is lost, the owner may reconnect(): the seat is gone on with (or the game is
// watched again, or asked for again), and inputs the game has not applied are sent again, each of
// which counts once. Until Joined (or Watching) comes, inputs wait.
//
// What the host sends is foreign: it is verified here, once, and a message is valid until the next
// call of try_receive or receive.

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ringside/core/game.hpp"
#include "ringside/core/wire.hpp"
#include "ringside/core/wire_generated.h"
#include "ringside/net/endpoint.hpp"

namespace ringside {

struct JoinRequest {
    std::string game;
    std::string type;  // empty: the host's first
    wire::JoinMode mode = wire::JoinMode::join_or_create;
    std::vector<std::byte> config;      // for a new game; empty: the type's defaults
    std::vector<std::byte> parameters;  // the joiner's own
    std::string password;               // of the game, also of a new one; empty: none
    bool unlisted = false;              // a new game: not in lists
    std::string nickname;               // what others call the player; empty: nothing
};

/// Whether a client can apply a Delta; if not, every change comes to it as a whole Snapshot.
enum class Deltas : bool { no, yes };

class Client {
public:
    /// Connects and says Hello; the host's Welcome comes as the first message.
    [[nodiscard]] static Result<Client> connect(
        const Endpoint& endpoint, Deltas deltas = Deltas::no,
        std::chrono::milliseconds timeout = std::chrono::milliseconds(5'000));

    /// Takes over a connected socket. Says Hello. It cannot reconnect().
    explicit Client(int fd, Deltas deltas = Deltas::no);

    [[nodiscard]] int fd() const noexcept { return socket_.fd; }

    /// Whether there is something to go on with: a seat whose grace is not over, or a game watched.
    [[nodiscard]] bool can_reconnect() const noexcept;

    /// One attempt. Requires can_reconnect(). fd() is another one then. Refused comes as a message
    /// if the seat has been given up.
    [[nodiscard]] Result<void> reconnect(
        std::chrono::milliseconds timeout = std::chrono::milliseconds(1'000));

    /// Whether to poll for POLLOUT: something could not be sent yet.
    [[nodiscard]] bool wants_write() const noexcept { return !unsent_.empty(); }

    // Each queues one message and sends what the socket takes, once the Welcome has come: a host
    // that died after it had heard a Join or Resume, but before this client knew its session, would
    // have given the seat to nobody.
    void join(const JoinRequest& request);
    void watch(const std::string& game, const std::string& password = {});
    void leave();
    void input(Bytes bytes);  // numbered from 1 in each game joined
    void list(std::string_view prefix, std::string_view after);
    void ping(std::uint64_t nonce);

    /// Sends what waits.
    void flush();

    /// The next message, or nullptr when none is complete yet. An Error when the connection has
    /// ended: by the host (with the text of its Error message, if it sent one), or because of bytes
    /// that are no message.
    [[nodiscard]] Result<const wire::FromHost*> try_receive();

    /// Waits for the next message; nullptr after the timeout.
    [[nodiscard]] Result<const wire::FromHost*> receive(std::chrono::milliseconds timeout);

    /// Of the message given out last, as it came: its length prefix included.
    [[nodiscard]] std::size_t message_bytes() const noexcept { return consumed_bytes_; }

private:
    struct Socket {
        explicit Socket(int connected_fd) noexcept : fd(connected_fd) {}
        Socket(Socket&& other) noexcept : fd(std::exchange(other.fd, -1)) {}
        Socket& operator=(Socket&& other) noexcept {
            std::swap(fd, other.fd);
            return *this;
        }
        ~Socket();
        int fd;
    };
    struct Credentials {
        std::uint64_t session = 0;
        std::vector<std::byte> token;
    };
    struct SentInput {
        std::uint32_t number;
        std::vector<std::byte> bytes;
        std::int64_t sent_ns = 0;  // of one that the host wants to be told of when it is seen
    };
    enum class Link : std::uint8_t { up, lost, resuming };

    template <class Build>
    void send(Build build);
    template <class Build>
    static void queue(std::vector<std::byte>& bytes, Build build);
    void say_hello();
    void send_join();
    void send_resume();
    void send_input(SentInput& input);
    void say_seen(const SentInput& input);
    [[nodiscard]] Result<bool> fill();  // false: nothing to read now
    [[nodiscard]] bool note(const wire::FromHost& message);
    void note_candidate();
    void note_seats(const flatbuffers::Vector<const wire::SeatInput*>* seats);
    void acknowledge(std::uint32_t number);
    void forget_game();

    Socket socket_;
    Deltas deltas_;
    std::optional<Endpoint> endpoint_;
    Link link_ = Link::up;
    std::int64_t lost_ns_ = 0;
    std::int64_t grace_ns_ = 0;
    std::uint32_t trace_every_ = 0;  // Welcome's
    bool welcomed_ = false;
    Credentials own_;       // of this connection, once welcomed
    std::string game_;      // joined or watched
    std::string password_;  // of a game watched
    bool watching_ = false;
    std::optional<JoinRequest> joining_;  // until it is answered
    std::optional<std::uint8_t> seat_;
    // What may resume the seat: the connection that was told Joined, and after it those that asked
    // to resume, or to join, and were lost before they heard the answer.
    std::vector<Credentials> candidates_;
    std::deque<SentInput> unacknowledged_;
    std::uint32_t input_number_ = 0;
    std::vector<std::byte> unsent_;
    std::vector<std::byte> held_;         // to be sent after the Welcome
    std::vector<std::byte> received_;     // begins with a size prefix
    std::size_t consumed_bytes_ = 0;      // of received_: the message given out last
    std::vector<std::uint64_t> message_;  // an aligned copy of the message given out
    std::string last_error_;              // text of an Error message, for when the host closes
};

}  // namespace ringside
