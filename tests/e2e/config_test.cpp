// Options of `serve` from a config file, the environment and the command line.

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "option_table.hpp"
#include "program.hpp"
#include "served_host.hpp"
#include "settings.hpp"

using namespace ringside;
using namespace ringside::test;
namespace fs = std::filesystem;

namespace {

/// A file, for as long as it lives.
class ConfigFile {
public:
    explicit ConfigFile(const std::string& text)
        : path_(fs::temp_directory_path() / (instance_prefix() + "config.toml")) {
        std::ofstream(path_) << text;
    }
    ConfigFile(const ConfigFile&) = delete;
    ConfigFile& operator=(const ConfigFile&) = delete;
    ~ConfigFile() { fs::remove(path_); }

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

/// A variable of the environment, for as long as it lives.
class Variable {
public:
    Variable(std::string name, const std::string& value) : name_(std::move(name)) {
        setenv(name_.c_str(), value.c_str(), 1);
    }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;
    ~Variable() { unsetenv(name_.c_str()); }

private:
    std::string name_;
};

std::string printed(std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"serve", "--print-config"});
    const Outcome outcome = run(flags);
    INFO(outcome.errors);
    CHECK(outcome.exit_code == 0);
    CHECK(outcome.errors.empty());
    return outcome.output;
}

bool has_line(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

void expect_refused(const std::string& config, const std::string& why) {
    const ConfigFile file(config);
    const Outcome outcome = run({"serve", "--print-config", "--config", file.path()});
    INFO(config << "\n" << outcome.errors);
    CHECK(outcome.exit_code == 2);
    CHECK(outcome.errors.starts_with("ringside: " + file.path() + ": "));
    CHECK(outcome.errors.find(why) != std::string::npos);
    CHECK(outcome.output.empty());
    CHECK(std::ranges::count(outcome.errors, '\n') == 1);
}

// Of options whose text means something.
const std::map<std::string, std::vector<std::string>> texts{
    {"listen", {"127.0.0.1:8766", "[::1]:9000", "unix:/tmp/a b.sock"}},
    {"allow-origin", {"https://example.org", "http://localhost:8080"}},
    {"trust-proxy", {"10.0.0.0/8", "unix"}},
    {"instance", {"evening"}},
    {"record-dir", {"/var/lib/ringside/with space, and comma"}},
    {"flight-dir", {"/var/tmp"}},
    {"simulate", {"delay=80ms,jitter=20ms,stall=1%"}},
    {"profile", {"low-latency"}},
    {"log-level", {"info"}},
    {"cpus-front", {"0"}},
    {"cpus-games", {"0"}},
};

/// Some options of the table with values in their ranges, as arguments.
std::vector<std::string> random_arguments(std::mt19937& random) {
    std::vector<std::string> arguments;
    const auto say = [&arguments](std::string_view name, const std::string& value) {
        arguments.push_back("--" + std::string(name) + "=" + value);
    };
    for (const OptionRow& row : option_table()) {
        const std::string_view name = setting_name(row);
        if (name.empty() || name == "port" || random() % 2 == 0) {
            continue;
        }
        if (std::holds_alternative<bool RawOptions::*>(row.target)) {
            say(name, random() % 2 == 0 ? "true" : "false");
        } else if (const auto* number = std::get_if<Number>(&row.target)) {
            say(name,
                std::to_string(std::uniform_int_distribution(number->low, number->high)(random)));
        } else if (const auto values = texts.find(std::string(name)); values != texts.end()) {
            for (const std::string& value : values->second) {
                say(name, value);
            }
        }
    }
    for (const char* needed : {"record-dir", "flight-dir"}) {  // by other options
        say(needed, texts.at(needed).front());
    }
    std::ranges::sort(arguments);
    const auto twice = std::ranges::unique(arguments);
    arguments.erase(twice.begin(), twice.end());
    return arguments;
}

}  // namespace

TEST_CASE("config: nothing given is a file of comments that changes nothing", "[e2e][config]") {
    const std::string text = printed({});
    CHECK(has_line(text, "#games-max = 4096"));
    CHECK(has_line(text, "#busy-poll = false"));
    CHECK(has_line(text, "#listen = []"));
    CHECK(has_line(text, "#instance = \"default\""));
    for (const OptionRow& row : option_table()) {
        const std::string_view name = setting_name(row);
        INFO(name);
        CHECK((name.empty() || text.find("\n#" + std::string(name) + " = ") != text.npos));
    }
    const ConfigFile file(text);
    CHECK(printed({"--config", file.path()}) == text);
}

