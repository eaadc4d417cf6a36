#include "attacks.hpp"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ringside::test {
namespace {

template <long number>
void call() {
    syscall(number, 0, 0, 0, 0, 0, 0);
}

void fork_bomb() {
    for (;;) {
        syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    }
}

void all_memory() {
    std::vector<void*> taken;
    for (;;) {
        constexpr std::size_t bytes = 16 << 20;
        void* memory = std::malloc(bytes);
        if (memory == nullptr) {
            std::abort();  // it has had what it may have
        }
        std::memset(memory, 1, bytes);
        taken.push_back(memory);
    }
}

int all_stack(int depth) {
    volatile char room[4096];
    std::memset(const_cast<char*>(room), depth, sizeof room);
    return depth < 0 ? room[0] : all_stack(depth + 1) + room[1];
}

}  // namespace

const std::array<Attack, attack_count>& attacks() {
    static const std::array<Attack, attack_count> all{{
        {"open a file", [] { open("/etc/passwd", O_RDONLY); }},
        {"look at its descriptors", [] { open("/proc/self/fd", O_RDONLY | O_DIRECTORY); }},
        {"make a socket", [] { socket(AF_INET, SOCK_STREAM, 0); }},
        {"make an io_uring", call<SYS_io_uring_setup>},
        {"fork without end", fork_bomb},
        {"make a thread", call<SYS_clone3>},
        {"run a program", [] { execl("/bin/true", "true", nullptr); }},
        {"kill its supervisor", [] { kill(getppid(), SIGKILL); }},
        {"signal itself", [] { raise(SIGUSR1); }},
        {"trace its supervisor", [] { ptrace(PTRACE_ATTACH, getppid(), nullptr, nullptr); }},
        {"read another's memory", call<SYS_process_vm_readv>},
        {"open a process", call<SYS_pidfd_open>},
        {"map a descriptor", [] { mmap(nullptr, 4096, PROT_READ, MAP_SHARED, STDERR_FILENO, 0); }},
        {"map code",
         [] { mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }},
        {"make code of data",
         [] {
             static char page[8192];
             mprotect(page, sizeof page, PROT_READ | PROT_WRITE | PROT_EXEC);
         }},
        {"shrink a segment", [] { ftruncate(STDERR_FILENO, 0); }},
        {"make memory to pass on", call<SYS_memfd_create>},
        {"take a descriptor", call<SYS_recvmsg>},
        {"become root", [] { setresuid(0, 0, 0); }},
        {"raise its limits",
         [] {
             const rlimit all_there_is{RLIM_INFINITY, RLIM_INFINITY};
             setrlimit(RLIMIT_DATA, &all_there_is);
         }},
        {"outlive its supervisor", [] { prctl(PR_SET_PDEATHSIG, 0); }},
        {"fork as its nursery does",
         [] { syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr); }},
        {"answer as its nursery does", call<SYS_sendmsg>},
        {"look at a descriptor", call<SYS_fstat>},
        {"close its standard error", [] { close(STDERR_FILENO); }},
        {"ask for its supervisor", [] { getppid(); }},
        {"run before all others",
         [] {
             const sched_param most{.sched_priority = 99};
             sched_setscheduler(0, SCHED_FIFO, &most);
         }},
        {"run on another CPU", call<SYS_sched_setaffinity>},
        {"take another name", [] { prctl(PR_SET_NAME, "supervisor"); }},
        {"add a filter of its own", [] { syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, 0); }},
        {"exit as if nothing were wrong", [] { std::_Exit(0); }},
        {"take all memory", all_memory},
        {"take all stack", [] { std::exit(all_stack(1)); }},
    }};
    return all;
}

}  // namespace ringside::test
