#include "pinned_roles.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ringside/core/clock.hpp"
#include "ringside/core/invariant.hpp"

namespace ringside::bench {
namespace {

constexpr std::int64_t role_ns_max = 60'000'000'000;

std::vector<std::size_t> cpus_allowed() {
    cpu_set_t set;
    CPU_ZERO(&set);
    ::sched_getaffinity(0, sizeof set, &set);
    std::vector<std::size_t> cpus;
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &set)) {
            cpus.push_back(cpu);
        }
    }
    return cpus;
}

void pin_to(std::size_t cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    ::sched_setaffinity(0, sizeof set, &set);
}

// Killed and reaped when it goes out of sight before it has ended.
class Child {
public:
    Child(const Role& role, std::size_t cpu) : parent_(::getpid()), pid_(::fork()) {
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (::getppid() != parent_) {  // it died before the line above
                ::_exit(1);
            }
            pin_to(cpu);
            const bool intact = role();
            // Not _exit(): LeakSanitizer looks for leaks there, by system calls that a role may
            // have forbidden itself.
            ::syscall(SYS_exit_group, intact ? 0 : 1);
        }
        pidfd_ = pid_ < 0 ? -1 : static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            reap();
        }
        if (pidfd_ >= 0) {
            ::close(pidfd_);
        }
    }

    [[nodiscard]] bool started() const noexcept { return pidfd_ >= 0; }
    [[nodiscard]] int pidfd() const noexcept { return pid_ > 0 ? pidfd_ : -1; }  // poll skips -1

    int reap() noexcept {  // the wait status
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = 0;
        return status;
    }

private:
    pid_t parent_;
    pid_t pid_;
    int pidfd_ = -1;
};

}  // namespace

SharedMemory::SharedMemory(std::size_t bytes)
    : memory_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)),
      bytes_(bytes) {
    invariant(memory_ != MAP_FAILED, "a benchmark needs its memory");
    std::memset(memory_, 0, bytes_);
}

SharedMemory::~SharedMemory() {
    ::munmap(memory_, bytes_);
}

Result<void> run_roles(std::string_view what, std::span<const Role> roles, Cpus cpus) {
    const std::vector<std::size_t> allowed = cpus_allowed();
    std::deque<Child> children;  // they do not move
    for (const Role& role : roles) {
        const bool first = children.empty() || cpus == Cpus::same;
        if (!children.emplace_back(role, first ? allowed.front() : allowed.back()).started()) {
            return errno_failure(fmt::format("{}: cannot fork", what));
        }
    }
    const std::int64_t deadline_ns = monotonic_ns() + role_ns_max;
    for (std::size_t running = roles.size(); running > 0;) {
        std::vector<pollfd> ends;
        for (const Child& child : children) {
            ends.push_back({child.pidfd(), POLLIN, 0});
        }
        const std::int64_t left_ms = (deadline_ns - monotonic_ns()) / 1'000'000;
        if (left_ms <= 0) {
            return failure(std::errc::timed_out, fmt::format("{}: does not end", what));
        }
        ::poll(ends.data(), ends.size(), static_cast<int>(left_ms));  // EINTR: round again
        for (std::size_t at = 0; at < ends.size(); ++at) {
            if ((ends[at].revents & POLLIN) == 0) {
                continue;
            }
            --running;
            if (const int status = children[at].reap(); status != 0) {
                return failure(std::errc::bad_message,
                               fmt::format("{}: process {} of {} failed (wait status {:#x})", what,
                                           at + 1, ends.size(), status));
            }
        }
    }
    return {};
}

}  // namespace ringside::bench
