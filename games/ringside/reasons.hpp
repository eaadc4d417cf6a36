#pragma once
// Why a host refused somebody or let them go, in words that are safe to print.

#include <string>

#include "ringside/core/wire_generated.h"

namespace ringside {

[[nodiscard]] std::string refusal(const wire::Refused& refused);

/// Empty when the player asked to leave.
[[nodiscard]] std::string farewell(const wire::Left& left);

}  // namespace ringside
