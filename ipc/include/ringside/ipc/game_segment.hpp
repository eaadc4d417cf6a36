#pragma once
// The game segment: everything one game shares with the host, one file, mapped whole.
//
//   GameSegmentHeader    by the supervisor, before the game starts
//   GameStatusLine       by the game
//   GameCounters         by the game
//   TimeCounts × 2       by the game: lateness and duration of its ticks
//   bell, front mask     by sleeper and ringers
//   FrontEpochs          by the supervisor
//   FrontLine × 16       by each front
//   GameFlight           by the game
//   snapshot ring        by the game
//   event ring × 16      by each front, made and its pages reserved at its first use of the game
//
// No process trusts what another can write: the header is copied once when attaching and checked
// against the file's size; positions are judged by the rings.

#include <atomic>
#include <cstdint>
#include <new>
#include <string>
#include <type_traits>

#include "ringside/core/game.hpp"
#include "ringside/core/limits.hpp"
#include "ringside/ipc/doorbell.hpp"
#include "ringside/ipc/event.hpp"
#include "ringside/ipc/event_ring.hpp"
#include "ringside/ipc/flight_recorder.hpp"
#include "ringside/ipc/shared_region.hpp"
#include "ringside/ipc/time_counts.hpp"

namespace ringside {

inline constexpr std::uint32_t game_segment_magic = 0x47534752;  // "RGSG"
inline constexpr std::uint32_t game_segment_layout_version = 8;

enum class Pacing : std::uint32_t {
    realtime = 0,  // one tick every tick_ns
    lockstep = 1,  // one tick for each step event: replays and tests
};

/// What the supervisor decided about a game. Never changes after READY.
struct GameSegmentPlan {
    std::uint32_t slot;
    std::uint32_t epoch;
    std::uint64_t seed;
    std::int64_t tick_ns;
    std::int64_t phase_ns;         // stagger
    std::int64_t idle_timeout_ns;  // 0: never
    std::int64_t resume_grace_ns;  // 0: who loses the connection leaves
    std::uint32_t pacing;          // Pacing
    std::uint32_t seats;
    std::uint32_t state_bytes_max;
    std::uint32_t view_bytes_max;
    std::uint32_t delta_bytes_max;
    std::uint32_t reactive;  // 1: steps also when events have been applied
    std::uint32_t snapshot_ring_offset;
    std::uint32_t snapshot_ring_bytes;  // header included
    std::uint32_t event_rings_offset;   // of slot 0; page aligned
    std::uint32_t event_ring_stride;    // from one slot's ring to the next; whole pages
    std::uint32_t event_ring_bytes;     // of records; a power of two
    std::uint32_t config_bytes;
    std::uint32_t spins;     // 1: never sleeps; only with a CPU of its own
    std::int32_t cpu;        // the one it runs on; -1: any
    std::uint32_t realtime;  // 1: runs before everything else
    std::uint32_t unlisted;  // 1: not in lists
    std::uint64_t creator;   // OpenRequest::creator
    PasswordKey password;    // OpenRequest::password
    char name[game_name_bytes_max + 1];
    char type[type_name_bytes_max + 1];
    std::byte config[config_bytes_max];
};
static_assert(std::is_trivially_copyable_v<GameSegmentPlan>);
static_assert(sizeof(GameSegmentPlan) == 464, "layout changed: raise game_segment_layout_version");

struct GameSegmentHeader {
    std::atomic<std::uint32_t> magic;  // READY: stored last
    std::uint32_t layout_version;
    std::uint64_t segment_bytes;
    GameSegmentPlan plan;
    // By the supervisor before it forks a successor: an event to skip, because the game died three
    // times without progress while applying it. skip_position_plus_1 0: none.
    std::uint32_t skip_front_slot;
    // OWNER: the game process that has taken this segment; 0 after a death, by the supervisor. A
    // process that finds another one here goes: its nursery died before it could report it.
    std::atomic<std::int32_t> owner_pid;
    std::uint64_t skip_position_plus_1;
};

/// Written by the game alone; read by supervisor and observers, relaxed unless named.
struct alignas(cache_line_bytes) GameStatusLine {
    std::atomic<std::uint64_t> tick;
    std::atomic<std::int64_t> deadline_ns;  // of the next tick; 0 while parked
    std::atomic<std::uint64_t> sequence;    // of the newest snapshot
    std::atomic<std::uint64_t> progress;    // see game_progress()
    std::atomic<std::uint64_t> applying;    // position of the event being applied, + 1; 0: none
    std::atomic<std::uint64_t> applying_slot;
    std::atomic<std::uint64_t> missed_ticks;
    std::atomic<std::uint64_t> dropped_events;  // skipped as poison
};
/// GameStatusLine::progress, taken apart.
struct GameProgress {
    std::uint8_t phase = 0;  // Phase; two bits
    std::uint8_t players = 0;
    std::uint8_t seats = 0;
    bool ended = false;
    LeaveReason end_reason = LeaveReason::none;
};
[[nodiscard]] constexpr std::uint64_t packed(const GameProgress& progress) noexcept {
    return progress.phase | std::uint64_t{progress.players} << 8 |
           std::uint64_t{progress.seats} << 16 | std::uint64_t{progress.ended ? 1u : 0u} << 24 |
           std::uint64_t{static_cast<std::uint8_t>(progress.end_reason)} << 32;
}
[[nodiscard]] constexpr GameProgress game_progress(std::uint64_t packed) noexcept {
    return {.phase = static_cast<std::uint8_t>(packed & 3),
            .players = static_cast<std::uint8_t>(packed >> 8),
            .seats = static_cast<std::uint8_t>(packed >> 16),
            .ended = (packed >> 24 & 1) != 0,
            .end_reason = static_cast<LeaveReason>(packed >> 32 & 0xff)};
}
static_assert(sizeof(GameStatusLine) == 64, "layout changed: raise game_segment_layout_version");

/// Statistics, by the game alone; they go on when it is restored. Relaxed; stored when a snapshot
/// is published, so an event that is applied again after a death counts once.
struct alignas(cache_line_bytes) GameCounters {
    std::atomic<std::uint64_t> events_applied;
    std::atomic<std::uint32_t> event_ring_bytes_high;  // the fullest that a ring was when drained
    std::atomic<std::uint32_t> snapshot_bytes_high;    // the largest one
    std::atomic<std::uint32_t> snapshot_bytes;         // the newest one
    std::atomic<std::uint32_t> memory_kib_high;        // resident, shared pages included
    // Looked at once a second, by a game that does something:
    std::atomic<std::int64_t> cpu_ns;              // of all its processes
    std::atomic<std::uint64_t> waits;              // times it slept
    std::atomic<std::uint64_t> preemptions;        // times another process was given its CPU
    std::atomic<std::int64_t> usage_looked_at_ns;  // CLOCK_MONOTONIC
    std::uint64_t reserved;                        // zero
};
static_assert(sizeof(GameCounters) == 64, "layout changed: raise game_segment_layout_version");

/// Bit per front slot whose event ring exists. Set by fronts, cleared by nobody.
struct alignas(cache_line_bytes) FrontMask {
    std::atomic<std::uint64_t> active;  // ACTIVE: release by a front that made its ring ⇄ acquire
};

/// Written by the supervisor: the epoch of the front in each slot. A session whose id names an
/// older one has lost its front: its game drains what that front had published, then lets it leave.
struct alignas(cache_line_bytes) FrontEpochs {
    std::atomic<std::uint32_t> epoch[front_slots_max];
};
static_assert(sizeof(FrontEpochs) == cache_line_bytes);

/// Written by one front; read by game and supervisor.
struct alignas(cache_line_bytes) FrontLine {
    std::atomic<std::uint32_t> following;     // 1: ring this front's doorbell on publish
    std::atomic<std::uint32_t> watchers;      // spectators it serves
    std::atomic<std::uint64_t> answers_seen;  // roster answers acknowledged, by number
};

struct GameSegmentLayout {
    GameSegmentHeader header;
    GameStatusLine status;
    GameCounters counters;
    TimeCounts lateness;   // in units of lateness_unit_bits; counted in every build
    TimeCounts tick_time;  // from a tick's begin until its snapshot is out; tick_time_unit_bits
    BellWord bell;
    FrontMask fronts;
    FrontEpochs front_epochs;
    FrontLine front[front_slots_max];
    GameFlight flight;
};
static_assert(std::is_standard_layout_v<GameSegmentLayout>);
static_assert(std::is_trivially_destructible_v<GameSegmentLayout>);
static_assert(offsetof(GameSegmentLayout, status) == 512);
static_assert(sizeof(GameSegmentLayout) == 1600 + 64 * front_slots_max + sizeof(GameFlight),
              "layout changed: raise game_segment_layout_version");

/// A mapped game segment whose header has been copied and checked.
class GameSegment {
public:
    GameSegment() noexcept = default;

