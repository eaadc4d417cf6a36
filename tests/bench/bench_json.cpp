#include "bench_json.hpp"

#include <nlohmann/json.hpp>

namespace ringside::bench {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Measured& value) {
    Json json{{"median", value.median}};
    if (value.p99) {
        json[value.p99_is_worst ? "max" : "p99"] = *value.p99;
    }
    return json;
}

Json json_of(const Yardstick& yardstick) {
    Json json = json_of(yardstick.value);
    json["name"] = yardstick.name;
    return json;
}

Json json_of(const Goal& goal) {
    const char* against = goal.against == Against::floor   ? "floor"
                          : goal.against == Against::rival ? "rival"
                                                           : "number";
    return {{"against", against},
            {"bound", goal.bound == Bound::at_most ? "at most" : "at least"},
            {"factor", goal.factor},
            {"of", goal.of_p99 ? "p99" : "median"}};
}

Json json_of(const Figure& figure) {
    Json json{{"name", figure.name}, {"unit", figure.unit}, {"value", json_of(figure.value)}};
    if (figure.floor) {
        json["floor"] = json_of(*figure.floor);
    }
    if (figure.rival) {
        json["rival"] = json_of(*figure.rival);
    }
    if (figure.goal) {
        json["goal"] = json_of(*figure.goal);
    }
    if (const auto ratio = figure.ratio()) {
        json["ratio"] = *ratio;
    }
    if (const auto met = figure.met()) {
        json["met"] = *met;
    }
    if (!figure.note.empty()) {
        json["note"] = figure.note;
    }
    return json;
}

Json json_of(const Chart& chart) {
    Json lines = Json::array();
    for (const Line& line : chart.lines) {
        lines.push_back({{"name", line.name}, {"points", line.points}});
    }
    return {{"title", chart.title}, {"x", chart.x_label},   {"y", chart.y_label},
            {"log_x", chart.log_x}, {"log_y", chart.log_y}, {"lines", std::move(lines)}};
}

Json json_of(const RunFacts& facts) {
    return {{"command", facts.command},     {"date", facts.date},
            {"kernel", facts.kernel},       {"cpu", facts.cpu},
            {"cpu_count", facts.cpu_count}, {"memory_mib", facts.memory_mib}};
}

Measured measured_from(const Json& json) {
    Measured value{
        .median = json.at("median"), .p99 = std::nullopt, .p99_is_worst = json.contains("max")};
    if (json.contains("p99") || value.p99_is_worst) {
        value.p99 = json[value.p99_is_worst ? "max" : "p99"].get<double>();
    }
    return value;
}

std::optional<Yardstick> yardstick_from(const Json& figure, const char* which) {
    if (!figure.contains(which)) {
        return std::nullopt;
    }
    const Json& json = figure[which];
    return Yardstick{json.at("name"), measured_from(json)};
}

Goal goal_from(const Json& json) {
    const Json& against = json.at("against");
    return {.against = against == "floor"   ? Against::floor
                       : against == "rival" ? Against::rival
                                            : Against::number,
            .bound = json.at("bound") == "at most" ? Bound::at_most : Bound::at_least,
            .factor = json.at("factor"),
            .of_p99 = json.at("of") == "p99"};
}

Figure figure_from(const Json& json) {
    Figure figure{.name = json.at("name"),
                  .unit = json.at("unit"),
                  .value = measured_from(json.at("value")),
                  .floor = yardstick_from(json, "floor"),
                  .rival = yardstick_from(json, "rival"),
                  .goal = std::nullopt,
                  .note = json.value("note", "")};
    if (json.contains("goal")) {
        figure.goal = goal_from(json["goal"]);
    }
    return figure;
}

Chart chart_from(const Json& json) {
    Chart chart{.title = json.at("title"),
                .x_label = json.at("x"),
                .y_label = json.at("y"),
                .log_x = json.at("log_x"),
                .log_y = json.at("log_y"),
                .lines = {}};
    for (const Json& line : json.at("lines")) {
        chart.lines.push_back({line.at("name"), line.at("points")});
    }
    return chart;
}

StoredReport stored_report_from(const Json& json) {
    const Json& run = json.at("run");
    StoredReport stored{.facts = {run.at("command"), run.at("date"), run.at("kernel"),
                                  run.at("cpu"), run.at("cpu_count"), run.at("memory_mib")},
                        .report = {.bench = json.at("bench"), .notes = json.at("notes")}};
    for (const Json& figure : json.at("figures")) {
        stored.report.figures.push_back(figure_from(figure));
    }
    for (const Json& chart : json.at("charts")) {
        stored.report.charts.push_back(chart_from(chart));
    }
    return stored;
}

}  // namespace

std::string to_json(const StoredReport& stored) {
    const Report& report = stored.report;
    Json json{{"bench", report.bench},
              {"run", json_of(stored.facts)},
              {"figures", Json::array()},
              {"charts", Json::array()},
              {"notes", report.notes}};
    for (const Figure& figure : report.figures) {
        json["figures"].push_back(json_of(figure));
    }
    for (const Chart& chart : report.charts) {
        json["charts"].push_back(json_of(chart));
    }
    return json.dump();
}

Result<StoredReport> from_json(std::string_view text) {
    try {
        return stored_report_from(Json::parse(text));
    } catch (const Json::exception& problem) {
        return failure(std::errc::bad_message, problem.what());
    }
}

}  // namespace ringside::bench
