#pragma once
// A chart as an inline SVG element. Colours come from the page (--ink, --grid, .series-0 …), so
// that one drawing is readable on light and dark.

#include <string>

#include "bench.hpp"

namespace ringside::bench {

/// Lines beyond this repeat a colour.
inline constexpr std::size_t series_colours = 8;

[[nodiscard]] std::string to_svg(const Chart&);

}  // namespace ringside::bench
