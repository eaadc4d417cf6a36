#pragma once
// GameStatistics: what a game's process counts of itself, in its segment (GameCounters and the two
// histograms). A process that takes a dead one's place goes on with its numbers.

#include <cstddef>
#include <cstdint>

#include "ringside/core/ticker.hpp"
#include "ringside/ipc/game_segment.hpp"

namespace ringside {

class GameStatistics {
public:
    explicit GameStatistics(GameSegmentLayout& layout) noexcept;

    [[gnu::hot]] void tick_begins(std::int64_t now_ns, const Ticker::Lateness& lateness) noexcept;
    void event_applied() noexcept { ++events_applied_; }

    /// What a turn of the loop has led to: called last, when a snapshot is out and fronts are rung.
    struct Published {
        std::size_t snapshot_bytes;
        std::size_t event_ring_bytes;  // the most that was in one ring
        std::int64_t now_ns;           // or a moment before; not used in a turn with a tick
    };
    [[gnu::hot]] void published(const Published& published) noexcept;

private:
    void look_at_usage(std::int64_t now_ns) noexcept;

    GameSegmentLayout* layout_;
    std::uint64_t events_applied_;
    std::int64_t tick_began_ns_ = 0;  // 0: this turn has had none
    std::int64_t next_look_ns_ = 0;
    // Of the processes before this one.
    std::int64_t cpu_ns_before_;
    std::uint64_t waits_before_;
    std::uint64_t preemptions_before_;
};

}  // namespace ringside