    /// Makes the file of a plan that lay_out gave: everything but the event rings is reserved.
    [[nodiscard]] static Result<GameSegment> create(const std::string& path,
                                                    const GameSegmentPlan& plan);

    /// The plan with its offsets and sizes, or why such a game does not fit: with the number.
    [[nodiscard]] static Result<GameSegmentPlan> lay_out(GameSegmentPlan plan);

    /// Maps an existing one. The Error tells absent, not ready, other version and damaged apart.
    /// Read-only is for observers: layout() and the rings are then not to be written.
    [[nodiscard]] static Result<GameSegment> open(const std::string& path,
                                                  Access access = Access::read_write);
    [[nodiscard]] static Result<GameSegment> open(int fd);

    [[nodiscard]] const GameSegmentPlan& plan() const noexcept { return plan_; }  // private copy
    [[nodiscard]] GameSegmentLayout& layout() const noexcept {
        return *std::launder(reinterpret_cast<GameSegmentLayout*>(region_.bytes().data()));
    }
    [[nodiscard]] MutableBytes snapshot_ring() const noexcept;
    [[nodiscard]] MutableBytes flight() const noexcept;  // flight_records_of_game
    [[nodiscard]] MutableBytes event_ring(std::uint32_t front_slot) const noexcept;
    [[nodiscard]] explicit operator bool() const noexcept { return !region_.bytes().empty(); }

private:
    static Result<GameSegment> check(SharedRegion region, const std::string& what);
    SharedRegion region_;
    GameSegmentPlan plan_{};
};

}  // namespace ringside
