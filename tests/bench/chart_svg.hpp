#pragma once
// A chart as an inline SVG element. Colours come from the page (--ink, --grid, .series-0 …), so
// that one drawing is readable on light and dark.

#include <string>

#include "bench.hpp"

namespace ringside::bench {

/// Lines beyond this repeat a colour.
inline constexpr std::size_t series_colours = 8;

/// For a page that has chart_style().
[[nodiscard]] std::string to_svg(const Chart&);

/// The rules that charts need, for light and dark pages.
[[nodiscard]] std::string chart_style();

/// A file of its own.
[[nodiscard]] std::string to_svg_file(const Chart&);

}  // namespace ringside::bench
