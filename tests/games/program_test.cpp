// What the program says before it plays: help, version, refusals.

#include <array>
#include <cstdio>
#include <string>

#include <catch2/catch.hpp>
#include <sys/wait.h>

namespace {

struct Outcome {
    int exit_code = -1;
    std::string text;  // of standard output and standard error
};

Outcome run(const std::string& arguments) {
    const std::string command = RINGSIDE_PROGRAM " " + arguments + " 2>&1 </dev/null";
    FILE* const pipe = popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    Outcome outcome;
    std::array<char, 4096> chunk{};
    for (std::size_t count = 0; (count = fread(chunk.data(), 1, chunk.size(), pipe)) > 0;) {
        outcome.text.append(chunk.data(), count);
    }
    const int status = pclose(pipe);
    outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return outcome;
}

void expect_refusal(const std::string& arguments, const std::string& named) {
    const Outcome outcome = run(arguments);
    INFO(arguments << "\n" << outcome.text);
    CHECK(outcome.exit_code == 2);
    CHECK(outcome.text.starts_with("ringside: "));
    CHECK(outcome.text.find(named) != std::string::npos);
    CHECK(outcome.text.find('\n') == outcome.text.size() - 1);  // one line
}

void expect_text(const std::string& arguments, const std::string& named) {
    const Outcome outcome = run(arguments);
    INFO(outcome.text);
    CHECK(outcome.exit_code == 0);
    CHECK(outcome.text.find(named) != std::string::npos);
}

}  // namespace

TEST_CASE("program: help names every command, flag, range and default", "[games][program]") {
    for (const char* named : {"play", "list", "watch", "bot", "serve", "replay", "-N,--number",
                              "1 to 6 players (default 1)", "(default 8766)", "-C,--client"}) {
        expect_text("--help", named);
    }
    expect_text("-h", "Usage:");
    expect_text("play -h", "practice");
    expect_text("serve --help", "1 to 86400 seconds (default 180)");
    expect_text("bot --help", "--forever");
    expect_text("list --help", "--json");
    expect_text("watch --help", "--game");
    expect_text("replay --help", "Exit code");
}

TEST_CASE("program: the version is one line", "[games][program]") {
    CHECK(run("--version").text.starts_with("ringside "));
    CHECK(run("-V").text == run("--version").text);
    CHECK(run("play -V").text == run("--version").text);
    CHECK(run("-V").exit_code == 0);
}

TEST_CASE("program: an unknown flag or argument is refused", "[games][program]") {
    expect_refusal("--frobnicate", "unknown flag '--frobnicate'; 'ringside --help'");
    expect_refusal("list --frobnicate", "unknown flag '--frobnicate'; 'ringside list --help'");
    expect_refusal("frobnicate", "unexpected argument 'frobnicate'");
    expect_refusal("serve -N 3", "'-N'");
}

TEST_CASE("program: a bad value is refused with its range", "[games][program]") {
    expect_refusal("-N 9", "'9' is not a number from 1 to 6 players");
    expect_refusal("-N many", "'many' is not a number from 1 to 6 players");
    expect_refusal("-N -1", "");
    expect_refusal("-P 99999", "'99999' is not a number from 1 to 65535");
    expect_refusal("-P 8766x", "'8766x'");
    expect_refusal("-W 5", "'5' is not a number from 10 to 2048 cells");
    expect_refusal("play -H 3", "'3' is not a number from 8 to 1638 cells");
    expect_refusal("bot --games 0", "'0' is not a number from 1 to");
    expect_refusal("-W 2000 -H 1000", "2000000 cells; at most 16384");
    expect_refusal("-G 'no name'", "'no name'");
    expect_refusal("serve --listen [::1", "--listen");
    expect_refusal("serve --simulate delay=80", "--simulate: 'delay=80'");
    expect_refusal("serve --spin-cpus 1-0", "--spin-cpus: '1-0'");
    expect_refusal("serve --cpus-front 0,x", "--cpus-front: 'x'");
    expect_refusal("serve --cpus-front 1023", "CPU 1023");
    expect_refusal("serve --cpus-front 0,", "--cpus-front: ''");
    expect_refusal("serve --cpus-front 0,0", "twice");
    expect_refusal("serve --cpus-games 0-", "--cpus-games: '0-'");
    expect_refusal("serve --profile fast", "'fast' is neither default nor low-latency");
    expect_refusal("-N", "--number");
}

TEST_CASE("program: flags that contradict each other are refused", "[games][program]") {
    expect_refusal("-S -C", "-S and -C");
    expect_refusal("-S -N 3", "-S and -N");
    expect_refusal("serve -P 8000 --listen :8001", "-P and --listen");
    expect_refusal("bot -G some-game --games 3", "-G and --games");
    expect_refusal("replay file --through-rings --restore-every 7", "--restore-every");
    expect_refusal("-N 3 list", "after the command");
}

TEST_CASE("program: a command without its argument is refused", "[games][program]") {
    expect_refusal("watch", "--game");
    expect_refusal("replay", "file");
}

TEST_CASE("program: replay of a missing file is unusable", "[games][program]") {
    const Outcome outcome = run("replay /nonexistent/traces.jsonl");
    CHECK(outcome.exit_code == 2);
    CHECK(outcome.text.find("/nonexistent/traces.jsonl") != std::string::npos);
}

TEST_CASE("program: a host that is not there is an error with its address", "[games][program]") {
    const Outcome outcome = run("list -A unix:/nonexistent/ringside.sock");
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.text.find("/nonexistent/ringside.sock") != std::string::npos);
}
