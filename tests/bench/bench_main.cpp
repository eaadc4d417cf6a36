// ringside-bench: runs one benchmark and prints its figures, as a table or as JSON; makes the HTML
// report of what earlier runs stored.

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench.hpp"
#include "bench_json.hpp"
#include "bench_table.hpp"
#include "benches.hpp"
#include "chart_svg.hpp"
#include "report_html.hpp"
#include "run_facts.hpp"

namespace ringside::bench {
namespace {

struct Output {
    bool json = false;
    std::string json_file;  // empty: none
};

int complain(std::string_view subject, std::string_view problem) {
    fmt::print(stderr, "ringside-bench: {}: {}\n", subject, problem);
    return 1;
}

bool write_file(const std::string& path, const std::string& text) {
    std::ofstream file(path);
    file << text;
    return file.flush().good();
}

int run(const Bench& bench, const Options& options, const Output& output, const RunFacts& facts) {
    auto report = bench.run(options);
    if (!report) {
        return complain(bench.name, report.error().text());
    }
    if (report->figures.empty()) {
        return complain(bench.name,
                        fmt::format("no case's name begins with '{}'", options.case_begins));
    }
    std::erase_if(report->charts, [](const Chart& chart) {  // of cases that were not asked for
        return std::ranges::all_of(chart.lines,
                                   [](const Line& line) { return line.points.empty(); });
    });
    const StoredReport stored{facts, std::move(*report)};
    if (output.json) {
        fmt::print("{}\n", to_json(stored));
    } else {
        print_table(stored.report);
    }
    if (!output.json_file.empty() && !write_file(output.json_file, to_json(stored) + "\n")) {
        return complain(output.json_file, "cannot be written");
    }
    return 0;
}

int write_charts(const std::vector<StoredReport>& reports, const std::string& folder) {
    for (const StoredReport& stored : reports) {
        std::size_t number = 0;
        for (const Chart& chart : stored.report.charts) {
            const std::string path =
                fmt::format("{}/{}-{}.svg", folder, stored.report.bench, ++number);
            if (!write_file(path, to_svg_file(chart))) {
                return complain(path, "cannot be written");
            }
        }
    }
    return 0;
}

int write_report(const std::vector<std::string>& files, const std::string& html_file,
                 const std::string& charts_folder) {
    std::vector<StoredReport> reports;
    for (const std::string& path : files) {
        std::ifstream file(path);
        auto stored = from_json(std::string(std::istreambuf_iterator(file), {}));
        if (!stored) {
            return complain(path, stored.error().text());
        }
        reports.push_back(std::move(*stored));
    }
    if (!write_file(html_file, to_html(reports))) {
        return complain(html_file, "cannot be written");
    }
    if (!charts_folder.empty()) {
        if (const int failed = write_charts(reports, charts_folder); failed != 0) {
            return failed;
        }
    }
    const GoalCount goals = count_goals(reports);
    fmt::print("{} of {} goals met\n", goals.met, goals.total);
    return 0;
}

int list() {
    for (const Bench& bench : benches()) {
        fmt::print("{}\n", bench.name);
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
    Output output;
    for (const Bench& bench : benches()) {
        CLI::App* command = app.add_subcommand(std::string(bench.name), std::string(bench.about));
        command->add_flag("--json", output.json, "one object on standard output");
        command->add_option("--json-file", output.json_file, "the same object, to this file");
        command->add_flag("--smoke", options.smoke, "a second at most: only that it runs");
        command->add_option("--seed", options.seed, "of the random load");
        if (bench.has_cases) {
            command->add_option("--case", options.case_begins,
                                "only the cases whose names begin so: what stands in the table's "
                                "first column, up to a colon");
        }
    }
    const CLI::App* list_command = app.add_subcommand("list", "the names of all benchmarks");
    CLI::App* report_command =
        app.add_subcommand("report",
                           "one HTML page of stored reports; prints how many goals are "
                           "met");
    std::vector<std::string> files;
    std::string html_file;
    report_command->add_option("--output", html_file, "the page to write")->required();
    std::string charts_folder;
    report_command->add_option("--charts", charts_folder,
                               "also writes each chart into this folder, as a file of its own");
    report_command->add_option("file", files, "what --json-file wrote")->required();
    CLI11_PARSE(app, argc, argv);

    if (list_command->parsed()) {
        return list();
    }
    if (report_command->parsed()) {
        return write_report(files, html_file, charts_folder);
    }
    for (const Bench& bench : benches()) {
        if (app.got_subcommand(std::string(bench.name))) {
            return run(bench, options, output, run_facts(argc, argv));
        }
    }
    return 2;
}
