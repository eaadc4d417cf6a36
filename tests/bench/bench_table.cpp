#include "bench_table.hpp"

#include <cstdio>

#include <fmt/format.h>

namespace ringside::bench {
namespace {

std::string cell(const std::optional<Yardstick>& yardstick) {
    return yardstick ? fmt::format("{:.4g} {}", yardstick->value.median, yardstick->name) : "";
}

void print_row(const Figure& figure) {
    const auto ratio = figure.ratio();
    fmt::print("{:<44} {:>10} {:>10}  {:<22} {:<26} {:>6}  {:<18} {}\n",
               fmt::format("{} [{}]", figure.name, figure.unit),
               fmt::format("{:.4g}", figure.value.median), tail_text(figure.value),
               cell(figure.floor), cell(figure.rival), ratio ? fmt::format("{:.2f}", *ratio) : "",
               goal_text(figure), met_text(figure));
}

}  // namespace

std::string goal_text(const Figure& figure) {
    if (!figure.goal) {
        return "";
    }
    const char* against = figure.goal->against == Against::floor   ? " x floor"
                          : figure.goal->against == Against::rival ? " x rival"
                                                                   : "";
    return fmt::format("{} {:.4g}{}{}",
                       figure.goal->bound == Bound::at_most ? "<=" : ">=", figure.goal->factor,
                       against, figure.goal->of_p99 ? " (p99)" : "");
}

std::string met_text(const Figure& figure) {
    const auto met = figure.met();
    return !met ? "" : *met ? "yes" : "NO";
}

void print_table(const Report& report) {
    fmt::print("{:<44} {:>10} {:>10}  {:<22} {:<26} {:>6}  {:<18} {}\n", report.bench, "median",
               "p99", "floor", "rival", "ratio", "goal", "met");
    for (const Figure& figure : report.figures) {
        print_row(figure);
    }
    for (const std::string& note : report.notes) {
        fmt::print("  {}\n", note);
    }
    std::fflush(stdout);  // the next benchmark may take a minute
}

}  // namespace ringside::bench
