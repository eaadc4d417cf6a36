#include "sandbox.hpp"

#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include <grp.h>
#include <linux/landlock.h>
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
constexpr std::array allowed{
    SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
    SCMP_SYS(restart_syscall), SCMP_SYS(futex),
    SCMP_SYS(sched_yield),     SCMP_SYS(write),
    SCMP_SYS(writev),          SCMP_SYS(brk),
    SCMP_SYS(munmap),          SCMP_SYS(mremap),
    SCMP_SYS(madvise),         SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),    SCMP_SYS(getrandom),
    SCMP_SYS(getpid),          SCMP_SYS(gettid),
    SCMP_SYS(rt_sigprocmask),  SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigreturn),    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

using Filter = std::unique_ptr<void, decltype(&seccomp_release)>;

bool add_rules(scmp_filter_ctx filter) {
    for (const int call : allowed) {
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) != 0) {
            return false;
        }
    }
    // Memory of its own, and never code. (The library's SCMP_A2 is a literal of C.)
    constexpr scmp_arg_cmp no_code{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};
    constexpr scmp_arg_cmp own{3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS};
    constexpr scmp_arg_cmp itself{0, SCMP_CMP_EQ, RUSAGE_SELF, 0};
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, no_code, own) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, no_code) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(getrusage), 1, itself) == 0;
}

bool write_program(int fd) {
    const Filter filter(seccomp_init(SCMP_ACT_KILL_PROCESS), &seccomp_release);
    return filter != nullptr && add_rules(filter.get()) &&
           seccomp_export_bpf(filter.get(), fd) == 0;
}

/// The kernel's program for the filter: to be loaded thousands of times, it is made once. By
/// another process, because what the library leaves behind of a heap would be in every game: their
/// objects would lie scattered over its holes, on five pages more, and each tick would touch those.
Result<std::vector<sock_filter>> make_program() {
    const int fd = memfd_create("seccomp", MFD_CLOEXEC);
    if (fd < 0) {
        return errno_failure("memfd_create refused room for the games' system call filter");
    }
    const pid_t maker = fork();
    if (maker == 0) {
        _exit(write_program(fd) ? 0 : 1);
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
        return failure(std::errc::not_supported,
                       "libseccomp could not make the games' system call filter");
    }
    return program;
}

/// Of a ruleset that handles every access the first Landlock knows, and allows none.
int landlock_nothing() noexcept {
    const landlock_ruleset_attr attributes{
        .handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
    };
    return static_cast<int>(
        syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0));
}

}  // namespace

Result<Sandbox> Sandbox::prepare() {
    auto program = make_program();
    if (!program) {
        return std::unexpected(std::move(program.error()));
    }
    return Sandbox(std::move(*program), landlock_nothing());
}

Sandbox::Sandbox(std::vector<sock_filter> program, int landlock_fd) noexcept
    : program_(std::move(program)), landlock_fd_(landlock_fd) {}

Sandbox::Sandbox(Sandbox&& other) noexcept
    : program_(std::move(other.program_)), landlock_fd_(std::exchange(other.landlock_fd_, -1)) {}

Sandbox::~Sandbox() {
    if (landlock_fd_ >= 0) {
        close(landlock_fd_);
    }
}

Result<void> Sandbox::give_up_files_and_root() const {
    const rlimit memory{memory_bytes_max, memory_bytes_max};
    const rlimit none{0, 0};
#ifndef RINGSIDE_SANITIZED
    setrlimit(RLIMIT_DATA, &memory);
    setrlimit(RLIMIT_NPROC, &none);
#else
    static_cast<void>(memory);
    static_cast<void>(none);
#endif
    // EINVAL: a user namespace without that user. Its root is nobody outside.
    if (geteuid() == 0 &&
        (setgroups(0, nullptr) != 0 || setresgid(nobody, nobody, nobody) != 0 ||
         setresuid(nobody, nobody, nobody) != 0) &&
        errno != EINVAL && errno != EPERM) {
        return errno_failure("a game could not give up root");
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return errno_failure("a game could not give up new privileges");
    }
    if (landlock_fd_ >= 0 && syscall(SYS_landlock_restrict_self, landlock_fd_, 0) != 0) {
        return errno_failure("Landlock refused a game");
    }
    return {};
}

Result<void> Sandbox::enter() const {
#ifndef RINGSIDE_SANITIZED
    const sock_fprog program{.len = static_cast<unsigned short>(program_.size()),
                             .filter = const_cast<sock_filter*>(program_.data())};
    // Without SPEC_ALLOW every process with a filter would also lose speculative stores.
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) !=
        0) {
        return errno_failure("seccomp refused a game its system call filter");
    }
#endif
    return {};
}

}  // namespace ringside
