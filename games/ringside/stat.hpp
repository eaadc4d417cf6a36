#pragma once
// The commands `stat` and `errors`: what a host's processes say of themselves, without asking them.

#include <string>

namespace ringside {

struct StatOptions {
    std::string instance = "default";
    std::string game;    // this one alone; empty: all
    bool json = false;   // one object
    bool watch = false;  // again every second, until a signal or the host's end
};

/// Both return the exit code; errors go to standard error.
[[nodiscard]] int run_stat(const StatOptions& options);
[[nodiscard]] int run_errors(const std::string& instance, bool json);

}  // namespace ringside
