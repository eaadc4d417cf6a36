#pragma once
// Trace: one recorded match of the ancestor, with the state it was in after each tick.
//
// A line of a trace file is one JSON object. Its states are stored as changes and checked by a
// digest over their canonical text. A line that cannot be read is damaged; one whose states or
// digest are not what the rules give is a mismatch, which names the tick. Format
// ../shared/traces/README.md of the recordings.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ringside/core/result.hpp"
#include "ringside/tron/types.hpp"

namespace ringside::tron {

inline constexpr std::size_t trace_line_bytes_max = std::size_t{8} << 20;
inline constexpr std::uint32_t trace_ticks_max = 100'000;
inline constexpr std::uint64_t trace_walls_max = 50'000'000;  // of all states together

/// Who joined, by order of join attempts, refused ones too; numbers are reused, these are not.
using JoinerId = std::uint32_t;

struct TraceEvent {
    enum class Kind : std::uint8_t { join, key, leave };
    std::uint32_t tick = 0;
    Kind kind{};
    JoinerId joiner = 0;
    std::uint16_t width = 0;  // join: the joiner's screen
    std::uint16_t height = 0;
    std::optional<std::uint8_t> number;  // join: what it is given; nothing when refused
    std::uint8_t key = 0;                // key
    bool stopped = false;                // leave: the game is stopped by it
};

/// Start places drawn in one tick, by the cycles in game order.
struct Placement {
    std::uint32_t tick = 0;
    JoinerId joiner = 0;              // of the first cycle placed
    std::vector<std::uint8_t> picks;  // indices into the starts still free
};

/// What a game looks like after a tick, with who each cycle is.
struct TraceState {
    View view;
    std::vector<JoinerId> joiners;  // of view.cycles
};

struct CycleChange {
    std::uint8_t index = 0;  // place in the cycle list
    std::uint8_t mask = 0;   // which of the fields below: 1 2 4 8 16 32 in order; 64, 128 walls
    Cycle to;                // walls: those appended
};

/// One or more ticks: complete, by changes, or (neither) `ticks` repetitions.
struct StateRow {
    std::uint32_t ticks = 1;
    std::optional<TraceState> full;
    std::optional<MatchPhase> phase;
    std::optional<std::uint8_t> count;
    std::vector<CycleChange> changes;
};

struct Trace {
    std::string id;  // printable ASCII
    std::uint16_t width = 0;
    std::uint16_t height = 0;
    std::uint8_t seats = 0;
    std::vector<TraceEvent> events;  // by tick
    std::vector<Placement> placements;
    std::uint32_t ticks = 0;
    bool stopped = false;  // by the last event; the last state is then taken without a step
    std::uint32_t digest = 0;
    std::vector<StateRow> rows;
};

/// Judges one line of foreign bytes, the states' form included. The Error says what is wrong; the
/// caller knows the line's number.
[[nodiscard]] Result<Trace> parse_trace(std::string_view line);

/// Gives a trace's states one after the other, so that no more than one is ever unpacked.
class ExpectedStates {
public:
    /// The rows must outlive this and belong to a parsed trace.
    explicit ExpectedStates(const std::vector<StateRow>& rows) noexcept : rows_(rows) {}

    /// Goes on to the next tick's state; false at the end, or when the row makes no sense.
    [[nodiscard]] bool next();
    [[nodiscard]] const TraceState& state() const noexcept { return state_; }

private:
    [[nodiscard]] bool apply(const StateRow& row);

    std::span<const StateRow> rows_;
    std::uint32_t repeated_ = 0;
    TraceState state_;
};

/// FNV-1a 32 over the canonical text of states, fed in tick order.
class StateDigest {
public:
    void add(const TraceState& state) noexcept;
    [[nodiscard]] std::uint32_t value() const noexcept { return hash_; }

private:
    void text(char character) noexcept;
    void number(char before, std::int64_t value) noexcept;

    std::uint32_t hash_ = 2166136261u;
};

/// The first difference in words, "cycle 1 x is 5, expected 6"; empty when there is none.
[[nodiscard]] std::string difference(const TraceState& actual, const TraceState& expected);

}  // namespace ringside::tron
