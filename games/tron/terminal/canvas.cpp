#include <algorithm>

#include "drawing.hpp"

namespace ringside::tron {
namespace {

constexpr int columns_min = 44;  // what the ready screen takes
constexpr int rows_min = 13;     // what it takes for six players, without the key help

}  // namespace

ScreenSize play_area(const View& view) noexcept {
    return {std::max<int>(view.width, columns_min), std::max<int>(view.height, rows_min)};
}

std::u32string widen(std::string_view text) {
    std::u32string wide;
    for (const char c : text) {
        wide.push_back(c >= ' ' && c <= '~' ? static_cast<char32_t>(c) : U'?');
    }
    return wide;
}

Canvas::Canvas(ScreenSize size)
    : size_{std::max(0, size.columns), std::max(0, size.rows)},
      cells_(static_cast<std::size_t>(size_.columns) * static_cast<std::size_t>(size_.rows)) {}

const ScreenCell& Canvas::at(int column, int row) const {
    return cells_.at(static_cast<std::size_t>(row * size_.columns + column));
}

void Canvas::put(int column, int row, ScreenCell cell) {
    if (column >= 0 && row >= 0 && column < size_.columns && row < size_.rows) {
        cells_[static_cast<std::size_t>(row * size_.columns + column)] = cell;
    }
}

void Canvas::text(int column, int row, std::u32string_view text, ScreenCell style) {
    for (const char32_t glyph : text) {
        style.glyph = glyph;
        put(column++, row, style);
    }
}

std::u32string Canvas::row(int row) const {
    std::u32string text;
    for (int column = 0; column < size_.columns; ++column) {
        text.push_back(at(column, row).glyph);
    }
    return text;
}

}  // namespace ringside::tron
