#pragma once
// What a test may ask about processes it has caused.

#include <string>

#include <sys/types.h>

namespace ringside::test {

/// The living child of `parent` that the kernel (/proc/PID/comm) or ps (the title) calls so, or 0;
/// zombies do not live.
[[nodiscard]] pid_t child_named(pid_t parent, const std::string& name);

/// Returns when no process has this pid any more; a zombie counts as gone.
void wait_until_gone(pid_t pid);

/// Returns when the process is stopped by a signal, or gone.
void wait_until_stopped(pid_t pid);

}  // namespace ringside::test
