#pragma once
// CPU lists as they are written for cpusets and taskset: "0,2-3".

#include <string_view>
#include <vector>

#include "ringside/core/result.hpp"

namespace ringside {

/// The CPUs named, in that order; empty text names none. The Error names what is no list, or the
/// CPU that this process may not use.
[[nodiscard]] Result<std::vector<int>> parse_cpu_list(std::string_view text);

}  // namespace ringside
