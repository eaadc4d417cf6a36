#pragma once
// FollowedGames: the games in which this front has sessions or spectators, by directory slot.
//
// A slot is reused, a (slot, epoch) pair never: asking for another epoch finds nothing.

#include <cstdint>
#include <memory>
#include <vector>

#include "send_buffer.hpp"

#include "ringside/ipc/front_link.hpp"

namespace ringside {

struct FollowedGame {
    explicit FollowedGame(GameLink game_link)
        : link(std::move(game_link)), inputs(link.plan().seats, 0) {}

    GameLink link;
    std::vector<std::uint32_t> members;     // connections from entering to leaving
    std::vector<std::uint32_t> watchers;    // connections
    std::vector<std::uint64_t> departures;  // sessions whose leave event found no room yet
    std::uint64_t answers_seen = 0;         // RosterAnswer::number
    std::uint64_t applied_position = 0;     // of our events, by the newest snapshot
    std::uint64_t sequence = 0;             // of the newest snapshot
    BufferRef newest;                       // its wire Snapshot, once somebody needed that
    std::vector<std::uint32_t> inputs;      // by seat: last input number told to clients
    bool news = true;                       // worth reading: rung, swept, or just opened
    bool unpublished = false;               // events written since the last publish
    bool failed = false;                    // given up
    bool over = false;                      // ended or given up: to be closed

    /// Writes one event of a session; false under back-pressure.
    [[nodiscard]] bool write(EventKind, SessionId, std::uint32_t input_number, Bytes body) noexcept;
    void write_departures() noexcept;

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

    [[nodiscard]] bool empty() const noexcept { return slots_.empty(); }

    template <class Visit>
    void for_each(Visit visit) {
        for (const std::uint32_t slot : slots_) {
            visit(*by_slot_[slot]);
        }
    }

    void publish() noexcept;
    void close(std::uint32_t slot) noexcept;
    /// Closes what is over or settled.
    void close_unused() noexcept;

private:
    std::vector<std::unique_ptr<FollowedGame>> by_slot_;
    std::vector<std::uint32_t> slots_;  // those in use
};

}  // namespace ringside
