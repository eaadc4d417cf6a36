#include "tmux.hpp"

#include <cctype>
#include <csignal>
#include <filesystem>
#include <utility>

#include <catch2/catch.hpp>

#include "tests/ipc/process_watch.hpp"

namespace fs = std::filesystem;

namespace ringside::test {
namespace {

/// Words separated by one space each, and one at both ends.
std::string words_of(const std::string& text) {
    std::string words = " ";
    for (const char c : text) {
        if (std::isspace(static_cast<unsigned char>(c)) == 0) {
            words.push_back(c);
        } else if (!words.ends_with(' ')) {
            words.push_back(' ');
        }
    }
    return words + " ";
}

}  // namespace

// In the foreground the server is this process's child, and ends with it in any case.
Tmux::Tmux()
    : socket_path_(
          (fs::temp_directory_path() / ("ringside-" + instance_prefix() + "tmux")).string()) {
    if (run_program("tmux", {"-V"}).exit_code != 0) {
        FAIL("tmux is missing: bazel-free-scripts/setup installs it");
    }
    server_ = std::make_unique<Program>(
        "tmux", std::vector<std::string>{"-u", "-S", socket_path_, "-f", "/dev/null", "-D"});
    REQUIRE(eventually([&] {
        return ask({"set-option", "-g", "default-terminal", "tmux-256color"}).exit_code == 0;
    }));
}

Tmux::~Tmux() {
    static_cast<void>(ask({"kill-server"}));
    server_.reset();
    std::error_code ignored;
    fs::remove(socket_path_, ignored);
}

Outcome Tmux::ask(const std::vector<std::string>& arguments) const {
    std::vector<std::string> all{"-u", "-N", "-S", socket_path_};  // -N: starts no server
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run_program("tmux", all);
}

std::string Tmux::command(const std::vector<std::string>& arguments) const {
    const Outcome outcome = ask(arguments);
    INFO("tmux " << arguments.front() << ": " << outcome.errors);
    REQUIRE(outcome.exit_code == 0);
    return outcome.output;
}

Pane::Pane(const Tmux& tmux, std::string name, Size size) : tmux_(tmux), name_(std::move(name)) {
    tmux_.command({"new-session", "-d", "-s", name_, "-x", std::to_string(size.columns), "-y",
                   std::to_string(size.rows), "-e", "ENV=", "-e", "R=" RINGSIDE_PROGRAM,
                   "/bin/sh"});
    enter("PS1='shell''> '; clear");  // the shell that reads this is there, whatever its prompt
    expect("shell>");
}

void Pane::type(const std::string& text) const {
    tmux_.command({"send-keys", "-t", name_, "-l", text});
}

void Pane::key(const std::string& name) const {
    tmux_.command({"send-keys", "-t", name_, name});
}

void Pane::enter(const std::string& command_line) const {
    type(command_line);
    key("Enter");
}

void Pane::resize(Size size) const {
    tmux_.command({"resize-window", "-t", name_, "-x", std::to_string(size.columns), "-y",
                   std::to_string(size.rows)});
}

std::string Pane::screen() const {
    return tmux_.command({"capture-pane", "-p", "-t", name_});
}

bool Pane::shows(const std::string& text) const {
    return screen().find(text) != std::string::npos;
}

void Pane::expect(const std::string& text) const {
    const bool shown = eventually([&] { return shows(text); });
    INFO("waited for '" << text << "' in terminal '" << name_ << "':\n" << screen());
    REQUIRE(shown);
}

std::string Pane::ask(const std::string& format) const {
    std::string answer = tmux_.command({"display-message", "-p", "-t", name_, format});
    answer.erase(answer.find_last_not_of('\n') + 1);
    return answer;
}

pid_t Pane::find_program() const {
    return child_named(static_cast<pid_t>(std::stol(ask("#{pane_pid}"))), "ringside");
}

pid_t Pane::program() const {
    pid_t found = 0;
    REQUIRE(eventually([&] { return (found = find_program()) != 0; }));
    return found;
}

void Pane::expect_restored(int exit_code) const {
    REQUIRE(eventually([&] { return find_program() == 0; }));
    enter("echo \"code $?\"");
    expect("code " + std::to_string(exit_code));
    CHECK(ask("#{alternate_on}") == "0");
    CHECK(ask("#{cursor_flag}") == "1");
    CHECK(ask("#{keypad_cursor_flag}") == "0");
    enter("clear; stty -a");
    const bool as_before = eventually([&] {
        const std::string words = words_of(screen());
        return words.find(" icanon ") != std::string::npos &&
               words.find(" echo ") != std::string::npos &&
               words.find(" icrnl ") != std::string::npos;
    });
    INFO(screen());
    CHECK(as_before);
}

}  // namespace ringside::test
