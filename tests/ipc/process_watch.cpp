#include "process_watch.hpp"

#include <fstream>
#include <sstream>

#include <poll.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ringside::test {

namespace {

/// As ps shows it: R, S, D, T, Z … Gone is a zombie that has been reaped: X.
char state_of(pid_t pid) {
    std::string stat;
    std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), stat);
    const std::size_t name_end = stat.rfind(')');
    return name_end == std::string::npos ? 'X' : stat.at(name_end + 2);
}

}  // namespace

bool is_named(pid_t pid, const std::string& name) {
    const std::string process = "/proc/" + std::to_string(pid);
    std::string kernels;
    std::string title;
    std::getline(std::ifstream(process + "/comm"), kernels);
    std::getline(std::ifstream(process + "/cmdline"), title, '\0');
    return kernels == name || title == name;
}

pid_t child_named(pid_t parent, const std::string& name) {
    const std::string task = "/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent);
    std::ifstream children(task + "/children");
    pid_t child = 0;
    while (children >> child) {
        if (is_named(child, name) && state_of(child) != 'Z') {
            return child;
        }
    }
    return 0;
}

void wait_until_gone(pid_t pid) {
    const auto fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    if (fd < 0) {
        return;  // no such process
    }
    pollfd exited{.fd = fd, .events = POLLIN, .revents = 0};
    while (poll(&exited, 1, -1) < 0) {
    }
    close(fd);
}

void wait_until_stopped(pid_t pid) {
    for (char state = 0; state != 'T' && state != 'X'; state = state_of(pid)) {
        sched_yield();
    }
}

}  // namespace ringside::test
