#pragma once
// Game: the rules and state of one match. GameType: how to make one.
//
// A game author writes these two. The same Game runs in a game process, a unit test, a replay, a
// bot and a fuzzer, so it is a pure function of (config, seed, events): no clock, no I/O, no
// threads; time is the tick, randomness comes from the generator seeded at creation.
//
// What a game publishes has two parts. The *view* is what everybody may see and what clients are
// sent. The *state* is what restore() needs besides the view (random generator, hidden cards) and
// never leaves the host. restore(save(), view()) must give a game that goes on exactly like the
// original.
//
// After construction nothing here may allocate on the tick path once capacities are warm.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "ringside/core/ids.hpp"
#include "ringside/core/limits.hpp"
#include "ringside/core/result.hpp"

namespace ringside {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

/// Why a join was refused. Values are part of the wire protocol: append only.
enum class RefuseReason : std::uint8_t {
    none = 0,
    full = 1,              // every seat is taken
    in_progress = 2,       // the match does not admit players in this phase
    bad_parameters = 3,    // the game type cannot use these join parameters or this config
    no_such_game = 4,      // join-only, and no game has this name
    unknown_type = 5,      // the host has no such game type
    name_taken = 6,        // create-only, and the name is in use; or it names another game type
    bad_name = 7,          // empty, too long, or with characters a name may not have
    no_room = 8,           // the host is out of something; the text says what, and the cure
    stopping = 9,          // the host is being stopped
    no_such_session = 10,  // to be resumed: its grace is over, or the token is another's
    wrong_password = 11,   // the game has another one, or has none and one was given
};

/// Why a session is no longer in its game. Values are part of the wire protocol: append only.
enum class LeaveReason : std::uint8_t {
    none = 0,
    left = 1,          // it asked to
    game_ended = 2,    // by its own rules
    idle = 3,          // nobody touched the game for the idle timeout
    game_failed = 4,   // crashed, and could not be restored
    stopping = 5,      // the host is being stopped
    disconnected = 6,  // its link was lost and did not come back in time
    moved = 7,         // it has been resumed on another connection
};

/// What a list of games shows of a game's progress.
enum class Phase : std::uint8_t { waiting = 0, countdown = 1, running = 2, finished = 3 };
[[nodiscard]] std::string_view phase_name(Phase) noexcept;

struct GameStatus {
    Phase phase = Phase::waiting;
    std::uint8_t players = 0;  // seats taken
    std::uint8_t seats = 0;    // seats in all
};

/// A seat, or the reason there is none.
struct JoinAnswer {
    RefuseReason reason = RefuseReason::none;
    Seat seat{};
};

class Game {
public:
    virtual ~Game() = default;

    /// Seats one more session, or says why not. `parameters` are the joiner's, foreign bytes.
    [[nodiscard]] virtual JoinAnswer on_join(Bytes parameters) = 0;

    /// Frees a seat that on_join gave.
    virtual void on_leave(Seat) = 0;

    /// What a player sent: foreign bytes; whatever makes no sense is ignored.
    virtual void on_input(Seat, Bytes input) = 0;

    virtual void tick(Tick) = 0;

    /// Whether tick() would change nothing until the next event. The loop then parks the game.
    [[nodiscard]] virtual bool idle() const = 0;

    /// Whether the match is over for good: no further event or tick will be delivered.
    [[nodiscard]] virtual bool ended() const = 0;

    [[nodiscard]] virtual GameStatus status() const = 0;

    /// Writes the private state into `out` (GameShape::state_bytes_max of room); returns its size.
    [[nodiscard]] virtual std::size_t save(MutableBytes out) const = 0;

    /// Writes the view into `out` (GameShape::view_bytes_max of room); returns its size.
    [[nodiscard]] virtual std::size_t view(MutableBytes out) = 0;

    /// Writes how the newest view() differs from the one before it into `out`
    /// (GameShape::delta_bytes_max of room), so that a client that holds the one can make the
    /// other; returns its size. 0: this change is not told as a delta, clients get the whole view.
    [[nodiscard]] virtual std::size_t delta(MutableBytes /*out*/) { return 0; }
};

/// What a config asks of the host.
struct GameShape {
    std::uint32_t seats = 0;            // [1, seats_max]
    std::uint32_t state_bytes_max = 0;  // of save()
    std::uint32_t view_bytes_max = 0;   // of view()
    std::uint32_t delta_bytes_max = 0;  // of delta(); 0: it has none
    bool reactive = false;              // also ticks as soon as events have been applied
    std::uint32_t event_ring_bytes = event_ring_bytes_default;  // of each front: a power of two
    std::chrono::nanoseconds tick{};                            // one step
    std::string size_label;                                     // for lists: "80x22"
};

class GameType {
public:
    virtual ~GameType() = default;

    /// Lower-case letters, digits and dashes; at most type_name_bytes_max.
    [[nodiscard]] virtual std::string_view name() const = 0;

    /// Judges a config (foreign bytes; empty means the defaults). The Error names the value refused
    /// and the range.
    [[nodiscard]] virtual Result<GameShape> shape(Bytes config) const = 0;

    /// Requires a config that shape() accepted.
    [[nodiscard]] virtual std::unique_ptr<Game> create(Bytes config, std::uint64_t seed) const = 0;

    /// A game that goes on from save() and view(). The bytes may be damaged: they were written by a
    /// process that crashed.
    [[nodiscard]] virtual Result<std::unique_ptr<Game>> restore(Bytes config, Bytes state,
                                                                Bytes view) const = 0;
};

}  // namespace ringside
