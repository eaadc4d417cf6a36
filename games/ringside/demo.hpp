#pragma once
// demo: what the program does without arguments and without a terminal: a short match between two
// bots on a private host, printed as plain text.

namespace ringside {

/// Takes some seconds. Returns the exit code; errors go to standard error.
[[nodiscard]] int run_demo();

}  // namespace ringside
