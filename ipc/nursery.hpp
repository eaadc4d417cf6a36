#pragma once
// Nursery: a tiny process that has one game type ready and forks a game of it on request, so that a
// fork costs page tables and nothing else. It forks with CLONE_PARENT: games are the supervisor's
// children and outlive their nursery.

#include <sys/types.h>

#include "game_loop.hpp"

#include "ringside/core/game.hpp"
#include "ringside/ipc/host_segment.hpp"

namespace ringside {

struct NurseryOptions {
    int socket;            // to the supervisor; takes fork packets, answers forked packets
    pid_t supervisor_pid;  // it and its games die with it
    bool runs_first;       // before all that share the machine fairly; so do its realtime games
    const GameType& type;
    DoorbellSegment doorbells;
    WakeFds wake_fds;
};

/// In the nursery's process: forks games until the supervisor closes the socket. In each forked
/// game: that game's life. Either way returns the process's exit code.
[[nodiscard]] int run_nursery(NurseryOptions options);

}  // namespace ringside
