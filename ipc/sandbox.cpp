#include "sandbox.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <initializer_list>
#include <memory>
#include <span>
#include <utility>

#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ringside {
namespace {

constexpr rlim_t memory_bytes_max = 256 * 1024 * 1024;  // private and writable
constexpr uid_t nobody = 65534;                         // the kernel's overflow user

// What C++ and a game's loop need: memory, clocks, sleep, wake, what it has used, and the way out.
constexpr std::array game_calls{
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(futex),
    SCMP_SYS(sched_yield),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getrandom),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

// What a nursery needs besides, or a game before its own code runs: to take orders and answer them,
// to look at the descriptor of a segment, to close everything, and to choose where and when it
// runs.
constexpr std::array nursery_calls{
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(fstat),
    SCMP_SYS(close),
    SCMP_SYS(close_range),
    SCMP_SYS(getppid),
    SCMP_SYS(sched_setaffinity),
    SCMP_SYS(sched_setscheduler),
};

// The library's own (SCMP_A0 …) are literals of C.
constexpr scmp_arg_cmp equals(unsigned argument, scmp_datum_t value) {
    return {argument, SCMP_CMP_EQ, value, 0};
}
constexpr scmp_arg_cmp no_code{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};  // of mmap and mprotect
constexpr scmp_arg_cmp itself{0, SCMP_CMP_EQ, RUSAGE_SELF, 0};        // of getrusage
constexpr scmp_arg_cmp own_memory{3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS};

using Filter = std::unique_ptr<void, decltype(&seccomp_release)>;

bool allow(scmp_filter_ctx filter, int call, std::initializer_list<scmp_arg_cmp> if_all = {}) {
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call,
                                  static_cast<unsigned>(if_all.size()), if_all.begin()) == 0;
}

bool allow_all(scmp_filter_ctx filter, std::span<const int> calls) {
    return std::ranges::all_of(calls, [filter](int call) { return allow(filter, call); });
}

// What malloc() does with memory it has no use for. Another advice, MADV_REMOVE, would take pages
// out of the game's segment, and who reads there when /dev/shm is full has a SIGBUS.
bool allow_giving_back(scmp_filter_ctx filter) {
    return allow(filter, SCMP_SYS(madvise), {equals(2, MADV_DONTNEED)}) &&
           allow(filter, SCMP_SYS(madvise), {equals(2, MADV_FREE)});
}

bool allow_game(scmp_filter_ctx filter) {
    return allow_all(filter, game_calls) && allow_giving_back(filter) &&
           allow(filter, SCMP_SYS(mmap), {no_code, own_memory}) &&
           allow(filter, SCMP_SYS(mprotect), {no_code}) &&
           allow(filter, SCMP_SYS(getrusage), {itself});
}

// A fork, and no thread; of the rest what a game does once, and nothing that gives it more.
bool allow_nursery(scmp_filter_ctx filter) {
    return allow_all(filter, game_calls) && allow_all(filter, nursery_calls) &&
           allow_giving_back(filter) && allow(filter, SCMP_SYS(mmap), {no_code}) &&
           allow(filter, SCMP_SYS(mprotect), {no_code}) &&
           allow(filter, SCMP_SYS(getrusage), {itself}) &&
           allow(filter, SCMP_SYS(clone), {equals(0, CLONE_PARENT | SIGCHLD)}) &&
           allow(filter, SCMP_SYS(newfstatat), {equals(3, AT_EMPTY_PATH)}) &&
           allow(filter, SCMP_SYS(prlimit64), {equals(0, 0), equals(1, RLIMIT_NPROC)}) &&
           allow(filter, SCMP_SYS(prctl), {equals(0, PR_SET_NAME)}) &&
           allow(filter, SCMP_SYS(prctl), {equals(0, PR_SET_PDEATHSIG)}) &&
           allow(filter, SCMP_SYS(seccomp), {equals(0, SECCOMP_SET_MODE_FILTER)});
}

using AllowCalls = bool (*)(scmp_filter_ctx);

bool write_program(int fd, AllowCalls allow_calls) {
    const Filter filter(seccomp_init(SCMP_ACT_KILL_PROCESS), &seccomp_release);
    return filter != nullptr && allow_calls(filter.get()) &&
           seccomp_export_bpf(filter.get(), fd) == 0;
}

