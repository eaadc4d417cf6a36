#pragma once
// Journal: what a game was told since its last snapshot, in the order in which it was told: every
// call that changes a Game. Order across the rings of several fronts, and the tick an event fell
// into, are known only inside the game.
//
// A game is a pure function of its calls: restored from a snapshot and told the journal of the next
// one, it has the state of that next one.
//
//   [CallHeader][body], one call after the other, unpadded

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ringside/core/game.hpp"
#include "ringside/core/limits.hpp"

namespace ringside {

/// Values are part of recordings: append only.
enum class CallKind : std::uint8_t {
    join = 1,   // on_join; the body is its parameters
    leave = 2,  // on_leave
    input = 3,  // on_input; the body is the input
    tick = 4,   // tick
};

inline constexpr std::uint8_t no_seat = 255;  // of a join that was refused, and of a tick

struct Call {
    CallKind kind;
    std::uint8_t seat;  // a join's: the one it was given
    Bytes body;
};

class Journal {
public:
    void add(const Call& call) noexcept;
    void clear() noexcept;

    /// Whether nothing has been left out for want of room.
    [[nodiscard]] bool is_whole() const noexcept { return whole_; }

    /// In whole words; what follows the calls is zero.
    [[nodiscard]] Bytes padded() const noexcept;
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
    alignas(8) std::array<std::byte, journal_bytes_max> calls_{};
    std::size_t bytes_ = 0;
    bool whole_ = true;
};

/// Takes a journal apart; spans point into it. False: these bytes are none.
[[nodiscard]] bool parse_journal(Bytes journal, std::vector<Call>& calls);

/// A game that is told what another one was, and so has its states.
class Replica {
public:
    using Seats = std::bitset<seats_max>;

    /// Goes on from the state after `tick`, in which these seats were taken.
    Replica(std::unique_ptr<Game> game, std::uint64_t tick, const Seats& taken) noexcept;

    /// The Error says which call was answered otherwise than when the journal was written, or that
    /// it is none: foreign bytes.
    [[nodiscard]] Result<void> tell(Bytes journal);

    [[nodiscard]] Game& game() noexcept { return *game_; }
    [[nodiscard]] std::uint64_t tick() const noexcept { return tick_; }

private:
    [[nodiscard]] Result<void> tell(const Call& call);

    std::unique_ptr<Game> game_;
    std::uint64_t tick_;
    Seats taken_;
};

}  // namespace ringside
