#pragma once
// FollowedGames: the games in which this front has sessions or spectators, by directory slot.
//
// A slot is reused, a (slot, epoch) pair never: asking for another epoch finds nothing.
//
// A turn must not cost more because thousands of games are followed that have nothing to do with
// it, so whatever a game needs done is noted in a list when the need arises.

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "send_buffer.hpp"

#include "ringside/ipc/doorbell.hpp"
#include "ringside/ipc/front_link.hpp"

namespace ringside {

/// A session whose client is gone: the event that says so, and whether its seat is kept.
struct Departure {
    SessionId session;
    EventKind kind;  // detach, leave
};

struct FollowedGame {
    explicit FollowedGame(GameLink game_link)
        : link(std::move(game_link)), inputs(link.plan().seats, 0), nicknames(link.plan().seats) {}

    GameLink link;
    std::vector<std::uint32_t> members;   // connections from entering to leaving
    std::vector<std::uint32_t> watchers;  // connections
    std::vector<Departure> departures;    // that found no room yet
    std::uint64_t answers_seen = 0;       // RosterAnswer::number
    std::uint64_t applied_position = 0;   // of our events, by the newest snapshot
    std::uint64_t sequence = 0;           // of the newest snapshot
    BufferRef newest;                     // its wire Snapshot, once somebody needed that
    std::vector<std::uint32_t> inputs;    // by seat: last input number told to clients
    std::vector<Nickname> nicknames;      // by seat, as the roster has them
    BufferRef players;                    // the message that tells them; none: nobody has had one
    bool failed = false;                  // given up
    bool over = false;                    // ended or given up: to be closed

    // Whether it stands in the list of that name in FollowedGames.
    bool unpublished = false;
    bool departing = false;
    bool news = false;
    bool maybe_unused = false;

    /// Whether nobody here needs it and it has seen all that we sent. Until then it is followed:
    /// its answers must be acknowledged.
    [[nodiscard]] bool settled() const noexcept;
};

class FollowedGames {
public:
    explicit FollowedGames(std::size_t games_max) : by_slot_(games_max) {}

    [[nodiscard]] FollowedGame* in_slot(std::uint32_t slot) noexcept {
        return slot < by_slot_.size() ? by_slot_[slot].get() : nullptr;
    }
    [[nodiscard]] FollowedGame* find(GameId id) noexcept;

    /// Requires that nothing is in its slot.
    FollowedGame& add(GameLink);
    void close(std::uint32_t slot) noexcept;

    [[nodiscard]] bool empty() const noexcept { return slots_.empty(); }

    // Events.
    /// Writes one event of a session; false under back-pressure.
    [[nodiscard]] bool write(FollowedGame&, EventKind, SessionId, std::uint32_t input_number,
                             Bytes body);
    /// Writes the event now or when there is room.
    void depart(FollowedGame&, SessionId, EventKind);
    void retry_departures();
    [[nodiscard]] bool anything_unpublished() const noexcept { return !unpublished_.empty(); }
    /// Calls wake(BellWord&) for each game that has to be woken.
    template <class Wake>
    void publish(Wake wake) {
        for (const std::uint32_t slot : unpublished_) {
            FollowedGame* game = in_slot(slot);
            if (game == nullptr || !std::exchange(game->unpublished, false)) {
                continue;
            }
            if (BellWord* bell = game->link.publish_without_wake()) {
                wake(*bell);
            }
            note_maybe_unused(*game);
        }
        unpublished_.clear();
    }

    // News: worth reading because it was rung, swept, or just opened.
    void note_news(std::uint32_t slot);
    /// Notes those that published without a ring.
    void sweep();
    template <class Visit>
    void take_news(Visit visit) {
        taken_.swap(news_);
        for (const std::uint32_t slot : taken_) {
            FollowedGame* game = in_slot(slot);
            if (game != nullptr && std::exchange(game->news, false) && !game->over) {
                visit(*game);
            }
        }
        taken_.clear();
    }

    /// Something happened after which nobody may need it any more.
    void note_maybe_unused(FollowedGame&);
    /// Closes what is over or settled.
    void close_unused() noexcept;

private:
    using Slots = std::vector<std::uint32_t>;

    static void note(Slots& list, bool& listed, const FollowedGame& game);
    void write_departures(FollowedGame&);

    std::vector<std::unique_ptr<FollowedGame>> by_slot_;
    Slots slots_;  // those in use

    // A slot may stand in a list after its game has been closed: the flag in the game decides.
    Slots unpublished_;
    Slots departing_;
    Slots news_;
    Slots maybe_unused_;
    Slots taken_;  // the list being worked off
};

}  // namespace ringside
