#pragma once
// A report as JSON: what `--json` prints and build/bench/NAME.json holds; the HTML report is made
// of those files.

#include <string>
#include <string_view>

#include "bench.hpp"
#include "run_facts.hpp"

namespace ringside::bench {

struct StoredReport {
    RunFacts facts;
    Report report;
};

/// One line.
[[nodiscard]] std::string to_json(const StoredReport&);

/// What to_json() made, of this or an earlier version; unknown members are left out.
[[nodiscard]] Result<StoredReport> from_json(std::string_view text);

}  // namespace ringside::bench
