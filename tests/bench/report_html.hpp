#pragma once
// The reports of a run as one HTML page that needs nothing else: no script, font, style sheet or
// picture from elsewhere. Light or dark as the reader's system is.

#include <span>
#include <string>
#include <string_view>

#include "bench_json.hpp"

namespace ringside::bench {

struct GoalCount {
    int met = 0;
    int total = 0;
};

[[nodiscard]] GoalCount count_goals(std::span<const StoredReport>);

[[nodiscard]] std::string to_html(std::span<const StoredReport>);

/// With the five characters that HTML gives a meaning written as entities.
[[nodiscard]] std::string html_text(std::string_view);

}  // namespace ringside::bench
