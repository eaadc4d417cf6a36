#include "served_host.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string_view>
#include <utility>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/ipc/process_watch.hpp"

namespace ringside::test {
namespace {

std::vector<std::string> with_defaults(std::vector<std::string> flags,
                                       const std::string& instance) {
    if (std::ranges::find(flags, "--listen") == flags.end()) {
        flags.insert(flags.end(), {"--listen", "127.0.0.1:0"});
    }
    flags.insert(flags.begin(), "serve");
    flags.insert(flags.end(), {"--instance", instance});
    return flags;
}

// "listening on 127.0.0.1:33445, unix:/x; join with: ringside play …"
std::vector<Endpoint> endpoints_of(const std::string& line) {
    constexpr std::string_view begin = "listening on ";
    REQUIRE(line.starts_with(begin));
    std::string places = line.substr(begin.size(), line.find("; join with: ") - begin.size());
    std::vector<Endpoint> found;
    while (!places.empty()) {
        const auto end = places.find(", ");
        const auto endpoint = Endpoint::parse(places.substr(0, end));
        REQUIRE(endpoint.has_value());
        found.push_back(*endpoint);
        places = end == std::string::npos ? "" : places.substr(end + 2);
    }
    return found;
}

bool is_alarming(const std::string& errors) {
    return std::ranges::any_of(
        std::array{"Sanitizer", "runtime error", "invariant"},
        [&](const char* sign) { return errors.find(sign) != std::string::npos; });
}

}  // namespace

std::string new_instance() {
    static int count = 0;
    return instance_prefix() + std::to_string(++count);
}

ServedHost::ServedHost(std::vector<std::string> flags, std::string instance)
    : ServedHost(Program(with_defaults(std::move(flags), instance)), instance) {}

ServedHost ServedHost::of_program(const std::string& path, std::vector<std::string> flags) {
    std::string instance = new_instance();
    const auto arguments = with_defaults(std::move(flags), instance);
    return ServedHost(Program(path, arguments), std::move(instance));
}

ServedHost ServedHost::wrapped(const std::string& path, std::vector<std::string> arguments,
                               std::vector<std::string> flags) {
    std::string instance = new_instance();
    const auto served = with_defaults(std::move(flags), instance);
    arguments.insert(arguments.end(), served.begin(), served.end());
    return ServedHost(Program(path, arguments), std::move(instance));
}

// Each becomes the program, so its process is the one that is stopped.
ServedHost ServedHost::with_few_descriptors(unsigned count) {
    return wrapped("prlimit", {"--nofile=" + std::to_string(count), RINGSIDE_PROGRAM}, {});
}

ServedHost ServedHost::with_little_memory(const std::string& size, std::vector<std::string> flags) {
    std::vector<std::string> arguments{"--mount"};
    if (geteuid() != 0) {
        arguments.insert(arguments.end(), {"--user", "--map-root-user"});
    }
    arguments.insert(
        arguments.end(),
        {"sh", "-c", "mount -t tmpfs -o size=" + size + " none /dev/shm && exec \"$0\" \"$@\"",
         RINGSIDE_PROGRAM});
    return wrapped("unshare", std::move(arguments), std::move(flags));
}

ServedHost::ServedHost(Program program, std::string instance)
    : instance_(std::move(instance)), program_(std::move(program)) {
    line_ = program_.first_line();
    INFO(program_.errors());
    endpoints_ = endpoints_of(line_);
}

pid_t ServedHost::process(const std::string& name) const {
    pid_t found = 0;
    INFO(name);
    REQUIRE(eventually([&] { return (found = child_named(program_.pid(), name)) != 0; }));
    return found;
}

pid_t ServedHost::game_process(const std::string& game) const {
    return process("game tron/" + game);
}

pid_t ServedHost::find_game_process(const std::string& game) const {
    return child_named(program_.pid(), "game tron/" + game);
}

int ServedHost::stop(int signal_number) {
    program_.signal(signal_number);
    const int exit_code = program_.wait();
    INFO(program_.errors());
    CHECK_FALSE(is_alarming(program_.errors()));
    CHECK_FALSE(std::filesystem::exists(instance_directory(instance_)));
    return exit_code;
}

std::vector<ListedGame> list_games(const std::string& port) {
    const Outcome outcome = run({"list", "--json", "-P", port});
    INFO(outcome.errors);
    REQUIRE(outcome.exit_code == 0);
    std::vector<ListedGame> games;
    const auto all = nlohmann::json::parse(outcome.output);
    for (const auto& game : all.at("games")) {
        games.push_back({.name = game.at("name"),
                         .state = game.at("state"),
                         .players = game.at("players"),
                         .seats = game.at("seats")});
    }
    return games;
}

}  // namespace ringside::test
