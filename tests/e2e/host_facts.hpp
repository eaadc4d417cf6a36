#pragma once
// What an instance's shared memory says of its games: read from outside, as an observer would, also
// when their host is dead.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "ringside/core/histogram.hpp"
#include "ringside/ipc/game_segment.hpp"

namespace ringside::test {

struct GameFacts {
    std::string name;
    pid_t pid = 0;  // of the directory; 0: being forked
    std::uint64_t tick = 0;
    std::uint64_t sequence = 0;  // of the newest snapshot
    std::uint64_t missed_ticks = 0;
    std::array<std::uint32_t, LatenessHistogram::bucket_count> lateness{};  // ticks by bucket
    std::uint32_t restarts = 0;
    unsigned players = 0;
    bool ended = false;
};

/// Of the game that has this process.
[[nodiscard]] std::optional<GameSegment> segment_of(const std::string& instance, pid_t game);

/// Of every game that has a segment, by slot.
[[nodiscard]] std::vector<GameFacts> look_at_games(const std::string& instance);

/// What a host of this pid has: processes (itself included), and its own descriptors and mappings.
struct Footprint {
    std::size_t processes = 0;
    std::size_t descriptors = 0;
    std::size_t mappings = 0;
    std::size_t files = 0;  // of the instance
};
[[nodiscard]] Footprint footprint_of(pid_t host, const std::string& instance);

/// The children of a process.
[[nodiscard]] std::vector<pid_t> children_of(pid_t parent);

}  // namespace ringside::test
