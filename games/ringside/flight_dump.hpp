#pragma once
// `ringside dump`: what the flight recorders of a host of this machine hold.

#include <string>

namespace ringside {

struct DumpOptions {
    std::string instance;
    std::string game;   // only this game's; empty: everybody's
    bool json = false;  // one JSON object a line
};

/// Prints it, by time; returns the program's exit code. The host may be dead.
[[nodiscard]] int run_dump(const DumpOptions& options);

}  // namespace ringside
