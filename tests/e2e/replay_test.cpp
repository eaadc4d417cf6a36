// `ringside replay` as its users run it: the last line and the exit code are its interface.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "program.hpp"

namespace fs = std::filesystem;
using namespace ringside::test;

namespace {

const fs::path own_traces = RINGSIDE_TRACES_OWN;
const fs::path shared_traces = RINGSIDE_TRACES_SHARED;

const std::vector<std::vector<std::string>> ways{{}, {"--restore-every", "7"}, {"--through-rings"}};

Outcome replay(const fs::path& path, const std::vector<std::string>& flags = {}) {
    std::vector<std::string> arguments{"replay", path.string()};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return run(arguments);
}

void expect_all_pass(const fs::path& path, unsigned traces) {
    for (const auto& flags : ways) {
        const Outcome outcome = replay(path, flags);
        INFO(path << " " << (flags.empty() ? "" : flags.front()));
        CHECK(outcome.output == std::to_string(traces) + " passed, 0 failed\n");
        CHECK(outcome.errors.empty());
        CHECK(outcome.exit_code == 0);
    }
}

std::vector<std::string> lines_of(const fs::path& path) {
    std::ifstream in(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

/// A file that goes away with the test.
class TraceFile {
public:
    explicit TraceFile(const std::string& content)
        : path_(fs::temp_directory_path() / ("ringside-" + instance_prefix() + "trace.jsonl")) {
        std::ofstream(path_, std::ios::binary) << content;
    }
    TraceFile(const TraceFile&) = delete;
    TraceFile& operator=(const TraceFile&) = delete;
    ~TraceFile() { fs::remove(path_); }
    [[nodiscard]] const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

void expect_unusable(const fs::path& path, const std::string& named) {
    for (const auto& flags : ways) {
        const Outcome outcome = replay(path, flags);
        INFO(outcome.errors);
        CHECK(outcome.exit_code == 2);
        CHECK(outcome.errors.find(path.string()) != std::string::npos);
        CHECK(outcome.errors.find(named) != std::string::npos);
        CHECK(outcome.output.find(" passed, ") == std::string::npos);
    }
}

}  // namespace

TEST_CASE("replay: the own recordings pass on every way", "[e2e][replay]") {
    const NothingLeft nothing_left;
    expect_all_pass(own_traces / "quirk_traces.jsonl", 24);
    expect_all_pass(own_traces / "shared_selection.jsonl", 11);
}

TEST_CASE("replay: no state differs when the processes are killed at random", "[e2e][replay]") {
    const NothingLeft nothing_left;
    const std::string seed = std::to_string(Catch::rngSeed());
#ifdef RINGSIDE_SANITIZED  // a process forked for each of thousands of kills takes minutes there
    const bool shared = false;
#else
    const bool shared = fs::exists(shared_traces);
#endif
    const Outcome outcome =
        replay(shared ? shared_traces / "shared_traces.jsonl" : own_traces / "quirk_traces.jsonl",
               {"--through-rings", "--kill-seed", seed});
    INFO("--kill-seed " << seed << "\n" << outcome.output << outcome.errors);
    CHECK(outcome.exit_code == 0);
    CHECK(outcome.errors.empty());
    CHECK(outcome.output.ends_with(shared ? "150 passed, 0 failed\n" : "24 passed, 0 failed\n"));
    CHECK(std::stoul(outcome.output) > (shared ? 500 : 50));
}

TEST_CASE("replay: all shared recordings pass on every way", "[e2e][replay]") {
    const NothingLeft nothing_left;
    if (!fs::exists(shared_traces)) {
        WARN(shared_traces << " is absent: only the own recordings were replayed");
        return;
    }
    expect_all_pass(shared_traces / "quirk_traces.jsonl", 24);
    expect_all_pass(shared_traces / "shared_traces.jsonl", 150);
}

TEST_CASE("replay: a match that goes differently is named with its tick", "[e2e][replay]") {
    const NothingLeft nothing_left;
    auto lines = lines_of(own_traces / "quirk_traces.jsonl");
    // The `i` that makes ready comes as an `esc` instead: not ready at tick 3 already.
    lines[0] = replaced(lines[0], R"({"tick":3,"op":"key","player":0,"key":105})",
                        R"({"tick":3,"op":"key","player":0,"key":27})");
    std::string content;
    for (const std::string& line : lines) {
        content += line + "\n";
    }
    const TraceFile file(content);
    for (const auto& flags : ways) {
        const Outcome outcome = replay(file.path(), flags);
        INFO(outcome.output << outcome.errors);
        CHECK(outcome.exit_code == 1);
        CHECK(outcome.output.starts_with("quirk-01: tick 3: "));
        CHECK(last_line(outcome.output) == "23 passed, 1 failed");
    }
}

TEST_CASE("replay: one digit of a state is enough to differ", "[e2e][replay]") {
    const auto lines = lines_of(own_traces / "quirk_traces.jsonl");
    const TraceFile file(replaced(lines[0], "[[0,35,3,3,1]]", "[[0,35,3,4,1]]") + "\n");
    const Outcome outcome = replay(file.path(), {});
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.output.starts_with("quirk-01: tick 3: "));
}

TEST_CASE("replay: a damaged file is refused with the line", "[e2e][replay]") {
    const NothingLeft nothing_left;
    const auto lines = lines_of(own_traces / "quirk_traces.jsonl");
    SECTION("a line cut off") {
        const TraceFile file(lines[0] + "\n" + lines[1].substr(0, lines[1].size() / 2));
        expect_unusable(file.path(), "line 2 is damaged");
    }
    SECTION("garbage") {
        const TraceFile file(lines[0] + "\n" + lines[1] + "\n\x01\xff{]\n");
        expect_unusable(file.path(), "line 3 is damaged");
    }
    SECTION("an empty file") {
        const TraceFile file("");
        expect_unusable(file.path(), "empty");
    }
    SECTION("no file") {
        expect_unusable("/nonexistent/traces.jsonl", "cannot be opened");
    }
    SECTION("a directory") {
        expect_unusable("/tmp", "cannot be read");
    }
}