/// The kernel's program for a filter: to be loaded thousands of times, it is made once. By another
/// process, because what the library leaves behind of a heap would be in every game: their objects
/// would lie scattered over its holes, on five pages more, and each tick would touch those.
Result<std::vector<sock_filter>> make_program(AllowCalls allow_calls) {
    const int fd = memfd_create("seccomp", MFD_CLOEXEC);
    if (fd < 0) {
        return errno_failure("memfd_create refused room for a system call filter");
    }
    const pid_t maker = fork();
    if (maker == 0) {
        _exit(write_program(fd, allow_calls) ? 0 : 1);
    }
    std::vector<sock_filter> program;
    int status = 0;
    if (maker > 0 && waitpid(maker, &status, 0) == maker && status == 0) {
        const auto bytes = static_cast<std::size_t>(lseek(fd, 0, SEEK_END));
        program.resize(bytes / sizeof(sock_filter));
        if (pread(fd, program.data(), bytes, 0) != static_cast<ssize_t>(bytes)) {
            program.clear();
        }
    }
    close(fd);
    if (program.empty()) {
        return failure(std::errc::not_supported, "libseccomp could not make a system call filter");
    }
    return program;
}

Result<void> load(const std::vector<sock_filter>& program) {
#ifndef RINGSIDE_SANITIZED
    const sock_fprog loaded{.len = static_cast<unsigned short>(program.size()),
                            .filter = const_cast<sock_filter*>(program.data())};
    // Without SPEC_ALLOW every process with a filter would also lose speculative stores.
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &loaded) !=
        0) {
        return errno_failure("seccomp refused a system call filter");
    }
#else
    static_cast<void>(program);
#endif
    return {};
}

void limit(__rlimit_resource resource, rlim_t most) {
#ifndef RINGSIDE_SANITIZED
    const rlimit both{most, most};
    setrlimit(resource, &both);
#else
    static_cast<void>(resource);
    static_cast<void>(most);
#endif
}

Result<void> give_up_root() {
    // EINVAL: a user namespace without that user. Its root is nobody outside.
    if (geteuid() == 0 &&
        (setgroups(0, nullptr) != 0 || setresgid(nobody, nobody, nobody) != 0 ||
         setresuid(nobody, nobody, nobody) != 0) &&
        errno != EINVAL && errno != EPERM) {
        return errno_failure("a nursery could not give up root");
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return errno_failure("a nursery could not give up new privileges");
    }
    return {};
}

/// A ruleset that handles every access the first Landlock knows, and allows none.
Result<void> give_up_files() {
    const landlock_ruleset_attr attributes{
        .handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
    };
    const int ruleset =
        static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0));
    if (ruleset < 0) {
        return {};  // this kernel has none
    }
    const bool restricted = syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    const int error = errno;
    close(ruleset);
    errno = error;
    return restricted ? Result<void>{} : errno_failure("Landlock refused a nursery");
}

}  // namespace

Sandbox::Sandbox(std::vector<sock_filter> game_program) noexcept
    : game_program_(std::move(game_program)) {}

Result<Sandbox> Sandbox::enter_in_nursery() {
    auto nursery_program = make_program(allow_nursery);
    auto game_program = make_program(allow_game);
    if (!nursery_program || !game_program) {
        return std::unexpected(
            std::move((nursery_program ? game_program : nursery_program).error()));
    }
    limit(RLIMIT_DATA, memory_bytes_max);
    // All games are nobody's: a limit meant for root's processes is not one of theirs together.
    limit(RLIMIT_NPROC, RLIM_INFINITY);
    if (auto given_up = give_up_root(); !given_up) {
        return std::unexpected(std::move(given_up.error()));
    }
    if (auto given_up = give_up_files(); !given_up) {
        return std::unexpected(std::move(given_up.error()));
    }
    if (auto loaded = load(*nursery_program); !loaded) {
        return std::unexpected(std::move(loaded.error()));
    }
    return Sandbox(std::move(*game_program));
}

Result<void> Sandbox::enter_in_game() const {
    limit(RLIMIT_NPROC, 0);
    return load(game_program_);
}

}  // namespace ringside
