#pragma once
// HostObserver: what a host's processes say of themselves, read from outside. It maps their files
// read-only, takes no lock, and asks nobody: a host that is stopped, or was killed, is read as well
// as one that runs. Nothing in the host notices.
//
// What it reads is foreign: texts are to be made printable before a terminal sees them.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ringside/core/histogram.hpp"
#include "ringside/core/ids.hpp"
#include "ringside/core/result.hpp"
#include "ringside/ipc/game_segment.hpp"
#include "ringside/ipc/host_segment.hpp"
#include "ringside/ipc/statistics.hpp"

namespace ringside {

enum class HostLife : std::uint8_t {
    running,
    stopped,  // by a signal: SIGSTOP, or a debugger
    dead,     // without removing its files
};

/// One game, as its segment and the directory have it.
struct GameReading {
    GameId id;
    std::string name;
    std::string type;
    std::string size_label;
    GameState state{};  // by the directory
    pid_t pid = 0;
    std::uint32_t restarts = 0;
    std::int64_t created_ns = 0;  // CLOCK_MONOTONIC
    GameProgress progress;
    std::uint64_t spectators = 0;
    std::int64_t tick_ns = 0;
    std::uint64_t ticks = 0;
    std::int64_t deadline_ns = 0;  // 0: it is parked
    std::uint64_t missed_ticks = 0;
    std::uint64_t snapshots = 0;
    std::uint32_t snapshot_bytes = 0;
    std::uint32_t snapshot_bytes_high = 0;
    std::uint64_t events_applied = 0;
    std::uint64_t events_dropped = 0;
    std::uint32_t event_ring_bytes = 0;  // of records, in the fullest ring now
    std::uint32_t event_ring_bytes_high = 0;
    std::uint32_t event_ring_capacity = 0;
    std::int64_t cpu_ns = 0;
    std::int64_t usage_looked_at_ns = 0;  // when cpu_ns was
    std::uint32_t memory_kib_high = 0;
    std::uint64_t waits = 0;
    std::uint64_t preemptions = 0;
    std::uint64_t segment_bytes = 0;  // reserved without the event rings
    LatenessHistogram lateness;       // in units of lateness_unit_bits
    LatenessHistogram tick_time;      // in units of tick_time_unit_bits
};

struct FrontReading {
    std::uint32_t slot = 0;
    pid_t pid = 0;  // 0: there is none now
    std::uint64_t connections = 0;
    std::uint64_t turns = 0;
    StatisticsReading statistics;
};

struct HostReading {
    HostLife life{};
    pid_t pid = 0;
    std::uint32_t games_max = 0;
    std::optional<StatisticsReading> statistics;  // none: it has not got as far
    std::vector<FrontReading> fronts;             // by slot
};

class HostObserver {
public:
    /// The Error says that there is no such host, or why its files cannot be read.
    [[nodiscard]] static Result<HostObserver> open(const std::string& root,
                                                   const std::string& instance);

    [[nodiscard]] HostReading host() const;

    /// By slot, without those whose process has ended for good. Mappings are kept for the next
    /// call: some 10 µs for a game that is new, 1 µs for the others.
    [[nodiscard]] std::vector<GameReading> games();

    /// One of them.
    [[nodiscard]] std::optional<GameReading> game(const std::string& name);

    /// Whether the files are still those of the host that was opened. If not, another one has the
    /// name, or none.
    [[nodiscard]] bool is_current() const;

    [[nodiscard]] std::string game_path(GameId id) const;

private:
    HostObserver(std::string instance_path, HostSegment host) noexcept;
    [[nodiscard]] const GameSegment* segment_of(GameId id);
    [[nodiscard]] std::optional<GameReading> read_game(std::uint32_t slot,
                                                       const DirectoryRecord& record);

    std::string instance_path_;
    HostSegment host_;
    std::map<std::uint32_t, std::pair<std::uint32_t, GameSegment>> segments_;  // slot → epoch, it
};

}  // namespace ringside
