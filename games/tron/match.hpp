#pragma once
// Match: the rules themselves, on plain values; no bytes, no host.
//
// They are the ancestor's with all its quirks: cycles step one after the other and each is tested
// at once, exploding ones count as alive, an explosion's frame is never reset, readiness alone
// starts a round. Tests replay the ancestor's own recordings.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "ringside/core/random.hpp"
#include "ringside/tron/config.hpp"
#include "ringside/tron/types.hpp"

namespace ringside::tron {

/// cell << 2 | direction, with cell = y * Config::width + x: what the view carries.
using PackedWall = std::uint16_t;

/// A cycle without its walls, which lie in MatchState::walls by number.
struct Racer {
    std::int16_t x = 0;
    std::int16_t y = 0;
    std::uint8_t number = 0;
    Direction direction{};
    CycleState state{};
    std::uint8_t explosion_frame = 0;
    bool ready = false;
};

/// Everything that a match is, besides its config.
struct MatchState {
    MatchPhase phase = MatchPhase::waiting;
    std::int32_t countdown_ms = 0;  // [0, countdown_ms_start]; kept by a finish out of a countdown
    std::uint16_t width = 0;        // of the arena now
    std::uint16_t height = 0;
    Random random{0};
    std::vector<Racer> racers;                               // in join order
    std::array<std::vector<PackedWall>, seats_limit> walls;  // by number - 1, oldest first
    std::vector<std::uint8_t> free_numbers;                  // a stack, top last
    std::vector<std::uint8_t> picks;                         // replay: picks not yet used
    bool stopped = false;
};

inline constexpr std::int32_t countdown_ms_start = 6000;
inline constexpr std::int32_t countdown_ms_per_count = 2000;
inline constexpr std::size_t picks_max = 64;

/// The walls a grid can hold: one on each cell, because a cycle on a wall explodes and loses its
/// own; but cycles that a small arena starts on one cell may each lay one there.
[[nodiscard]] std::uint32_t walls_max(const Config& config) noexcept;

class Match {
public:
    Match(const Config& config, std::uint64_t seed);

    /// Goes on from a state that is within the ranges above, with every wall inside the grid.
    Match(const Config& config, MatchState state);

    /// Cuts the arena down to a joiner's screen, where that is smaller.
    void shrink(Screen screen) noexcept;

    /// Whether the match admits no players in this phase.
    [[nodiscard]] bool in_progress() const noexcept;
    [[nodiscard]] bool full() const noexcept { return state_.free_numbers.empty(); }

    /// The new cycle's number. Requires neither in_progress() nor full().
    std::uint8_t join();
    void leave(std::uint8_t number);
    /// The same, without the rule that ends a match which nobody is left to play.
    void remove(std::uint8_t number);
    void press(std::uint8_t number, Key key) noexcept;

    /// Start picks for the next placements, each an index into the starts still free.
    void add_picks(Bytes picks);

    [[gnu::hot]] void step(std::int32_t step_ms);

    /// Whether step() would change nothing until the next join, leave or press.
    [[nodiscard]] bool idle() const noexcept;

    /// What is shown of the countdown: 3, 2, 1, then 0.
    [[nodiscard]] std::uint8_t count() const noexcept;

    [[nodiscard]] const MatchState& state() const noexcept { return state_; }

    /// Where it stands; its shape is not told.
    [[nodiscard]] Wall wall_at(PackedWall wall) const noexcept;

private:
    void reserve();
    void press_in_race(Racer& racer, Key key) noexcept;
    void press_between_races(Racer& racer, Key key) noexcept;
    void begin_countdown();
    [[nodiscard]] std::uint32_t draw_start(std::uint32_t remaining) noexcept;
    [[gnu::hot]] void race();
    [[gnu::hot]] void step_racer(Racer& racer);
    [[gnu::hot]] void lay_wall(const Racer& racer);
    [[gnu::hot]] void move(Racer& racer) const noexcept;
    [[nodiscard, gnu::hot]] bool hits(const Racer& racer) const noexcept;
    void drop_walls(const Racer& racer) noexcept;
    void finish_if_decided() noexcept;
    [[nodiscard]] std::uint32_t ready_count() const noexcept;
    [[nodiscard]] Racer* find(std::uint8_t number) noexcept;
    [[nodiscard]] std::uint32_t cell(std::int32_t x, std::int32_t y) const noexcept;

    Config config_;
    MatchState state_;
    std::vector<std::uint8_t> walls_on_;  // how many walls each cell of the grid carries
    std::uint32_t wall_count_ = 0;
};

}  // namespace ringside::tron
