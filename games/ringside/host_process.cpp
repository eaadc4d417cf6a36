#include "host_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ringside {
namespace {

// What the child wrote to its standard error before it gave up: one line, without the prefix.
std::string read_all(int fd) {
    std::string text;
    std::array<char, 512> chunk{};
    for (;;) {
        const ssize_t count = read(fd, chunk.data(), chunk.size());
        if (count > 0) {
            text.append(chunk.data(), static_cast<std::size_t>(count));
        } else if (count == 0 || errno != EINTR) {
            break;
        }
    }
    constexpr std::string_view prefix = "ringside: ";
    if (text.starts_with(prefix)) {
        text.erase(0, prefix.size());
    }
    while (text.ends_with('\n')) {
        text.pop_back();
    }
    return text;
}

// True once the host serves; false when it ended instead.
bool wait_for_ready(int fd) {
    char byte = 0;
    ssize_t count = 0;
    do {
        count = read(fd, &byte, 1);
    } while (count < 0 && errno == EINTR);
    return count == 1;
}

[[noreturn]] void be_host(const ServeOptions& options, pid_t parent_pid, int errors_fd) {
    prctl(PR_SET_PDEATHSIG,
          SIGTERM);  // a host cleans up after itself, also when its player is killed
    if (getppid() != parent_pid) {
        _exit(1);
    }
    // Of the player's terminal it has nothing: no keys, no lines across the game, no ctrl-C.
    setsid();
    const int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null_fd, STDIN_FILENO);
    dup2(null_fd, STDOUT_FILENO);
    dup2(errors_fd, STDERR_FILENO);
    const int code = run_serve(options);
    std::fflush(nullptr);
    _exit(code);
}

}  // namespace

HostProcess::HostProcess(pid_t pid, Endpoint endpoint) noexcept
    : pid_(pid), endpoint_(std::move(endpoint)) {}

HostProcess::HostProcess(HostProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), endpoint_(std::move(other.endpoint_)) {}

HostProcess::~HostProcess() {
    if (pid_ > 0) {
        kill(pid_, SIGTERM);
        while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
}

Result<HostProcess> HostProcess::start(ServeOptions options) {
    std::array<int, 2> ready{};
    std::array<int, 2> errors{};
    if (pipe2(ready.data(), O_CLOEXEC) != 0) {
        return errno_failure("cannot make a pipe");
    }
    if (pipe2(errors.data(), O_CLOEXEC) != 0) {
        close(ready[0]);
        close(ready[1]);
        return errno_failure("cannot make a pipe");
    }
    const pid_t parent_pid = getpid();
    const pid_t pid = fork();
    if (pid == 0) {
        close(ready[0]);
        close(errors[0]);
        options.ready_fd = ready[1];
        options.quiet = true;
        be_host(options, parent_pid, errors[1]);
    }
    close(ready[1]);
    close(errors[1]);
    const bool serves = pid > 0 && wait_for_ready(ready[0]);
    close(ready[0]);
    if (!serves) {
        const std::string why = pid > 0 ? read_all(errors[0]) : "cannot fork";
        close(errors[0]);
        if (pid > 0) {
            waitpid(pid, nullptr, 0);
        }
        return failure(std::error_code{}, "the host did not start: " + why);
    }
    // What it says later has no reader: it must not fill a pipe, and SIGPIPE is ignored there.
    close(errors[0]);

    Endpoint endpoint = options.listen.empty() ? Endpoint{} : options.listen.front();
    if (endpoint.unix_path.empty() && endpoint.host.empty()) {
        endpoint.host = "127.0.0.1";
    }
    return HostProcess(pid, std::move(endpoint));
}

Result<HostProcess> HostProcess::start_private() {
    const std::string name = fmt::format("private-{}", getpid());
    ServeOptions options;
    options.instance = name;
    options.games_max = 16;
    options.fresh = true;  // another process may have had this pid
    Endpoint endpoint;
    endpoint.unix_path =
        (std::filesystem::temp_directory_path() / fmt::format("ringside-{}.sock", name)).string();
    options.listen = {endpoint};
    return start(std::move(options));
}

}  // namespace ringside
