#include "served.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ringside/core/clock.hpp"

namespace ringside::bench {
namespace {

constexpr std::string_view line_begin = "listening on ";
constexpr std::int64_t stop_ns_max = 30'000'000'000;  // thousands of games leave a full machine
constexpr unsigned look_again_us = 5'000;

std::string new_instance() {
    static int count = 0;
    return fmt::format("bench-{}-{}", getpid(), ++count);
}

[[noreturn]] void be_host(const std::vector<std::string>& flags, const std::string& instance,
                          int output_fd, pid_t parent_pid) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent_pid) {
        _exit(1);
    }
    dup2(output_fd, STDOUT_FILENO);
    std::vector<std::string> words{RINGSIDE_PROGRAM, "serve",      "--listen",
                                   "127.0.0.1:0",    "--instance", instance};
    words.insert(words.end(), flags.begin(), flags.end());
    std::vector<char*> arguments;
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    execv(arguments.front(), arguments.data());
    std::perror("ringside-bench: cannot run " RINGSIDE_PROGRAM);
    _exit(1);
}

std::string first_line(int fd) {
    std::string line;
    char byte = 0;
    while (read(fd, &byte, 1) == 1 && byte != '\n') {
        line.push_back(byte);
    }
    return line;
}

std::vector<pid_t> children_named(pid_t parent, std::string_view prefix) {
    std::vector<pid_t> found;
    std::ifstream children(fmt::format("/proc/{}/task/{}/children", parent, parent));
    for (pid_t child = 0; children >> child;) {
        std::ifstream comm(fmt::format("/proc/{}/comm", child));
        std::string name;
        if (std::getline(comm, name) && name.starts_with(prefix)) {
            found.push_back(child);
        }
    }
    return found;
}

/// A host that does not stop when asked is killed; its games go with it.
void end_process(pid_t pid) {
    kill(pid, SIGTERM);
    const std::int64_t deadline_ns = monotonic_ns() + stop_ns_max;
    while (waitpid(pid, nullptr, WNOHANG) == 0) {
        if (monotonic_ns() > deadline_ns) {
            kill(pid, SIGKILL);
            while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
            }
            return;
        }
        usleep(look_again_us);
    }
}

}  // namespace

Result<Served> Served::start(const std::vector<std::string>& flags) {
    std::array<int, 2> output{};
    if (pipe2(output.data(), O_CLOEXEC) != 0) {
        return errno_failure("cannot make a pipe");
    }
    const pid_t parent = getpid();
    std::string instance = new_instance();
    const pid_t pid = fork();
    if (pid == 0) {
        be_host(flags, instance, output[1], parent);
    }
    close(output[1]);
    if (pid < 0) {
        close(output[0]);
        return errno_failure("cannot fork a host");
    }
    Served served(pid, std::move(instance));  // ends it when what it says is not what is expected
    const std::string line = first_line(output[0]);
    close(output[0]);
    const auto end = line.find("; join with: ");
    if (!line.starts_with(line_begin) || end == std::string::npos) {
        return failure(std::error_code{}, fmt::format("the host did not start: '{}'", line));
    }
    auto endpoint = Endpoint::parse(line.substr(line_begin.size(), end - line_begin.size()));
    if (!endpoint) {
        return std::unexpected(std::move(endpoint.error()));
    }
    served.endpoint_ = std::move(*endpoint);
    served.front_pids_ = children_named(pid, "front/");
    return served;
}

Served::Served(Served&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      instance_(std::move(other.instance_)),
      endpoint_(std::move(other.endpoint_)),
      front_pids_(std::move(other.front_pids_)) {}

Served::~Served() {
    if (pid_ > 0) {
        end_process(pid_);
    }
}

void allow_descriptors() noexcept {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);  // without it there are fewer sessions, which is said
    }
}

}  // namespace ringside::bench
