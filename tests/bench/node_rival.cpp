#include "node_rival.hpp"

#include <array>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ringside/core/clock.hpp"

namespace ringside::bench {
namespace {

constexpr int exit_code_not_found = 127;

[[noreturn]] void be_node(int output_fd, const std::vector<std::string>& command) {
    setpgid(0, 0);  // so that its children can be killed with it
    dup2(output_fd, STDOUT_FILENO);
    unsetenv("NODE_EXTRA_CA_CERTS");  // makes its start four times slower
    std::vector<char*> arguments;
    for (const std::string& argument : command) {
        arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments.push_back(nullptr);
    execvp(arguments[0], arguments.data());
    _exit(exit_code_not_found);
}

// What comes out of the pipe until it is closed or the time is over.
std::string read_all(int fd, std::int64_t deadline_ns) {
    std::string text;
    std::array<char, 4096> buffer{};
    for (;;) {
        const std::int64_t left_ns = deadline_ns - monotonic_ns();
        pollfd readable{.fd = fd, .events = POLLIN, .revents = 0};
        if (left_ns <= 0 || poll(&readable, 1, static_cast<int>(left_ns / 1'000'000) + 1) < 0) {
            return text;
        }
        const ssize_t bytes = readable.revents != 0 ? read(fd, buffer.data(), buffer.size()) : -1;
        if (bytes <= 0) {
            return text;
        }
        text.append(buffer.data(), static_cast<std::size_t>(bytes));
    }
}

}  // namespace

Result<std::optional<nlohmann::json>> run_node(const std::string& script,
                                               const std::vector<std::string>& arguments,
                                               std::chrono::seconds time_max) {
    std::vector<std::string> command{"node", std::string(RINGSIDE_RIVALS) + "/" + script};
    command.insert(command.end(), arguments.begin(), arguments.end());
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        return errno_failure("cannot make a pipe");
    }
    const pid_t pid = fork();
    if (pid == 0) {
        be_node(pipe_fds[1], command);
    }
    close(pipe_fds[1]);
    if (pid < 0) {
        close(pipe_fds[0]);
        return errno_failure("cannot fork a rival");
    }
    const std::string text =
        read_all(pipe_fds[0], monotonic_ns() + std::chrono::nanoseconds(time_max).count());
    close(pipe_fds[0]);
    kill(-pid, SIGKILL);  // it has closed its output, or had its time
    int status = 0;
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == exit_code_not_found) {
        return std::nullopt;
    }
    auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) {
        return failure(
            std::errc::bad_message,
            fmt::format("rival {} printed '{}', not one JSON object", script, text.substr(0, 200)));
    }
    return json;
}

}  // namespace ringside::bench
