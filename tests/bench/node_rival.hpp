#pragma once
// Runs a rival written for Node: a script of tests/bench/rivals that prints one JSON object.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "ringside/core/result.hpp"

namespace ringside::bench {

/// Why there is no rival, for a report's notes.
inline constexpr const char* no_node = "there is no `node` in PATH: no figure of Node beside ours";

/// What the script prints; nothing where there is no `node` in PATH. The Error is a script that
/// fails, prints no JSON or does not end in time; its process group is killed then.
[[nodiscard]] Result<std::optional<nlohmann::json>> run_node(
    const std::string& script, const std::vector<std::string>& arguments,
    std::chrono::seconds time_max);

}  // namespace ringside::bench
