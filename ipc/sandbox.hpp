#pragma once
// Sandbox: what a game process may still do once it has its segment: compute, touch its own memory,
// sleep, wake others by futex and the eventfds it has, and end. Anything else kills it, which its
// supervisor takes for a crash.
//
// No root       a game of a host that runs as root becomes `nobody`, without groups
// seccomp       an allow-list, judged by the kernel at each system call; no descriptor can be made
// Landlock      no file at all, should a way around the list be found (Linux 5.13)
// rlimit        memory
//
// Sanitizers need system calls of their own: in their builds the list is left out.

#include <vector>

#include <linux/filter.h>

#include "ringside/core/result.hpp"

namespace ringside {

class Sandbox {
public:
    /// In the nursery, once: every game takes the same.
    [[nodiscard]] static Result<Sandbox> prepare();
    Sandbox(Sandbox&&) noexcept;
    Sandbox& operator=(Sandbox&&) = delete;
    ~Sandbox();

    /// In a game, while it still may do anything. This process's death with its parent's is to be
    /// asked for after it: the kernel forgets that when the user changes.
    [[nodiscard]] Result<void> give_up_files_and_root() const;

    /// In a game, last.
    [[nodiscard]] Result<void> enter() const;

private:
    Sandbox(std::vector<sock_filter> program, int landlock_fd) noexcept;

    std::vector<sock_filter> program_;
    int landlock_fd_;  // -1: this kernel has none
};

}  // namespace ringside
