#pragma once
// ServedHost: `ringside serve` on a free port, with an instance of its own.

#include <string>
#include <vector>

#include "program.hpp"

#include "ringside/net/endpoint.hpp"

namespace ringside::test {

/// An instance name nobody has used.
[[nodiscard]] std::string new_instance();

class ServedHost {
public:
    /// Returns when it listens: on 127.0.0.1 unless the flags say otherwise.
    explicit ServedHost(std::vector<std::string> flags = {}, std::string instance = new_instance());

    /// The same of a copy of the program.
    [[nodiscard]] static ServedHost of_program(const std::string& path,
                                               std::vector<std::string> flags);

    /// The same started by another program, which becomes it.
    [[nodiscard]] static ServedHost wrapped(const std::string& path,
                                            std::vector<std::string> arguments,
                                            std::vector<std::string> flags);

    /// The same with so few descriptors a process.
    [[nodiscard]] static ServedHost with_few_descriptors(unsigned count);

    /// The same where /dev/shm is another file system, of this size.
    [[nodiscard]] static ServedHost with_little_memory(const std::string& size,
                                                       std::vector<std::string> flags);

    [[nodiscard]] const std::string& instance() const noexcept { return instance_; }
    [[nodiscard]] const std::string& line() const noexcept { return line_; }
    [[nodiscard]] const std::vector<Endpoint>& endpoints() const noexcept { return endpoints_; }
    [[nodiscard]] const Endpoint& endpoint() const noexcept { return endpoints_.front(); }
    [[nodiscard]] std::string port() const { return std::to_string(endpoint().port); }
    [[nodiscard]] Program& program() noexcept { return program_; }

    /// A process of the host by its name in ps; waits until there is one.
    [[nodiscard]] pid_t process(const std::string& name) const;
    /// The process of a game of tron.
    [[nodiscard]] pid_t game_process(const std::string& game) const;
    /// The same, without waiting: 0 when there is none.
    [[nodiscard]] pid_t find_game_process(const std::string& game) const;

    /// Orders it to end and returns the exit code. Checks that it said nothing alarming and that
    /// its directory has gone.
    int stop(int signal_number = 15);

private:
    ServedHost(Program program, std::string instance);

    std::string instance_;
    Program program_;
    std::string line_;
    std::vector<Endpoint> endpoints_;
};

/// A game as `ringside list` shows it.
struct ListedGame {
    std::string name;
    std::string state;
    unsigned players = 0;
    unsigned seats = 0;
    friend bool operator==(const ListedGame&, const ListedGame&) = default;
};

/// What `ringside list --json` prints of the host at this port.
[[nodiscard]] std::vector<ListedGame> list_games(const std::string& port);

}  // namespace ringside::test
