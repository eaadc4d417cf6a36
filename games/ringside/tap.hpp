#pragma once
// The command `tap`: what a game publishes, as JSON, a line a snapshot.

#include <cstdint>
#include <string>

namespace ringside {

struct TapOptions {
    std::string instance = "default";
    std::string game;
    std::uint64_t snapshots_max = 0;  // then it ends; 0: when the game or its host does
};

/// Returns the exit code; errors go to standard error.
[[nodiscard]] int run_tap(const TapOptions& options);

}  // namespace ringside
