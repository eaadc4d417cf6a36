#include "process.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "ringside/ipc/supervisor.hpp"

namespace ringside {

bool die_with(pid_t parent_pid, int signal) noexcept {
    prctl(PR_SET_PDEATHSIG, signal);
    return getppid() == parent_pid;  // after the prctl: a parent that died before it is noticed too
}

void run_on_cpu(int cpu) noexcept {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(static_cast<std::size_t>(cpu), &cpus);
    sched_setaffinity(0, sizeof(cpus), &cpus);
}

void run_first() noexcept {
    const sched_param least{.sched_priority = sched_get_priority_min(SCHED_FIFO)};
    sched_setscheduler(0, SCHED_FIFO, &least);
}

bool may_run_first() noexcept {
    const int before = sched_getscheduler(0);
    const sched_param none{.sched_priority = 0};
    run_first();
    const bool may = sched_getscheduler(0) == SCHED_FIFO;
    sched_setscheduler(0, before, &none);
    return may;
}

void name_process(const std::string& name) noexcept {
    prctl(PR_SET_NAME, name.c_str());
}

}  // namespace ringside
