#pragma once
// Connection: one client's socket, with bounded memory in both directions.
// Connections: all of them, in a dense table that grows with use.
//
// Out  At most one message is with the kernel. Behind it wait control messages, in order, and
//      behind those only the newest snapshot: who reads slowly sees fewer of them, not older ones.
//      A turn starts a bounded number of sends; what comes after stands in line for the next turns,
//      which start as many of their own: other games have their turns between ten thousand
//      spectators of one.
// Who speaks WebSocket is sent a message's frame header too; everything else is alike.
// In   Bytes are parsed as they come. Under back-pressure they wait here, and past a bound the
//      socket is not read, so that TCP tells the client.
// End  fail(): the Error is sent, then our side is shut down and what the peer still sends is
//      drained for a while, because closing over unread bytes would send a RST, which can overtake
//      the Error. close(): both sides are shut down, which ends the requests in the kernel; the
//      place is free when they have come back.

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "http.hpp"
#include "ring_loop.hpp"
#include "send_buffer.hpp"
#include "session.hpp"
#include "web_socket.hpp"

#include "ringside/core/token_bucket.hpp"
#include "ringside/core/wire.hpp"
#include "ringside/ipc/statistics.hpp"
#include "ringside/net/frame.hpp"
#include "ringside/net/peer_address.hpp"

namespace ringside {

inline constexpr std::uint32_t turned_away_max = 64;  // at once, to be told why

enum class Stage : std::uint8_t {
    free,
    greeting,   // before Hello
    serving,    // after
    lingering,  // told why it ends; drained
    closing,    // waits for its last completions
};

/// Why there is no place for a connection.
struct Refusal {
    wire::ErrorCode code;
    std::string text;
};

struct Connection {
    explicit Connection(std::uint32_t place) noexcept;

    std::uint32_t index;
    std::uint32_t generation = 0;
    int fd = -1;
    Stage stage = Stage::free;
    bool receiving = false;  // a receive is with the kernel
    bool sending = false;    // a send is
    bool in_line = false;    // something waits for a later turn to send it
    bool shut = false;       // lingering: our side is shut down
    bool stalled = false;    // the first message in `pending` could not be handled yet
    bool in_retries = false;
    std::int64_t deadline_ns = 0;           // greeting: for Hello; lingering: for the end
    std::unique_ptr<Refusal> refusal;       // told once it is known what the client speaks
    std::int64_t heard_ns = 0;              // the last message
    PeerAddress peer = PeerAddress::none;   // whom limits count: behind a proxy, its client
    PeerAddress proxy = PeerAddress::none;  // of the socket
    std::int64_t stalled_since_ns = 0;
    std::int64_t sending_since_ns = 0;  // without progress
    TokenBucket messages;               // that it may send
    std::size_t drained_bytes = 0;
    wire::ErrorCode error{};  // that it was told, if it was: for probes

    // What it speaks: one of these at most is there, and with neither it speaks plain frames.
    std::unique_ptr<HttpReader> http;
    std::unique_ptr<WebSocketReader> web_socket;

    std::unique_ptr<HttpRequest> request;  // being answered: for a list of games

    FrameParser parser;              // of plain frames, and of what is in WebSocket frames
    std::vector<std::byte> pending;  // HTTP: requests behind the one being answered

    BufferRef in_flight;
    std::size_t sent_bytes = 0;  // of in_flight
    std::vector<BufferRef> control;
    BufferRef snapshot;               // a Snapshot or Delta
    std::uint64_t view_sequence = 0;  // of the newest view it has or will have been sent; 0: none

    Session session;

    /// What comes now is kept in `pending`.
    [[nodiscard]] bool waits() const noexcept { return stalled || request; }
    [[nodiscard]] bool open() const noexcept {
        return stage == Stage::greeting || stage == Stage::serving;
    }
};

class Connections {
public:
    Connections(RingLoop& loop, FrontStatistics& statistics, std::uint32_t connections_max) noexcept
        : loop_(loop), statistics_(statistics), connections_max_(connections_max) {}

    /// nullptr: not even room to say so; the descriptor is closed.
    [[nodiscard]] Connection* add(int fd);
    /// Beyond connections_max there are turned_away_max places for those who are told to come back.
    [[nodiscard]] bool crowded() const noexcept { return count_ > connections_max_; }
    [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
    /// The connection a completion is for.
    [[nodiscard]] Connection* find(Token) noexcept;
    /// Requires an index that some connection has had.
    [[nodiscard]] Connection& at(std::uint32_t index) noexcept { return table_[index]; }
    [[nodiscard]] bool has(std::uint32_t index) const noexcept { return index < table_.size(); }
    template <class Visit>
    void for_each(Visit visit) {
        for (std::size_t index = 0; index < table_.size(); ++index) {
            if (table_[index].stage != Stage::free) {
                visit(table_[index]);
            }
        }
    }

    // Out. On a connection that is ending, these do nothing.
    /// False: too many wait already.
    [[nodiscard]] bool queue(Connection&, BufferRef, std::int64_t now_ns);
    /// A whole view: takes the place of whatever view still waits.
    void send_snapshot(Connection&, const BufferRef&, std::uint64_t sequence, std::int64_t now_ns);
    /// How the view differs from the one before it. False: the client will not have that one.
    [[nodiscard]] bool send_delta(Connection&, const BufferRef&, std::uint64_t sequence,
                                  std::int64_t now_ns);
    /// The waiting snapshot, if any, will be sent before what is queued next.
    void keep_snapshot(Connection&);
    /// The waiting snapshot, if any, will not be sent.
    static void drop_snapshot(Connection&) noexcept;
    void sent(Connection&, std::int32_t result, std::int64_t now_ns);
    /// At the end of a turn: starts the sends of those who stand in line longest.
    void send_in_line(std::int64_t now_ns);
    [[nodiscard]] bool anyone_in_line() const noexcept { return !line_.empty(); }

    // In.
    void receive(Connection&) noexcept;  // goes on reading
    void stop_receiving(Connection&) noexcept;

    // End.
    // `why` is counted for one that was open until now.
    void fail(Connection&, FrontStatistic why, BufferRef last_words, std::int64_t now_ns);
    void close(Connection&, FrontStatistic why) noexcept;
    /// After a completion: whether the place was freed.
    bool release_if_done(Connection&) noexcept;

private:
    void send_next(Connection&, std::int64_t now_ns);
    void start_send(Connection&, std::int64_t now_ns);
    void submit_send(Connection&) noexcept;
    [[nodiscard]] static Bytes bytes_to_send(const Connection&) noexcept;
    void shut_if_sent(Connection&) noexcept;

    RingLoop& loop_;
    FrontStatistics& statistics_;
    std::uint32_t connections_max_;
    std::uint32_t count_ = 0;
    std::deque<Connection> table_;  // a deque: references stay while it grows
    std::vector<std::uint32_t> free_;
    std::deque<std::uint32_t> line_;   // may hold places that are somebody else's by now
    std::uint32_t started_count_ = 0;  // sends, in this turn
};

}  // namespace ringside
