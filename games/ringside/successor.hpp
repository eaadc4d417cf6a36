#pragma once
// How a serving program hands over to another one in its place: the same process, with the same
// arguments, lock and listening sockets, so that nobody who connects meanwhile is refused.

#include <string>
#include <vector>

#include "ringside/ipc/supervisor.hpp"

namespace ringside {

/// What the program before this one, in the same process, has left open.
struct Handover {
    int lock_fd = -1;                // of the instance; -1: there was none
    std::vector<int> listening_fds;  // in the order of the arguments
};

/// To be asked once, at the start.
[[nodiscard]] Handover take_handover();

/// The program that is at this one's path when it is asked for, run with `arguments`. Requires
/// `serve` to be their first.
[[nodiscard]] Successor make_successor(std::vector<std::string> arguments,
                                       std::vector<int> listening_fds);

}  // namespace ringside
