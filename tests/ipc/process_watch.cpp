#include "process_watch.hpp"

#include <fstream>
#include <sstream>

#include <poll.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ringside::test {

pid_t child_named(pid_t parent, const std::string& name) {
    const std::string task = "/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent);
    std::ifstream children(task + "/children");
    pid_t child = 0;
    while (children >> child) {
        std::string found;
        std::getline(std::ifstream("/proc/" + std::to_string(child) + "/comm"), found);
        if (found == name) {
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
    char state = 0;
    while (state != 'T') {
        std::string stat;
        std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), stat);
        state = stat.at(stat.rfind(')') + 2);
        sched_yield();
    }
}

}  // namespace ringside::test
