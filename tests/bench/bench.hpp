#pragma once
// Bench: what every benchmark returns, so that one program prints, stores and charts them all.
//
// A figure stands beside the floor (what the machine can do at all) and the rival (what people use
// instead), taken in the same run and interleaved with it: the machine's mood changes from minute
// to minute, a ratio of neighbours does not. Nothing here passes or fails a test.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ringside/core/result.hpp"

namespace ringside::bench {

/// A value with its tail.
struct Measured {
    double median = 0;
    std::optional<double> p99;
    bool p99_is_worst = false;  // of too few samples for a p99: the worst of them
};

/// The tail, as "1.23" or, of few samples, "max 1.23"; empty when there is none.
[[nodiscard]] std::string tail_text(const Measured& value);

/// Of samples in any order, which it sorts. Requires at least one.
[[nodiscard]] Measured measured(std::vector<double>& samples);

struct Yardstick {
    std::string name;  // "two threads and one cache line", "boost::lockfree"
    Measured value;
};

enum class Against : std::uint8_t { floor, rival, number };
enum class Bound : std::uint8_t { at_most, at_least };

/// "at most 1.25 × the floor", "at most 300": factor is the number itself for Against::number.
struct Goal {
    Against against = Against::number;
    Bound bound = Bound::at_most;
    double factor = 1;
    bool of_p99 = false;  // the goal is for the tail, not the median
};

struct Figure {
    std::string name;  // "round trip, 32 B"
    std::string unit;  // "ns", "M/s", "µs CPU"
    Measured value;
    std::optional<Yardstick> floor;
    std::optional<Yardstick> rival;
    std::optional<Goal> goal;
    std::string note;  // one sentence, or empty

    /// value / what the goal is against; else / rival or / floor; nothing without a
    /// yardstick, or when that is zero.
    [[nodiscard]] std::optional<double> ratio() const;
    /// Nothing without a goal.
    [[nodiscard]] std::optional<bool> met() const;
};

struct Line {
    std::string name;
    std::vector<std::pair<double, double>> points;  // x ascending
};

/// One chart of the report.
struct Chart {
    std::string title;
    std::string x_label;
    std::string y_label;
    bool log_x = false;
    bool log_y = false;
    std::vector<Line> lines;
};

struct Report {
    std::string bench;
    std::vector<Figure> figures;
    std::vector<Chart> charts;
    std::vector<std::string> notes;  // of the run: what was left out and why
};

struct Options {
    bool smoke = false;       // a second at most: proves that it runs, says nothing about speed
    std::uint64_t seed = 1;   // of whatever is random in the load
    std::string case_begins;  // of a benchmark with cases: only those whose names begin so

    [[nodiscard]] bool wants(std::string_view name) const noexcept {
        return name.starts_with(case_begins);
    }
};

/// An Error is something that went wrong: an event lost or doubled, a rival that does not start.
using Run = Result<Report> (*)(const Options&);

}  // namespace ringside::bench
