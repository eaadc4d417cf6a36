#pragma once
// The monotonic clock, in nanoseconds, as stored in segments and compared across processes.
// Loops read it; rules never do.

#include <cstdint>

namespace ringside {

/// CLOCK_MONOTONIC, ns: the same for every process of a machine, untouched by clock steps.
[[nodiscard]] std::int64_t monotonic_ns() noexcept;

}  // namespace ringside
