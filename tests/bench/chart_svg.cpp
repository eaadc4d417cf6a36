#include "chart_svg.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include <fmt/format.h>

#include "report_html.hpp"

namespace ringside::bench {
namespace {

constexpr double width = 720;
constexpr double plot_left = 70;
constexpr double plot_right = 700;
constexpr double plot_top = 34;
constexpr double plot_bottom = 320;
constexpr double legend_top = 378;
constexpr double legend_row = 20;
constexpr std::size_t legend_columns = 2;

// One direction of the plot: which values it shows, and where.
class Axis {
public:
    Axis(bool is_log, double at_low, double at_high) noexcept
        : is_log_(is_log), at_low_(at_low), at_high_(at_high) {}

    [[nodiscard]] bool shows(double value) const noexcept {
        return std::isfinite(value) && (!is_log_ || value > 0);
    }

    void include(double value) noexcept {
        if (shows(value)) {
            low_ = std::min(low_, value);
            high_ = std::max(high_, value);
        }
    }

    // Whole steps at both ends; a linear axis that starts anywhere but at 0 exaggerates.
    void finish() noexcept {
        if (low_ > high_) {
            low_ = high_ = 1;
        }
        if (is_log_) {
            low_ = std::pow(10, std::floor(std::log10(low_)));
            high_ = std::pow(10, std::ceil(std::log10(high_)));
            if (low_ == high_) {
                high_ *= 10;
            }
        } else {
            low_ = std::min(low_, 0.0);
            high_ = std::ceil((high_ == low_ ? low_ + 1 : high_) / step()) * step();
        }
    }

    [[nodiscard]] double at(double value) const noexcept {
        const double share = is_log_ ? std::log(value / low_) / std::log(high_ / low_)
                                     : (value - low_) / (high_ - low_);
        return at_low_ + share * (at_high_ - at_low_);
    }

    [[nodiscard]] std::vector<double> ticks() const {
        std::vector<double> ticks;
        if (is_log_) {
            for (double tick = low_; tick < high_ * 1.01; tick *= 10) {
                ticks.push_back(tick);
            }
        } else {
            const double first = std::ceil(low_ / step()) * step();
            for (double tick = first; tick < high_ + step() / 2; tick += step()) {
                ticks.push_back(tick);
            }
        }
        return ticks;
    }

private:
    // 1, 2 or 5 times a power of ten, so that there are 4 to 10 of them.
    [[nodiscard]] double step() const noexcept {
        const double rough = (high_ - low_) / 5;
        const double power = std::pow(10, std::floor(std::log10(rough)));
        return power * (rough < 2 * power ? 1 : rough < 5 * power ? 2 : 5);
    }

