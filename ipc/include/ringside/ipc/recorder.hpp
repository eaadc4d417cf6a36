#pragma once
// Recorder: follows a running game from outside and writes down what happens in it. It maps the
// game's segment read-only, so the game neither waits for it nor knows of it; whoever is slower
// than the game's ring loses frames, and the recording says where.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ringside/core/ids.hpp"
#include "ringside/core/nickname.hpp"
#include "ringside/ipc/game_segment.hpp"
#include "ringside/ipc/host_segment.hpp"
#include "ringside/ipc/snapshot.hpp"
#include "ringside/ipc/snapshot_ring.hpp"

namespace ringside {

/// A game of a running host that is not over.
struct ObservedGame {
    GameId id;
    std::string name;
    std::string segment_path;
    bool has_password = false;
};

/// The directory of a running host, as seen from outside.
class GameObserver {
public:
    /// The Error says that there is no such host.
    [[nodiscard]] static Result<GameObserver> open(const std::string& root,
                                                   const std::string& instance);

    /// By slot.
    [[nodiscard]] std::vector<ObservedGame> games() const;

private:
    GameObserver(std::string instance_path, HostSegment host) noexcept;
    std::string instance_path_;
    HostSegment host_;
};

class Recorder {
public:
    enum class Extent : std::uint8_t {
        all,      // from its newest state to its end
        matches,  // each from its countdown to its result, as a recording of its own
    };

    /// Of the game in this segment.
    [[nodiscard]] static Result<Recorder> open(const std::string& segment_path, Extent extent);

    enum class State : std::uint8_t {
        goes_on,
        match_over,  // Extent::matches: this recording is whole, and the next one begins
        no_match,    // Extent::matches: the countdown was called off; what was appended is void
        ended,       // with its last snapshot
        damaged,     // what the game has published is no snapshot
    };

    /// Appends what has happened since the last time, in whole entries. Never waits. Frames are
    /// missed where this is not called for so long that the game fills half of its snapshot ring:
    /// two snapshots of the largest size, and many of a usual one.
    [[nodiscard]] State record(std::vector<std::byte>& file);

    [[nodiscard]] const GameSegmentPlan& plan() const noexcept { return segment_.plan(); }
    [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }  // of this recording
    [[nodiscard]] std::uint64_t gaps() const noexcept { return gaps_; }
    [[nodiscard]] std::uint64_t tick() const noexcept { return tick_; }

private:
    Recorder(GameSegment segment, SnapshotReader reader, Extent extent);
    [[nodiscard]] bool begins_with(const SnapshotParts& parts) const noexcept;
    [[nodiscard]] State after(const SnapshotParts& parts) noexcept;
    void write_start(std::vector<std::byte>& file) const;
    void write_frame(std::vector<std::byte>& file, const SnapshotParts& parts, bool missed_some);
    [[nodiscard]] bool note_nicknames(std::span<const RosterEntry> roster);

    GameSegment segment_;
    SnapshotReader reader_;
    Extent extent_;
    std::vector<std::uint64_t> copy_;
    std::vector<Nickname> nicknames_;  // by seat, as in the frame written last
    bool recording_ = false;
    bool played_ = false;  // this match: not only counted down
    std::uint64_t frames_ = 0;
    std::uint64_t gaps_ = 0;
    std::uint64_t tick_ = 0;
};

}  // namespace ringside
