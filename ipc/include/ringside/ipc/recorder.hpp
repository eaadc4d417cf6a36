#pragma once
// Recorder: follows a running game from outside and writes down what happens in it. It maps the
// game's segment read-only, so the game neither waits for it nor knows of it; whoever is slower
// than the game's ring loses frames, and the recording says where.

#include <cstdint>
#include <string>
#include <vector>

#include "ringside/ipc/game_segment.hpp"
#include "ringside/ipc/snapshot.hpp"
#include "ringside/ipc/snapshot_ring.hpp"

namespace ringside {

/// The segment of the game with this name in a running host. The Error says what there is not.
[[nodiscard]] Result<std::string> find_game(const std::string& root, const std::string& instance,
                                            const std::string& game);

class Recorder {
public:
    /// Of the game in this segment, from its newest state on.
    [[nodiscard]] static Result<Recorder> open(const std::string& segment_path);

    enum class State : std::uint8_t {
        goes_on,
        ended,    // with its last snapshot
        damaged,  // what the game has published is no snapshot
    };

    /// Appends what has happened since the last time, in whole entries. Never waits. Frames are
    /// missed where this is not called for so long that the game fills half of its snapshot ring:
    /// two snapshots of the largest size, and many of a usual one.
    [[nodiscard]] State record(std::vector<std::byte>& file);

    [[nodiscard]] const GameSegmentPlan& plan() const noexcept { return segment_.plan(); }
    [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
    [[nodiscard]] std::uint64_t gaps() const noexcept { return gaps_; }
    [[nodiscard]] std::uint64_t tick() const noexcept { return tick_; }

private:
    Recorder(GameSegment segment, SnapshotReader reader);
    void write_start(std::vector<std::byte>& file) const;
    void write_frame(std::vector<std::byte>& file, const SnapshotParts& parts, bool missed_some);

    GameSegment segment_;
    SnapshotReader reader_;
    std::vector<std::uint64_t> copy_;
    std::uint64_t frames_ = 0;
    std::uint64_t gaps_ = 0;
    std::uint64_t tick_ = 0;
};

}  // namespace ringside
