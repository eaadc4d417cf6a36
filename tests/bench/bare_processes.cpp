#include "bare_processes.hpp"

#include <cerrno>
#include <csignal>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ringside::bench {
namespace {

// The number behind "field:" in a file like /proc/meminfo.
std::uint64_t field_of(const std::string& path, const std::string& field) {
    std::ifstream file(path);
    std::string name;
    while (file >> name) {
        std::uint64_t number = 0;
        if (name == field + ":" && file >> number) {
            return number;
        }
        std::getline(file, name);
    }
    return 0;
}

}  // namespace

GoesFirst::GoesFirst() noexcept : nice_before_(getpriority(PRIO_PROCESS, 0)) {
    setpriority(PRIO_PROCESS, 0, -20);
}

GoesFirst::~GoesFirst() {
    setpriority(PRIO_PROCESS, 0, nice_before_);
}

BareProcesses::~BareProcesses() {
    const GoesFirst goes_first;
    for (const pid_t pid : pids_) {
        kill(pid, SIGKILL);
    }
    for (const pid_t pid : pids_) {
        while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
}

Result<void> BareProcesses::fork_one(const std::function<void()>& body) {
    const pid_t parent_pid = getpid();
    const pid_t pid = fork();
    if (pid < 0) {
        return errno_failure(fmt::format("cannot fork bare process {}", pids_.size() + 1));
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_TIMERSLACK, 1);
        if (getppid() == parent_pid) {
            body();
        }
        _exit(0);
    }
    pids_.push_back(pid);
    return {};
}

std::uint64_t status_of(pid_t pid, const char* field) {
    return field_of(fmt::format("/proc/{}/status", pid), field);
}

std::int64_t mem_available_kib() {
    return static_cast<std::int64_t>(field_of("/proc/meminfo", "MemAvailable"));
}

}  // namespace ringside::bench
