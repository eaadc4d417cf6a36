#pragma once
// A running host, as those see it who look on from the same machine.

#include <string>

#include "ringside/core/result.hpp"
#include "ringside/ipc/host_segment.hpp"

namespace ringside {

[[nodiscard]] Result<void> judge_instance_name(const std::string& instance);

/// That there is no host of this name, and what to do about it.
[[nodiscard]] std::unexpected<Error> no_host(const std::string& instance);

[[nodiscard]] Result<HostSegment> observe_host(const std::string& root,
                                               const std::string& instance);

}  // namespace ringside
