#include "program.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <utility>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace ringside::test {
namespace {

int milliseconds_until(std::chrono::steady_clock::time_point deadline) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    return left.count() > 0 ? static_cast<int>(left.count()) + 1 : 0;
}

[[noreturn]] void become(const std::string& path, const std::vector<std::string>& arguments,
                         pid_t test_pid, int output_fd, int errors_fd) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);  // survives execve; a host takes it as its order to clean up
    if (getppid() != test_pid) {
        _exit(127);
    }
    const int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(null_fd, STDIN_FILENO);
    dup2(output_fd, STDOUT_FILENO);
    dup2(errors_fd, STDERR_FILENO);
    std::vector<char*> argv{const_cast<char*>(path.c_str())};
    for (const std::string& argument : arguments) {
        argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    execvp(path.c_str(), argv.data());
    _exit(127);
}

// Orphans come to this process, so that none can hide from NothingLeft.
void adopt_orphans() {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

bool reap_all() {
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    return waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD;
}

std::vector<pid_t>& started() {
    static std::vector<pid_t> pids;
    return pids;
}

// Of hosts that were asked for, and of those that `play` and `replay` start by themselves.
std::vector<std::string> own_directories() {
    std::vector<std::string> found;
    for (const pid_t pid : started()) {
        for (const char* kind : {"private-", "replay-"}) {
            const std::string directory = instance_directory(kind + std::to_string(pid));
            if (fs::exists(directory)) {
                found.push_back(directory);
            }
        }
    }
    const std::string prefix = instance_directory(instance_prefix());
    for (const auto& entry : fs::directory_iterator("/dev/shm")) {
        if (entry.path().string().starts_with(prefix)) {
            found.push_back(entry.path().string());
        }
    }
    return found;
}

}  // namespace

Program::Program(const std::vector<std::string>& arguments)
    : Program(RINGSIDE_PROGRAM, arguments) {}

Program::Program(const std::string& path, const std::vector<std::string>& arguments) {
    adopt_orphans();
    std::array<int, 2> output{};
    REQUIRE(pipe2(output.data(), O_CLOEXEC) == 0);
    errors_fd_ = memfd_create("errors", MFD_CLOEXEC);  // a file: it is never full
    REQUIRE(errors_fd_ >= 0);
    std::cout.flush();
    std::fflush(nullptr);
    const pid_t test_pid = getpid();
    pid_ = fork();
    if (pid_ == 0) {
        become(path, arguments, test_pid, output[1], errors_fd_);
    }
    close(output[1]);
    output_fd_ = output[0];
    REQUIRE(pid_ > 0);
    started().push_back(pid_);
    pid_fd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
    REQUIRE(pid_fd_ >= 0);
}

Program::Program(Program&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pid_fd_(std::exchange(other.pid_fd_, -1)),
      output_fd_(std::exchange(other.output_fd_, -1)),
      errors_fd_(std::exchange(other.errors_fd_, -1)),
      ended_(std::exchange(other.ended_, true)),
      exit_code_(other.exit_code_),
      output_(std::move(other.output_)) {}

Program::~Program() {
    if (pid_ > 0 && !ended_) {
        constexpr int clean_up_ms = 15'000;
        signal(SIGTERM);
        pollfd exited{.fd = pid_fd_, .events = POLLIN, .revents = 0};
        if (poll(&exited, 1, clean_up_ms) <= 0) {
            signal(SIGKILL);
        }
        waitpid(pid_, nullptr, 0);
    }
    for (const int fd : {pid_fd_, output_fd_, errors_fd_}) {
        if (fd >= 0) {
            close(fd);
        }
    }
}

void Program::signal(int number) const {
    kill(pid_, number);  // not reaped yet, so the pid is still its own
}

std::string Program::first_line() {
    read(Until::line);
    return output_.substr(0, output_.find('\n'));
}

int Program::wait() {
    if (!ended_) {
        read(Until::end);
        int status = 0;
        REQUIRE(waitpid(pid_, &status, 0) == pid_);
        ended_ = true;
        exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    return exit_code_;
}

// Ends with the process, not with the pipe: a child of it may still hold the other end.
void Program::read(Until until) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    std::array<char, 65536> chunk{};
    bool exited = false;
    for (;;) {
        if (until == Until::line && output_.find('\n') != std::string::npos) {
            return;
        }
        std::array<pollfd, 2> waited{pollfd{.fd = output_fd_, .events = POLLIN, .revents = 0},
                                     pollfd{.fd = pid_fd_, .events = POLLIN, .revents = 0}};
        const int ready = poll(waited.data(), waited.size(), milliseconds_until(deadline));
        if (ready <= 0) {
            INFO(errors());
            FAIL("the program of pid " << pid_ << " did not go on for a minute");
        }
        const ssize_t count = (waited[0].revents & (POLLIN | POLLHUP)) != 0
                                  ? ::read(output_fd_, chunk.data(), chunk.size())
                                  : 0;
        if (count > 0) {
            output_.append(chunk.data(), static_cast<std::size_t>(count));
            continue;
        }
        if ((waited[0].revents & POLLHUP) != 0) {  // nobody can write: look at the process only
            close(std::exchange(output_fd_, -1));
        }
        exited = (waited[1].revents & POLLIN) != 0;
        if (exited) {
            return;
        }
    }
}

std::string Program::errors() const {
    std::string text;
    std::array<char, 4096> chunk{};
    for (;;) {
        const ssize_t count =
            pread(errors_fd_, chunk.data(), chunk.size(), static_cast<off_t>(text.size()));
        if (count <= 0) {
            return text;
        }
        text.append(chunk.data(), static_cast<std::size_t>(count));
    }
}

Outcome run(const std::vector<std::string>& arguments) {
    return run_program(RINGSIDE_PROGRAM, arguments);
}

Outcome run_program(const std::string& path, const std::vector<std::string>& arguments) {
    Program program(path, arguments);
    const int exit_code = program.wait();
    return {.exit_code = exit_code, .output = program.output(), .errors = program.errors()};
}

std::string last_line(std::string text) {
    while (text.ends_with('\n')) {
        text.pop_back();
    }
    const auto end_before = text.rfind('\n');
    return end_before == std::string::npos ? text : text.substr(end_before + 1);
}

NothingLeft::NothingLeft() {
    adopt_orphans();
}

NothingLeft::~NothingLeft() {
    CHECK(eventually(reap_all));
    const auto left = own_directories();
    CHECK(left == std::vector<std::string>());
    for (const std::string& directory : left) {
        std::error_code ignored;
        fs::remove_all(directory, ignored);
    }
}

void reap_orphans() {
    const std::string self = std::to_string(getpid());
    std::ifstream children("/proc/" + self + "/task/" + self + "/children");
    for (pid_t child = 0; children >> child;) {
        if (std::ranges::find(started(), child) == started().end()) {
            waitpid(child, nullptr, WNOHANG);
        }
    }
}

std::string instance_directory(const std::string& instance) {
    return "/dev/shm/ringside-" + instance;
}

std::string instance_prefix() {
    return "e2e-" + std::to_string(getpid()) + "-";
}

}  // namespace ringside::test
