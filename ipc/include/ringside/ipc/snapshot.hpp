#pragma once
// Snapshot: what one record of a snapshot ring holds, and the roster in it.
//
//   [SnapshotHeader][FrontMark × fronts][RosterEntry × n][RosterAnswer × m]
//   [journal, padded to 8][delta, padded to 8][private state, padded to 8][view]
//
// The roster is state, not messages: a front derives "you joined as player 2" or "refused: full"
// from it, so a front that was lapped or restarted loses no answer. It believes only entries of
// sessions it sent there itself.
//
// The journal is in the same record as the state it leads to, so a game that dies can neither leave
// out nor repeat what it was told: core/journal.hpp.

#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

#include "ringside/core/game.hpp"
#include "ringside/core/limits.hpp"
#include "ringside/ipc/event.hpp"

namespace ringside {

/// SnapshotHeader::flags.
inline constexpr std::uint32_t snapshot_ended = 1u << 0;        // the last one: the process goes
inline constexpr std::uint32_t snapshot_journal_cut = 1u << 1;  // its journal had no room for all

struct SnapshotHeader {
    std::uint64_t tick;
    std::uint32_t flags;
    std::uint32_t end_reason;  // LeaveReason, when ended
    std::uint32_t roster_entries;
    std::uint32_t roster_answers;
    std::uint32_t state_bytes;
    std::uint32_t view_bytes;
    std::uint32_t delta_bytes;  // from the snapshot before this one; 0: there is none
    std::uint32_t journal_bytes;
    std::uint8_t phase;  // GameStatus
    std::uint8_t players;
    std::uint8_t seats;
    std::uint8_t fronts;     // slots 0 … fronts - 1 have a mark, the others no events yet
    std::uint32_t reserved;  // zero
};
static_assert(std::is_trivially_copyable_v<SnapshotHeader>);
static_assert(sizeof(SnapshotHeader) == 48, "layout changed: raise game_segment_layout_version");

/// Of one front slot.
struct FrontMark {
    std::uint64_t event_position;  // up to where its events are in this state
    std::uint64_t answers_given;   // number of the last answer given to it
};
static_assert(sizeof(FrontMark) == 16, "layout changed: raise game_segment_layout_version");

struct RosterEntry {
    std::uint64_t session;
    std::int64_t grace_until_ns;  // CLOCK_MONOTONIC; when its seat is given up; 0: it is connected
    ResumeKey key;
    Nickname nickname;
    std::uint32_t last_input;  // number of the last input applied
    std::uint8_t seat;
    std::uint8_t front_slot;
    std::uint8_t reserved[2];  // zero

    [[nodiscard]] bool detached() const noexcept { return grace_until_ns != 0; }
};
static_assert(sizeof(RosterEntry) == 64, "layout changed: raise game_segment_layout_version");

enum class AnswerKind : std::uint8_t {
    refused = 1,
    left = 2,
    input_dropped = 3,  // the session goes on without one of its inputs: it made the game crash
};

/// Kept in every snapshot until the front that asked acknowledges its number.
struct RosterAnswer {
    std::uint64_t session;
    std::uint64_t number;  // counts this front's answers, from 1
    std::uint8_t kind;     // AnswerKind
    std::uint8_t reason;   // RefuseReason or LeaveReason; else 0
    std::uint8_t front_slot;
    std::uint8_t reserved[5];  // zero
};
static_assert(sizeof(RosterAnswer) == 24, "layout changed: raise game_segment_layout_version");

/// State and view begin 8-aligned, so that FlatBuffers can be read in place.
[[nodiscard]] constexpr std::size_t padded_bytes(std::size_t bytes) noexcept {
    return (bytes + 7) / 8 * 8;
}

[[nodiscard]] constexpr std::uint32_t snapshot_bytes_max(const GameShape& shape) noexcept {
    return static_cast<std::uint32_t>(sizeof(SnapshotHeader) + front_slots_max * sizeof(FrontMark) +
                                      shape.seats * sizeof(RosterEntry) +
                                      answers_max * sizeof(RosterAnswer) + journal_bytes_max +
                                      padded_bytes(shape.delta_bytes_max) +
                                      padded_bytes(shape.state_bytes_max) + shape.view_bytes_max);
}

/// A copied snapshot, taken apart. Spans point into the copy.
struct SnapshotParts {
    SnapshotHeader header;
    std::span<const FrontMark> fronts;  // by slot
    std::span<const RosterEntry> roster;
    std::span<const RosterAnswer> answers;
    Bytes journal;
    Bytes delta;
    Bytes state;
    Bytes view;

    /// Up to where the events of the front in this slot are in this state.
    [[nodiscard]] std::uint64_t event_position(std::uint32_t front_slot) const noexcept {
        return front_slot < fronts.size() ? fronts[front_slot].event_position : 0;
    }
};

/// Takes a private copy (8-aligned) apart; nothing when its lengths or counts do not add up.
[[nodiscard]] std::optional<SnapshotParts> parse_snapshot(Bytes copy) noexcept;

}  // namespace ringside
