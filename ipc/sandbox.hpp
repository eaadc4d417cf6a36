#pragma once
// Sandbox: what a game process may still do once it has its segment: compute, touch its own memory,
// sleep, wake others by futex and the eventfds it has, and end. Anything else kills it, which its
// supervisor takes for a crash. Its nursery is in the same sandbox from its start, but for what it
// takes to fork a game and to give it its segment; so a game gives up little by itself, and soon
// runs.
//
// No root       a nursery of a host that runs as root becomes `nobody`, without groups
// seccomp       two allow-lists, judged by the kernel at each system call: the nursery's, and in a
//               game, which passes both, one without forking, descriptors and filters
// Landlock      no file at all, should a way around the lists be found (Linux 5.13)
// rlimit        memory; in a game no processes either
//
// Sanitizers need system calls of their own: in their builds the lists are left out.

#include <vector>

#include <linux/filter.h>

#include "ringside/core/result.hpp"

namespace ringside {

class Sandbox {
public:
    /// In the nursery, once, before it takes orders: its own confinement, which its games inherit.
    /// This process's death with its parent's is to be asked for after it: the kernel forgets that
    /// when the user changes.
    [[nodiscard]] static Result<Sandbox> enter_in_nursery();

    /// In a game, when it has its segment: takes the rest away.
    [[nodiscard]] Result<void> enter_in_game() const;

private:
    explicit Sandbox(std::vector<sock_filter> game_program) noexcept;

    std::vector<sock_filter> game_program_;
};

}  // namespace ringside
