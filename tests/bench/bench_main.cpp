// ringside-bench: runs one benchmark and prints its figures, as a table or as JSON.

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench.hpp"
#include "bench_json.hpp"
#include "benches.hpp"

namespace ringside::bench {
namespace {

std::string cell(const std::optional<Yardstick>& yardstick) {
    return yardstick ? fmt::format("{:.4g} {}", yardstick->value.median, yardstick->name) : "";
}

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

void print(const Report& report) {
    fmt::print("{:<44} {:>10} {:>10}  {:<22} {:<26} {:>6}  {:<18} {}\n", report.bench, "median",
               "p99", "floor", "rival", "ratio", "goal", "met");
    for (const Figure& figure : report.figures) {
        const auto ratio = figure.ratio();
        const auto met = figure.met();
        fmt::print("{:<44} {:>10} {:>10}  {:<22} {:<26} {:>6}  {:<18} {}\n",
                   fmt::format("{} [{}]", figure.name, figure.unit),
                   fmt::format("{:.4g}", figure.value.median),
                   figure.value.p99 ? fmt::format("{:.4g}", *figure.value.p99) : "",
                   cell(figure.floor), cell(figure.rival),
                   ratio ? fmt::format("{:.2f}", *ratio) : "", goal_text(figure),
                   met ? (*met ? "yes" : "NO") : "");
    }
    for (const std::string& note : report.notes) {
        fmt::print("  {}\n", note);
    }
}

int run(const Bench& bench, const Options& options, bool json) {
    const auto report = bench.run(options);
    if (!report) {
        fmt::print(stderr, "ringside-bench: {}: {}\n", bench.name, report.error().text());
        return 1;
    }
    if (json) {
        fmt::print("{}\n", to_json(*report));
    } else {
        print(*report);
    }
    return 0;
}

}  // namespace
}  // namespace ringside::bench

int main(int argc, char** argv) {
    using namespace ringside::bench;
    CLI::App app(
        "Measures Ringside beside what the machine can do at all (the floor) and what people\n"
        "would use instead (the rival). bazel-free-scripts/bench runs all and writes a report.");
    app.name("ringside-bench");
    app.require_subcommand(1);
    Options options;
    bool json = false;
    for (const Bench& bench : benches()) {
        CLI::App* command = app.add_subcommand(std::string(bench.name), std::string(bench.about));
        command->add_flag("--json", json, "one object on standard output");
        command->add_flag("--smoke", options.smoke, "a second at most: only that it runs");
        command->add_option("--seed", options.seed, "of the random load");
    }
    CLI11_PARSE(app, argc, argv);
    for (const Bench& bench : benches()) {
        if (app.got_subcommand(std::string(bench.name))) {
            return run(bench, options, json);
        }
    }
    return 2;
}
