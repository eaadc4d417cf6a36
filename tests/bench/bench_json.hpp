#pragma once
// A report as JSON: what `--json` prints, and what the HTML report is made of.

#include <string>

#include "bench.hpp"

namespace ringside::bench {

/// One line.
[[nodiscard]] std::string to_json(const Report& report);

}  // namespace ringside::bench
