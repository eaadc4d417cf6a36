#pragma once
// Snapshot: what one record of a snapshot ring holds, and the roster in it.
//
//   [SnapshotHeader][RosterEntry × n][RosterAnswer × m][private state, padded to 8][view]
//
// The roster is state, not messages: a front derives "you joined as player 2" or "refused: full"
// from it, so a front that was lapped or restarted loses no answer. It believes only entries of
// sessions it sent there itself.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

#include "ringside/core/game.hpp"
#include "ringside/core/limits.hpp"

namespace ringside {

/// SnapshotHeader::flags.
inline constexpr std::uint32_t snapshot_ended = 1u << 0;  // the last one: the process goes

struct SnapshotHeader {
    std::uint64_t tick;
    std::uint32_t flags;
    std::uint32_t end_reason;  // LeaveReason, when ended
    std::uint32_t roster_entries;
    std::uint32_t roster_answers;
    std::uint32_t state_bytes;
    std::uint32_t view_bytes;
    std::uint8_t phase;  // GameStatus
    std::uint8_t players;
    std::uint8_t seats;
    std::uint8_t reserved_bytes[5];  // zero
    // Per front slot: up to where that front's events are in this state, and the number of the last
    // answer given to it.
    std::array<std::uint64_t, front_slots_max> event_positions;
    std::array<std::uint64_t, front_slots_max> answers_given;
};
static_assert(std::is_trivially_copyable_v<SnapshotHeader>);
static_assert(sizeof(SnapshotHeader) == 40 + 16 * front_slots_max,
              "layout changed: raise game_segment_layout_version");

struct RosterEntry {
    std::uint64_t session;
    std::uint32_t link_epoch;
    std::uint32_t last_input;  // number of the last input applied
    std::uint8_t seat;
    std::uint8_t front_slot;
    std::uint8_t reserved[6];  // zero
};
static_assert(sizeof(RosterEntry) == 24, "layout changed: raise game_segment_layout_version");

enum class AnswerKind : std::uint8_t { refused = 1, left = 2 };

/// Kept in every snapshot until the front that asked acknowledges its number.
struct RosterAnswer {
    std::uint64_t session;
    std::uint64_t number;  // counts this front's answers, from 1
    std::uint8_t kind;     // AnswerKind
    std::uint8_t reason;   // RefuseReason or LeaveReason
    std::uint8_t front_slot;
    std::uint8_t reserved[5];  // zero
};
static_assert(sizeof(RosterAnswer) == 24, "layout changed: raise game_segment_layout_version");

/// The view begins 8-aligned, so that FlatBuffers can be read in place.
[[nodiscard]] constexpr std::size_t padded_state_bytes(std::size_t state_bytes) noexcept {
    return (state_bytes + 7) / 8 * 8;
}

[[nodiscard]] constexpr std::uint32_t snapshot_bytes_max(const GameShape& shape) noexcept {
    return static_cast<std::uint32_t>(sizeof(SnapshotHeader) + shape.seats * sizeof(RosterEntry) +
                                      answers_max * sizeof(RosterAnswer)) +
           static_cast<std::uint32_t>(padded_state_bytes(shape.state_bytes_max)) +
           shape.view_bytes_max;
}

/// A copied snapshot, taken apart. Spans point into the copy.
struct SnapshotParts {
    SnapshotHeader header;
    std::span<const RosterEntry> roster;
    std::span<const RosterAnswer> answers;
    Bytes state;
    Bytes view;
};

/// Takes a private copy (8-aligned) apart; nothing when its lengths or counts do not add up.
[[nodiscard]] std::optional<SnapshotParts> parse_snapshot(Bytes copy) noexcept;

}  // namespace ringside
