#include "successor.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "service_manager.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/log.hpp"

namespace ringside {
namespace {

constexpr const char* handover_name = "RINGSIDE_HANDOVER";  // pid, lock, passed sockets, sockets
constexpr std::int64_t check_ns_max = 10'000'000'000;
constexpr std::size_t complaint_bytes_max = 4096;

void set_close_on_exec(int fd, bool on) {
    const int flags = fcntl(fd, F_GETFD);
    fcntl(fd, F_SETFD, on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC);
}

std::vector<char*> as_argv(std::vector<std::string>& arguments) {
    std::vector<char*> argv;
    for (std::string& argument : arguments) {
        argv.push_back(argument.data());
    }
    argv.push_back(nullptr);
    return argv;
}

/// Runs it with the pipe's end as standard output and error, no signal blocked. 0: it cannot.
pid_t spawn(const std::string& path, std::vector<std::string> arguments, int output_fd) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output_fd, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    pid_t pid = 0;
    const int failed =
        posix_spawn(&pid, path.c_str(), &actions, &attributes, as_argv(arguments).data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    errno = failed;
    return failed == 0 ? pid : 0;
}

/// Until its end, or until the deadline: then it is killed.
std::string read_until_end(int fd, pid_t pid) {
    const std::int64_t deadline_ns = monotonic_ns() + check_ns_max;
    std::string text;
    std::array<char, 512> chunk{};
    for (;;) {
        const std::int64_t left_ns = deadline_ns - monotonic_ns();
        pollfd readable{.fd = fd, .events = POLLIN, .revents = 0};
        if (left_ns <= 0 || poll(&readable, 1, static_cast<int>(left_ns / 1'000'000) + 1) == 0) {
            kill(pid, SIGKILL);
            return "it has not answered in time";
        }
        const ssize_t count = read(fd, chunk.data(), chunk.size());
        if (count > 0 && text.size() < complaint_bytes_max) {
            text.append(chunk.data(), static_cast<std::size_t>(count));
        } else if (count == 0) {
            break;
        }
    }
    while (text.ends_with('\n')) {
        text.pop_back();
    }
    return text;
}

Result<void> check(const std::string& path, std::vector<std::string> arguments) {
    arguments.emplace_back("--check");
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        return errno_failure("cannot make a pipe");
    }
    const pid_t pid = spawn(path, std::move(arguments), ends[1]);
    if (pid == 0) {
        auto failed = errno_failure(fmt::format("cannot run {}", path));
        close(ends[0]);
        close(ends[1]);
        return failed;
    }
    close(ends[1]);
    const std::string said = read_until_end(ends[0], pid);
    close(ends[0]);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return {};
    }
    return failure(std::error_code{},
                   fmt::format("{} would not go on with this host: {}", path, said));
}

void replace(const std::string& path, std::vector<std::string> arguments,
             const ListeningSockets& sockets, int lock_fd) {
    std::string handover = fmt::format("{} {} {}", getpid(), lock_fd, sockets.passed);
    set_close_on_exec(lock_fd, false);
    for (const int fd : sockets.fds) {
        handover += fmt::format(" {}", fd);
        set_close_on_exec(fd, false);
    }
    setenv(handover_name, handover.c_str(), 1);
    std::signal(SIGUSR2, SIG_IGN);  // asked for twice: until the successor listens to it
    tell_reloading();
    std::fflush(nullptr);
    execv(path.c_str(), as_argv(arguments).data());
    log(LogLevel::error, fmt::format("cannot run {}; going on as before", path));
    std::signal(SIGUSR2, SIG_DFL);
    unsetenv(handover_name);
}

}  // namespace

Handover take_handover() {
    Handover handover;
    const char* given = std::getenv(handover_name);
    if (given == nullptr) {
        return handover;
    }
    std::istringstream numbers(given);
    unsetenv(handover_name);
    pid_t pid = 0;
    numbers >> pid >> handover.lock_fd >> handover.sockets.passed;
    if (!numbers || pid != getpid()) {
        return {};  // somebody else's, inherited
    }
    set_close_on_exec(handover.lock_fd, true);
    for (int fd = -1; numbers >> fd;) {
        set_close_on_exec(fd, true);
        handover.sockets.fds.push_back(fd);
    }
    return handover;
}

Successor make_successor(std::vector<std::string> arguments, ListeningSockets sockets) {
    std::error_code failed;
    // Now: when the file has been replaced, the kernel calls it deleted.
    const std::string path = std::filesystem::read_symlink("/proc/self/exe", failed);
    return {.check = [=] { return check(path, arguments); },
            .replace = [=](int lock_fd) { replace(path, arguments, sockets, lock_fd); }};
}

}  // namespace ringside
