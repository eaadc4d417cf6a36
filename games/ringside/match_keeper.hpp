#pragma once
// MatchKeeper: records every match of a host into a folder, in a process of its own.
//
//   FOLDER/GAME.20261124T131500Z.replay   one match, from its countdown to its result
//   FOLDER/GAME.20261124T131500Z.part     one that is being played
//   FOLDER/newest/GAME.replay             a link to the last match of that name; not of games with
//                                         a password

#include <chrono>
#include <cstdint>
#include <string>

#include "ringside/core/result.hpp"

namespace ringside {

struct KeepOptions {
    std::string folder;
    std::uint64_t bytes_max = 0;  // of all recordings; the oldest go first
    std::chrono::days age_max{};  // older ones go
};

/// Makes the folders that are missing. The Error says why nothing could be written there.
[[nodiscard]] Result<void> make_folder(const std::string& folder);

/// Where the links to the last match of each game are.
[[nodiscard]] std::string newest_folder(const std::string& folder);

/// Follows the host of this instance until `stop_fd` reads as ended. Returns the exit code.
[[nodiscard]] int keep_matches(const KeepOptions& options, const std::string& instance,
                               int stop_fd);

}  // namespace ringside
