// The ancestor's recordings, played into the rules, and what happens to damaged ones.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "replay.hpp"

#include "ringside/tron/trace.hpp"
#include "ringside/tron/trace_driver.hpp"

namespace fs = std::filesystem;
using namespace ringside;
using namespace ringside::tron;

namespace {

const fs::path own_traces = RINGSIDE_TRACES_OWN;
const fs::path shared_traces = RINGSIDE_TRACES_SHARED;

std::vector<std::string> lines_of(const fs::path& path) {
    std::ifstream in(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

int replay(const fs::path& path, std::uint32_t restore_every = 0) {
    return run_replay(
        {.path = path, .driver = direct_driver_factory({.restore_every = restore_every})});
}

/// A file of its own that goes away with the test.
class TemporaryFile {
public:
    explicit TemporaryFile(const std::string& content) {
        path_ = fs::temp_directory_path() /
                ("ringside-trace-" + std::to_string(std::random_device{}()));
        std::ofstream(path_, std::ios::binary) << content;
    }
    ~TemporaryFile() { fs::remove(path_); }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

std::string error_of(std::string_view line) {
    const auto trace = parse_trace(line);
    return trace ? std::string() : trace.error().message;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("rules: every quirk of the ancestor is kept", "[games][tron]") {
    for (const std::string& line : lines_of(own_traces / "quirk_traces.jsonl")) {
        const auto trace = parse_trace(line);
        REQUIRE(trace.has_value());
        auto driver = direct_driver_factory({})(config_of(*trace));
        REQUIRE(driver.has_value());
        const auto outcome = replay_trace(*trace, **driver);
        REQUIRE(outcome.has_value());
        INFO(trace->id << ": " << (*outcome ? (*outcome)->what : ""));
        CHECK_FALSE(outcome->has_value());
    }
}

TEST_CASE("rules: the own selection of recordings passes", "[games][tron]") {
    const auto restore_every = GENERATE(0u, 1u, 7u);
    CHECK(replay(own_traces / "quirk_traces.jsonl", restore_every) == 0);
    CHECK(replay(own_traces / "shared_selection.jsonl", restore_every) == 0);
}

TEST_CASE("rules: all shared recordings pass", "[games][tron]") {
    if (!fs::exists(shared_traces)) {
        std::printf("%s is absent: only the own selection was replayed\n", shared_traces.c_str());
        return;
    }
    const auto restore_every = GENERATE(0u, 5u);
    CHECK(replay(shared_traces / "shared_traces.jsonl", restore_every) == 0);
    CHECK(replay(shared_traces / "quirk_traces.jsonl", restore_every) == 0);
}

TEST_CASE("replay: exit codes tell a difference from a file that cannot be used",
          "[games][replay]") {
    const auto lines = lines_of(own_traces / "quirk_traces.jsonl");
    SECTION("a missing file") {
        CHECK(replay("/nonexistent/traces.jsonl") == 2);
    }
    SECTION("a directory") {
        CHECK(replay("/") == 2);
    }
    SECTION("an empty file") {
        CHECK(replay(TemporaryFile("").path()) == 2);
    }
    SECTION("an empty line") {
        CHECK(replay(TemporaryFile(lines[0] + "\n\n").path()) == 2);
    }
    SECTION("no newline at the end") {
        CHECK(replay(TemporaryFile(lines[0]).path()) == 0);
    }
    SECTION("a line cut off") {
        const std::string cut = lines[1].substr(0, lines[1].size() / 2);
        CHECK(replay(TemporaryFile(lines[0] + "\n" + cut).path()) == 2);
    }
    SECTION("a trace that another game recorded") {
        const auto other =
            replaced(lines[0], R"("key":105},{"tick":4,"op":"key","player":0,"key":27)",
                     R"("key":27},{"tick":4,"op":"key","player":0,"key":27)");
        CHECK(replay(TemporaryFile(other + "\n" + lines[1] + "\n").path()) == 1);
    }
    SECTION("a state that the rules do not give") {
        const auto other = replaced(lines[0], "[[0,35,3,3,1]]", "[[0,35,4,3,1]]");
        CHECK(replay(TemporaryFile(other).path()) == 1);
    }
    SECTION("a digest that the states do not give") {
        const auto other = replaced(lines[0], R"("digest":3185032403)", R"("digest":3185032404)");
        CHECK(replay(TemporaryFile(other).path()) == 1);
    }
}

TEST_CASE("trace: a difference is told with cycle, field and both values", "[games][trace]") {
    const auto trace = parse_trace(lines_of(own_traces / "quirk_traces.jsonl")[0]);
    REQUIRE(trace.has_value());
    ExpectedStates states(trace->rows);
    REQUIRE(states.next());
    TraceState other = states.state();
    other.view.cycles[0].x = 5;
    CHECK(difference(other, states.state()) == "cycle 0 x is 5, expected 0");
    CHECK(difference(states.state(), states.state()).empty());
}

TEST_CASE("trace: a damaged line is refused with what is wrong", "[games][trace]") {
    const std::string good = lines_of(own_traces / "quirk_traces.jsonl")[0];
    REQUIRE(error_of(good).empty());
    const auto damage = [&](std::string_view from, std::string_view to) {
        return error_of(replaced(good, from, to));
    };
    CHECK(error_of("") == "not a complete JSON object");
    CHECK(error_of("[]") == "'id' is missing");
    CHECK(error_of(good.substr(0, good.size() - 1)) == "not a complete JSON object");
    CHECK(damage("\"digest\":", "\"digits\":") == "'digest' is missing");
    CHECK(damage("\"ticks\":65", "\"ticks\":66") == "'states' has 65 ticks, 'ticks' says 66");
    CHECK(damage("\"ticks\":65", "\"ticks\":-1") == "'ticks' is not a number from 1 to 100000");
    CHECK(damage("\"width\":30", "\"width\":\"30\"") == "'width' is not a number from 1 to 16384");
    CHECK(damage("\"width\":30", "\"width\":3e1") == "'width' is not a number from 1 to 16384");
    CHECK(damage("\"players\":1", "\"players\":7") == "'players' is not a number from 1 to 6");
    CHECK(damage("\"op\":\"join\"", "\"op\":\"jump\"") == "'op' is neither join nor key nor leave");
    CHECK(damage("\"id\":\"quirk-01", "\"id\":\"\\u001b[2J") ==
          "'id' is not 1 to 64 printable characters");
    CHECK(damage("[[0,35,3,3,1]]", "[[3,35,3,3,1]]") ==
          "the state of tick 3 changes a cycle that is not there");
    CHECK(damage("[[0,35,3,3,1]]", "[[0,35,3,3]]") == "a state ends before its 'ready'");
    CHECK(damage("[[0,35,3,3,1]]", "[[0,35,3,3,1,1]]") ==
          "a change has more values than its mask says");
}

TEST_CASE("trace: no bytes crash the reader", "[games][trace]") {
    std::mt19937 random(Catch::rngSeed());
    const auto lines = lines_of(own_traces / "quirk_traces.jsonl");
    for (int round = 0; round < 4000; ++round) {
        std::string line = lines[random() % lines.size()];
        for (auto changes = 1 + random() % 4; changes > 0; --changes) {
            const auto at = random() % line.size();
            switch (random() % 4) {
                case 0: line[at] = static_cast<char>(random()); break;
                case 1: line[at] = static_cast<char>('0' + random() % 10); break;
                case 2: line.erase(at, 1 + random() % 8); break;
                default: line.insert(at, line.substr(random() % line.size(), random() % 16)); break;
            }
            if (line.empty()) {
                break;
            }
        }
        if (const auto trace = parse_trace(line)) {
            auto driver = direct_driver_factory({})(config_of(*trace));
            if (driver) {
                (void)replay_trace(*trace, **driver);
            }
        }
    }
    SUCCEED();
}
