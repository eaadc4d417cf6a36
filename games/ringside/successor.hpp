#pragma once
// How a serving program hands over to another one in its place: the same process, with the same
// arguments, lock and listening sockets, so that nobody who connects meanwhile is refused.

#include <cstddef>
#include <string>
#include <vector>

#include "ringside/ipc/supervisor.hpp"

namespace ringside {

struct ListeningSockets {
    std::vector<int> fds;    // those that a service manager passed, then those of the arguments
    std::size_t passed = 0;  // whose files, if they have any, are not this program's to remove
};

/// What the program before this one, in the same process, has left open.
struct Handover {
    int lock_fd = -1;  // of the instance; -1: there was none
    ListeningSockets sockets;
};

/// To be asked once, at the start.
[[nodiscard]] Handover take_handover();

/// The program that is at this one's path when it is asked for, run with `arguments`. Requires
/// `serve` to be their first.
[[nodiscard]] Successor make_successor(std::vector<std::string> arguments,
                                       ListeningSockets sockets);

}  // namespace ringside
