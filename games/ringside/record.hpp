#pragma once
// The command `record`: follows one game of a running host and writes it to a file.

#include <string>

namespace ringside {

struct RecordOptions {
    std::string instance;
    std::string game;
    std::string path;  // empty: the game's name with ".replay"
};

/// Until the game ends, or SIGINT or SIGTERM; prints what it has recorded. Returns the exit code:
/// 0, or 1 when there is no such game, the file exists or cannot be written, or the game went away
/// without an end.
[[nodiscard]] int run_record(const RecordOptions& options);

}  // namespace ringside
