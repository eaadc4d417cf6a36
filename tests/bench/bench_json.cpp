#include "bench_json.hpp"

#include <nlohmann/json.hpp>

namespace ringside::bench {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Measured& value) {
    Json json{{"median", value.median}};
    if (value.p99) {
        json["p99"] = *value.p99;
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

}  // namespace

std::string to_json(const Report& report) {
    Json json{{"bench", report.bench},
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

}  // namespace ringside::bench