    bool is_log_;
    double at_low_;
    double at_high_;
    double low_ = std::numeric_limits<double>::infinity();
    double high_ = -std::numeric_limits<double>::infinity();
};

struct Plot {
    Axis x;
    Axis y;
};

Plot plot_of(const Chart& chart) {
    Plot plot{{chart.log_x, plot_left, plot_right}, {chart.log_y, plot_bottom, plot_top}};
    for (const Line& line : chart.lines) {
        for (const auto& [x, y] : line.points) {
            plot.x.include(x);
            plot.y.include(y);
        }
    }
    plot.x.finish();
    plot.y.finish();
    return plot;
}

std::string number(double value) {  // 20000 -> 20k: a tick's label has little room
    const double size = std::abs(value);
    return size >= 1e9   ? fmt::format("{:.4g}G", value / 1e9)
           : size >= 1e6 ? fmt::format("{:.4g}M", value / 1e6)
           : size >= 1e4 ? fmt::format("{:.4g}k", value / 1e3)
                         : fmt::format("{:.4g}", value);
}

void draw_axes(std::string& svg, const Chart& chart, const Plot& plot) {
    auto out = std::back_inserter(svg);
    for (const double tick : plot.x.ticks()) {
        const double x = plot.x.at(tick);
        fmt::format_to(out, "<path class='grid' d='M{0:.1f} {1}V{2}'/>", x, plot_top, plot_bottom);
        fmt::format_to(out, "<text x='{:.1f}' y='{}' text-anchor='middle'>{}</text>", x,
                       plot_bottom + 18, number(tick));
    }
    for (const double tick : plot.y.ticks()) {
        const double y = plot.y.at(tick);
        fmt::format_to(out, "<path class='grid' d='M{1} {0:.1f}H{2}'/>", y, plot_left, plot_right);
        fmt::format_to(out, "<text x='{}' y='{:.1f}' text-anchor='end'>{}</text>", plot_left - 8,
                       y + 4, number(tick));
    }
    fmt::format_to(out, "<path class='axis' d='M{} {}V{}H{}'/>", plot_left, plot_top, plot_bottom,
                   plot_right);
    fmt::format_to(out, "<text x='{}' y='{}' text-anchor='end'>{}</text>", plot_right,
                   plot_bottom + 40, html_text(chart.x_label));
    fmt::format_to(out, "<text x='8' y='{}'>{}</text>", plot_top - 14, html_text(chart.y_label));
}

void draw_line(std::string& svg, const Line& line, const Plot& plot, std::size_t series) {
    auto out = std::back_inserter(svg);
    std::string path;
    std::string marks;
    for (const auto& [x, y] : line.points) {
        if (!plot.x.shows(x) || !plot.y.shows(y)) {
            continue;
        }
        const double at_x = plot.x.at(x);
        const double at_y = plot.y.at(y);
        fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", path.empty() ? "M" : "L", at_x,
                       at_y);
        fmt::format_to(std::back_inserter(marks),
                       "<circle cx='{:.1f}' cy='{:.1f}' r='3.5'><title>{}: {:.6g}, {:.6g}</title>"
                       "</circle>",
                       at_x, at_y, html_text(line.name), x, y);
    }
    fmt::format_to(out, "<g class='series-{}'><path class='line' d='{}'/>{}</g>",
                   series % series_colours, path, marks);
}

void draw_legend(std::string& svg, const Chart& chart) {
    for (std::size_t series = 0; series < chart.lines.size(); ++series) {
        const double column = static_cast<double>(series % legend_columns);
        const double row = static_cast<double>(series / legend_columns);
        const double x = plot_left + column * (plot_right - plot_left) / legend_columns;
        const double y = legend_top + row * legend_row;
        fmt::format_to(
            std::back_inserter(svg),
            "<g class='series-{}'><path class='line' d='M{} {}h22'/><circle cx='{}' cy='{}' "
            "r='3.5'/></g><text x='{}' y='{}'>{}</text>",
            series % series_colours, x, y, x + 11, y, x + 30, y + 4,
            html_text(chart.lines[series].name));
    }
}

}  // namespace

// Line colours are distinct in brightness too, for readers who do not tell the hues apart.
std::string chart_style() {
    std::string style =
        "svg { --ink: #1b1f24; --soft: #59636e; --grid: #d8dee4;\n"
        "  --c0: #0550ae; --c1: #bc4c00; --c2: #1a7f37; --c3: #8250df; --c4: #bf3989;\n"
        "  --c5: #7d5a00; --c6: #1b7c83; --c7: #57606a }\n"
        "@media (prefers-color-scheme: dark) { svg { --ink: #e6edf3; --soft: #9aa5b1;\n"
        "  --grid: #2d343c; --c0: #79b8ff; --c1: #ffa657; --c2: #56d364; --c3: #d2a8ff;\n"
        "  --c4: #ff9bce; --c5: #e3c04f; --c6: #5ad1d8; --c7: #b1bac4 } }\n"
        "svg { font-family: system-ui, sans-serif } svg text { font-size: 12px; fill: var(--soft) "
        "}\n"
        ".grid { stroke: var(--grid); fill: none } .axis { stroke: var(--soft); fill: none }\n"
        ".line { fill: none; stroke-width: 2 }\n";
    for (std::size_t series = 0; series < series_colours; ++series) {
        fmt::format_to(std::back_inserter(style),
                       ".series-{0} .line {{ stroke: var(--c{0}) }} "
                       ".series-{0} circle {{ fill: var(--c{0}) }}\n",
                       series);
    }
    return style;
}

std::string to_svg_file(const Chart& chart) {
    std::string svg = to_svg(chart);
    svg.insert(svg.find('>') + 1, "<style>" + chart_style() + "</style>");
    return svg + "\n";
}

std::string to_svg(const Chart& chart) {
    const Plot plot = plot_of(chart);
    const std::size_t rows = (chart.lines.size() + legend_columns - 1) / legend_columns;
    const double height = legend_top + static_cast<double>(rows) * legend_row;
    std::string svg = fmt::format(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {} {}' role='img' aria-label='{}'>",
        width, height, html_text(chart.title));
    draw_axes(svg, chart, plot);
    for (std::size_t series = 0; series < chart.lines.size(); ++series) {
        draw_line(svg, chart.lines[series], plot, series);
    }
    draw_legend(svg, chart);
    return svg + "</svg>";
}

}  // namespace ringside::bench
