// The sandbox by itself: every system call there is, tried by a process in it. Which of them do not
// kill it is written down here once more, so that none is added unseen.

#include "ipc/sandbox.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <set>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace ringside;

#ifndef RINGSIDE_SANITIZED  // there it has no lists

namespace {

struct Call {
    long number;
    std::array<long, 6> arguments{};
};

/// A child of this process's, by the nursery below, that makes one call.
struct Attempt {
    std::size_t call;
    pid_t pid;
};

/// Whether each of these calls kills a nursery, or a game, that makes it.
std::vector<bool> are_fatal(const std::vector<Call>& calls, bool in_game) {
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    const pid_t nursery = fork();
    REQUIRE(nursery >= 0);
    if (nursery == 0) {
        const rlimit no_core{0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        const auto sandbox = Sandbox::enter_in_nursery();
        for (std::size_t i = 0; sandbox && i < calls.size(); ++i) {
            // Its sibling, as games are: this process may not wait for it.
            const auto pid = static_cast<pid_t>(
                syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
            if (pid == 0) {
                if (in_game && !sandbox->enter_in_game()) {
                    _exit(1);
                }
                const auto& a = calls[i].arguments;
                syscall(calls[i].number, a[0], a[1], a[2], a[3], a[4], a[5]);
                _exit(0);
            }
            const Attempt attempt{i, pid};
            if (write(ends[1], &attempt, sizeof(attempt)) != sizeof(attempt)) {
                _exit(1);
            }
        }
        _exit(sandbox ? 0 : 1);
    }
    close(ends[1]);
    std::vector<bool> fatal(calls.size());
    std::size_t seen = 0;
    for (Attempt attempt{}; read(ends[0], &attempt, sizeof(attempt)) == sizeof(attempt); ++seen) {
        INFO("system call " << calls[attempt.call].number);
        REQUIRE(attempt.pid > 0);
        int status = 0;
        REQUIRE(waitpid(attempt.pid, &status, 0) == attempt.pid);
        REQUIRE_FALSE((WIFEXITED(status) && WEXITSTATUS(status) == 1));
        fatal[attempt.call] = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
    }
    close(ends[0]);
    int status = 0;
    REQUIRE(waitpid(nursery, &status, 0) == nursery);
    REQUIRE(status == 0);
    REQUIRE(seen == calls.size());
    return fatal;
}

/// The numbers that kill nobody, when all arguments are zero.
std::set<long> harmless(bool in_game) {
    constexpr long numbers = 600;  // some hundred more than there are
    constexpr long of_x32 = 0x4000'0000;
    // The first goes on anywhere; the others, uretprobe and uprobe, the kernel lets pass by every
    // filter: they are for its own probes, and do nothing to who has none.
    constexpr std::array not_tried{long{SYS_rt_sigreturn}, 335L, 336L};
    std::vector<Call> calls;
    for (long number = 0; number < numbers; ++number) {
        if (std::ranges::find(not_tried, number) == not_tried.end()) {
            calls.push_back({.number = number});
        }
        calls.push_back({.number = of_x32 | number});
    }
    const auto fatal = are_fatal(calls, in_game);
    std::set<long> found;
    for (std::size_t i = 0; i < calls.size(); ++i) {
        if (!fatal[i]) {
            found.insert(calls[i].number);
        }
    }
    return found;
}

const std::set<long> games_may{
    SYS_clock_nanosleep,
    SYS_getrusage,
    SYS_nanosleep,
    SYS_restart_syscall,
    SYS_futex,
    SYS_sched_yield,
    SYS_write,
    SYS_writev,
    SYS_brk,
    SYS_munmap,
    SYS_mremap,
    SYS_clock_gettime,
    SYS_gettimeofday,
    SYS_getrandom,
    SYS_getpid,
    SYS_gettid,
    SYS_rt_sigprocmask,
    SYS_rt_sigaction,
    SYS_exit,
    SYS_exit_group,
    SYS_mprotect,
};

/// Calls that are allowed or not by their arguments, and whether they are in game and nursery.
struct Judged {
    Call call;
    bool game_may;
    bool nursery_may;
};

const std::vector<Judged> by_arguments{
    {{SYS_mmap, {0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}}, true, true},
    {{SYS_mmap, {0, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}}, false, false},
    {{SYS_mmap, {0, 4096, PROT_READ, MAP_SHARED, STDERR_FILENO, 0}}, false, true},
    {{SYS_mmap, {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, STDERR_FILENO, 0}}, false, false},
    {{SYS_mprotect, {0, 0, PROT_READ | PROT_WRITE}}, true, true},
    {{SYS_mprotect, {0, 0, PROT_READ | PROT_EXEC}}, false, false},
    {{SYS_getrusage, {RUSAGE_SELF}}, true, true},
    {{SYS_getrusage, {RUSAGE_CHILDREN}}, false, false},
    {{SYS_madvise, {0, 0, MADV_DONTNEED}}, true, true},
    {{SYS_madvise, {0, 0, MADV_FREE}}, true, true},
    {{SYS_madvise, {0, 0, MADV_REMOVE}}, false, false},
    {{SYS_clone, {SIGCHLD}}, false, false},
    {{SYS_clone, {CLONE_PARENT | CLONE_VM | SIGCHLD}}, false, false},
    {{SYS_clone, {CLONE_PARENT | CLONE_NEWUSER | SIGCHLD}}, false, false},
    {{SYS_newfstatat, {STDERR_FILENO, 0, 0, AT_EMPTY_PATH}}, false, true},
    {{SYS_prlimit64, {0, RLIMIT_NPROC}}, false, true},
    {{SYS_prlimit64, {0, RLIMIT_DATA}}, false, false},
    {{SYS_prlimit64, {1, RLIMIT_NPROC}}, false, false},
    {{SYS_prctl, {PR_SET_NAME}}, false, true},
    {{SYS_prctl, {PR_SET_PDEATHSIG}}, false, true},
    {{SYS_prctl, {PR_SET_DUMPABLE}}, false, false},
    {{SYS_prctl, {PR_SET_SECCOMP}}, false, false},
    {{SYS_seccomp, {SECCOMP_SET_MODE_FILTER}}, false, true},
    {{SYS_seccomp, {SECCOMP_GET_ACTION_AVAIL}}, false, false},
};

}  // namespace

TEST_CASE("sandbox: of all system calls these are a game's, and no other", "[ipc][sandbox]") {
    REQUIRE(harmless(/*in_game=*/true) == games_may);
}

TEST_CASE("sandbox: a nursery's are a game's and what it takes to fork one", "[ipc][sandbox]") {
    std::set<long> nurseries_may = games_may;
    nurseries_may.insert({SYS_recvmsg, SYS_sendmsg, SYS_fstat, SYS_close, SYS_close_range,
                          SYS_getppid, SYS_sched_setaffinity, SYS_sched_setscheduler, SYS_mmap});
    REQUIRE(harmless(/*in_game=*/false) == nurseries_may);
}

TEST_CASE("sandbox: some calls are judged by their arguments", "[ipc][sandbox]") {
    std::vector<Call> calls;
    std::ranges::transform(by_arguments, std::back_inserter(calls), &Judged::call);
    const auto fatal_in_game = are_fatal(calls, /*in_game=*/true);
    const auto fatal_in_nursery = are_fatal(calls, /*in_game=*/false);
    for (std::size_t i = 0; i < calls.size(); ++i) {
        INFO("system call " << calls[i].number << " with " << calls[i].arguments[0] << ", "
                            << calls[i].arguments[1] << ", " << calls[i].arguments[2] << ", "
                            << calls[i].arguments[3]);
        CHECK(fatal_in_game[i] != by_arguments[i].game_may);
        CHECK(fatal_in_nursery[i] != by_arguments[i].nursery_may);
    }
}

#endif