TEST_CASE("config: what is printed and read again is the same", "[e2e][config]") {
    std::mt19937 random(static_cast<std::mt19937::result_type>(Catch::rngSeed()));
    for (int round = 0; round < 20; ++round) {
        const std::vector<std::string> arguments = random_arguments(random);
        std::string said;
        for (const std::string& argument : arguments) {
            said += argument + "\n";
        }
        INFO(said);
        const std::string text = printed(arguments);
        const ConfigFile file(text);
        CHECK(printed({"--config", file.path()}) == text);
        for (const std::string& argument : arguments) {
            const std::string name = argument.substr(2, argument.find('=') - 2);
            CHECK(text.find("\n" + name + " = ") != std::string::npos);
        }
    }
}

TEST_CASE("config: the command line counts more than the environment, that more than the file",
          "[e2e][config]") {
    const ConfigFile file(
        "games-max = 10\nfronts = 2\nbusy-poll = true\n"
        "listen = [\"127.0.0.1:1\", \"127.0.0.1:2\"]\n");
    CHECK(has_line(printed({"--config", file.path()}), "games-max = 10"));
    const Variable games("RINGSIDE_SERVE_GAMES_MAX", "20");
    const Variable listen("RINGSIDE_SERVE_LISTEN", "127.0.0.1:3,127.0.0.1:4");
    const std::string text = printed({"--config", file.path()});
    CHECK(has_line(text, "games-max = 20"));
    CHECK(has_line(text, "fronts = 2"));
    CHECK(has_line(text, "listen = [\"127.0.0.1:3\", \"127.0.0.1:4\"]"));
    const std::string typed =
        printed({"--config", file.path(), "--games-max", "30", "--busy-poll=false", "-P", "9"});
    CHECK(has_line(typed, "games-max = 30"));
    CHECK(has_line(typed, "busy-poll = false"));
    CHECK(has_line(typed, "port = 9"));
    CHECK(has_line(typed, "#listen = []"));  // the port says where to listen
}

TEST_CASE("config: an empty value leaves the default", "[e2e][config]") {
    const ConfigFile file("instance = \"\"\nlisten = []\n");
    const Variable games("RINGSIDE_SERVE_GAMES_MAX", "");
    CHECK(printed({"--config", file.path()}) == printed({}));
}

TEST_CASE("config: a file that cannot be meant is refused by name", "[e2e][config]") {
    expect_refused("games-maxx = 3\n",
                   "'games-maxx' is no option of serve (did you mean "
                   "'games-max'?)");
    expect_refused("wings = 3\n", "'wings' is no option of serve;");
    expect_refused("fresh = true\n", "'fresh' is no option of serve");
    expect_refused("games-max = 0\n", "'0' is not a number from 1 to");
    expect_refused("games-max = [1, 2]\n", "games-max");
    expect_refused("busy-poll = perhaps\n", "busy-poll");
    expect_refused("[serve]\ngames-max = 3\n", "[serve]: there are no sections");
    expect_refused("games-max = 3\nfronts = 1\ngames-max = 4\n", "'games-max' is there twice");
    expect_refused("record-dir = \"/a#b\"\n", "record-dir: a quote that does not end");
    const Outcome missing = run({"serve", "--print-config", "--config", "/nonexistent.toml"});
    CHECK(missing.exit_code == 2);
    CHECK(missing.errors.find("/nonexistent.toml: cannot be read") != std::string::npos);
}

TEST_CASE("config: a variable that cannot be meant is refused by name", "[e2e][config]") {
    {
        const Variable unknown("RINGSIDE_SERVE_GAME_MAX", "3");
        const Outcome outcome = run({"serve", "--print-config"});
        CHECK(outcome.exit_code == 2);
        CHECK(outcome.errors.find("RINGSIDE_SERVE_GAME_MAX stands for no option of serve (did you "
                                  "mean 'RINGSIDE_SERVE_GAMES_MAX'?)") != std::string::npos);
    }
    const Variable bad("RINGSIDE_SERVE_GAMES_MAX", "many");
    const Outcome outcome = run({"serve", "--print-config"});
    CHECK(outcome.exit_code == 2);
    CHECK(outcome.errors.find("the environment: ") != std::string::npos);
    CHECK(outcome.errors.find("'many' is not a number from 1") != std::string::npos);
}

TEST_CASE("config: a host is what its file says", "[e2e][config]") {
    const NothingLeft nothing_left;
    const std::string instance = new_instance();
    const std::string socket = fs::temp_directory_path() / (instance + ".sock");
    const ConfigFile file("listen = \"unix:" + socket + "\"\ninstance = \"" + instance + "\"\n");
    Program host({"serve", "--config", file.path()});
    CHECK(host.first_line().find(socket) != std::string::npos);
    CHECK(run({"sessions", "--instance", instance}).exit_code == 0);
    host.signal(SIGTERM);
    CHECK(host.wait() == 0);
}
