#pragma once
// Tmux: real terminals for tests, on a tmux server of their own.

#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include "program.hpp"

namespace ringside::test {

struct Size {
    int columns = 0;
    int rows = 0;
};

class Tmux {
public:
    /// Fails the test when tmux is missing.
    Tmux();
    Tmux(const Tmux&) = delete;
    Tmux& operator=(const Tmux&) = delete;
    ~Tmux();

    /// Runs one tmux command; returns what it printed.
    std::string command(const std::vector<std::string>& arguments) const;

private:
    [[nodiscard]] Outcome ask(const std::vector<std::string>& arguments) const;

    std::string socket_path_;
    std::unique_ptr<Program> server_;
};

/// A terminal with a shell in it, in which $R is the program.
class Pane {
public:
    Pane(const Tmux& tmux, std::string name, Size size);

    void type(const std::string& text) const;           // as if typed, without Enter
    void key(const std::string& name) const;            // as tmux calls it: "Enter", "Escape"
    void enter(const std::string& command_line) const;  // a line for the shell
    void resize(Size size) const;

    /// What stands on the screen.
    [[nodiscard]] std::string screen() const;
    [[nodiscard]] bool shows(const std::string& text) const;

    /// Waits until the text stands on the screen.
    void expect(const std::string& text) const;

    /// The process of `ringside` that runs in here; waits until there is one.
    [[nodiscard]] pid_t program() const;

    /// Waits until the shell has the terminal back and checks that it is as before: the normal
    /// screen, a cursor, and what is typed is echoed and edited by line.
    void expect_restored(int exit_code) const;

private:
    [[nodiscard]] pid_t find_program() const;  // 0: none runs
    [[nodiscard]] std::string ask(const std::string& format) const;

    const Tmux& tmux_;
    std::string name_;
};

}  // namespace ringside::test
