#pragma once
// A report as text, and the words that table and HTML share.

#include <string>

#include "bench.hpp"

namespace ringside::bench {

/// "<= 1.25 x floor"; empty without a goal.
[[nodiscard]] std::string goal_text(const Figure&);

/// "yes", "NO", or empty without a goal.
[[nodiscard]] std::string met_text(const Figure&);

/// To standard output.
void print_table(const Report&);

}  // namespace ringside::bench
