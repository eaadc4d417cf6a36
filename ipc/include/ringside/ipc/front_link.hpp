#pragma once
// FrontLink: a front's side of a host. GameLink: a front's side of one game.
//
// A front is whoever holds a front slot: Ringside's own network front, a replay, an embedder. It is
// trusted like ours: it may write into any game's event ring of its slot.
//
// Life of a session, seen from a front:
//   request_open → OpenAnswer → open_game → join event → its entry, or an answer, in a snapshot
//   … input events … leave event → answer `left`.
// A snapshot flagged ended with an event_position(slot) before a join means that the join was never
// seen: ask again, naming the ended game.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ringside/core/game.hpp"
#include "ringside/core/ids.hpp"
#include "ringside/ipc/doorbell.hpp"
#include "ringside/ipc/event.hpp"
#include "ringside/ipc/event_ring.hpp"
#include "ringside/ipc/game_segment.hpp"
#include "ringside/ipc/host_segment.hpp"
#include "ringside/ipc/session_table.hpp"
#include "ringside/ipc/snapshot_ring.hpp"
#include "ringside/ipc/statistics.hpp"

namespace ringside {

/// What a front inherits from the supervisor that forked it.
struct FrontHandle {
    std::string instance_path;  // the directory of the instance's files
    std::uint32_t slot = 0;
    std::uint32_t epoch = 0;
    int control_fd = -1;  // SOCK_SEQPACKET to the supervisor; owned by the FrontLink
    int wake_fd = -1;     // eventfd that games write to; -1: the doorbell's futex word is used
};

enum class OpenMode : std::uint32_t { find_or_create = 0, find = 1, create = 2 };

struct OpenRequest {
    std::uint64_t request = 0;  // comes back in the answer
    std::string name;           // checked by is_game_name
    std::string type;           // empty: the host's first, or whatever type the game found has
    OpenMode mode = OpenMode::find_or_create;
    std::vector<std::byte> config;
    PasswordKey password{};     // of the game found or made; all zero: none
    bool unlisted = false;      // if it is made
    bool resuming = false;      // a seat: its token says enough
    std::uint64_t creator = 0;  // whom HostOptions::games_per_creator_max counts as one; 0: nobody
    std::optional<GameId> known_ended;  // this one has ended, even if its process still goes
};

struct OpenAnswer {
    std::uint64_t request = 0;
    RefuseReason refused = RefuseReason::none;
    std::string text;  // why refused, and the cure
    GameId game;
    bool created = false;
};

/// A game ended without a final snapshot: it could not be restored.
struct GameFailed {
    GameId game;
    std::string text;
};

/// Tell the clients, send what can be sent, and exit.
struct HostStopping {};

/// The directory's records are at most as old as the request_sweep that this answers.
struct DirectorySwept {};

/// The operator wants this session closed and its seat given up.
struct SessionKicked {
    SessionId session;
};

/// An address has been banned: see is_banned().
struct AddressBanned {};

/// The supervisor has gone; this process is about to be killed.
struct SupervisorGone {};

using ControlMessage = std::variant<OpenAnswer, GameFailed, HostStopping, DirectorySwept,
                                    SessionKicked, AddressBanned, SupervisorGone>;

/// A front's event ring in a game, once it is there. The Error says that the game has damaged it.
[[nodiscard]] Result<EventProducer> attach_events(const GameSegment& segment,
                                                  std::uint32_t front_slot);

class GameLink {
public:
    [[nodiscard]] GameId id() const noexcept { return id_; }
    [[nodiscard]] const GameSegmentPlan& plan() const noexcept { return segment_.plan(); }

    /// Writes one event into the ring, unpublished. False: no room (back-pressure).
    [[nodiscard]] bool try_write(EventKind, EventHeader, Bytes body) noexcept;

    /// Makes the events written visible and wakes the game if it waits for events. Costs no system
    /// call while the game is awake, and nothing without a try_write since the last flush.
    void publish() noexcept;

    /// The same, but a game that has to be woken is left to the caller: by wake() of this bell,
    /// before anything waits for the game.
    [[nodiscard]] BellWord* publish_without_wake() noexcept;

    /// Where this front's next event will begin; see EventProducer::position().
    [[nodiscard]] std::uint64_t position() const noexcept { return events_.position(); }

    [[nodiscard]] SnapshotReader& snapshots() noexcept { return snapshots_; }

    /// What the game says of itself. Foreign; loads relaxed.
    [[nodiscard]] const GameStatusLine& status() const noexcept { return segment_.layout().status; }
    [[nodiscard]] const TimeCounts& lateness() const noexcept { return segment_.layout().lateness; }

    /// Whether the game rings this front on publish. Off when first opened.
    void set_following(bool) noexcept;
    void set_watchers(std::uint32_t) noexcept;

    /// Lets the game forget the answers up to this number (RosterAnswer::number).
    void acknowledge(std::uint64_t answer_number) noexcept;

private:
    friend class FrontLink;
    GameLink(GameId, std::uint32_t front_slot, GameSegment, EventProducer, SnapshotReader) noexcept;

    GameId id_;
    std::uint32_t front_slot_;
    GameSegment segment_;
    EventProducer events_;
    SnapshotReader snapshots_;
    bool unpublished_ = false;
};

class FrontLink {
public:
    [[nodiscard]] static Result<FrontLink> attach(const FrontHandle&);
    FrontLink(FrontLink&&) noexcept;
    FrontLink& operator=(FrontLink&&) noexcept;
    ~FrontLink();

    [[nodiscard]] std::uint32_t slot() const noexcept { return handle_.slot; }
    [[nodiscard]] std::uint32_t epoch() const noexcept { return handle_.epoch; }

    /// Non-blocking; readable when receive() has something.
    [[nodiscard]] int control_fd() const noexcept { return handle_.control_fd; }
    [[nodiscard]] int wake_fd() const noexcept { return handle_.wake_fd; }

    /// False: the supervisor's socket is full; try again when it has answered something.
    [[nodiscard]] bool request_open(const OpenRequest&) noexcept;
    [[nodiscard]] bool request_sweep() noexcept;
    /// Says that this front serves; the supervisor then announces the host.
    void report_ready() noexcept;

    /// The next message of the supervisor, if there is one.
    [[nodiscard]] std::optional<ControlMessage> receive();

    /// Maps a game and makes this front's event ring in it, if there is none yet.
    [[nodiscard]] Result<GameLink> open_game(GameId);

    /// Where this front shows its sessions to observers.
    [[nodiscard]] Result<SessionTable> make_session_table() const {
        return SessionTable::create(handle_.instance_path, handle_.slot, handle_.epoch);
    }

    /// What it counts, for observers too.
    [[nodiscard]] Result<FrontStatistics> open_statistics() const {
        return FrontStatistics::open({.instance_path = handle_.instance_path,
                                      .kind = StatisticsKind::front,
                                      .slot = handle_.slot});
    }

    [[nodiscard]] BellWord& bell() noexcept { return doorbells_.bell(handle_.slot); }
    [[nodiscard]] RingingGames ringing() noexcept { return doorbells_.ringing(handle_.slot); }
    [[nodiscard]] HostSegment& host() noexcept { return host_; }
    [[nodiscard]] FrontSlotLine& line() noexcept { return host_.layout().front[slot()]; }

private:
    FrontLink(FrontHandle, HostSegment, DoorbellSegment) noexcept;
    FrontHandle handle_;
    HostSegment host_;
    DoorbellSegment doorbells_;
};

}  // namespace ringside
