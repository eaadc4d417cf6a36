#pragma once
// The command `list`: the games of a host.

#include <string>

#include "ringside/net/endpoint.hpp"

namespace ringside {

struct ListOptions {
    Endpoint endpoint;
    std::string prefix{};  // only games whose names start with it
    bool json = false;     // one object instead of a table
};

/// Prints all pages as one. Returns the exit code; errors go to standard error.
[[nodiscard]] int run_list(const ListOptions& options);

}  // namespace ringside
