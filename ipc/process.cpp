#include "process.hpp"

#include <array>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "ringside/ipc/supervisor.hpp"

namespace ringside {

bool die_with(pid_t parent_pid, int signal) noexcept {
    prctl(PR_SET_PDEATHSIG, signal);
    return getppid() == parent_pid;  // after the prctl: a parent that died before it is noticed too
}

void run_on_cpus(std::span<const int> cpus) noexcept {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int cpu : cpus) {
        CPU_SET(static_cast<std::size_t>(cpu), &set);
    }
    sched_setaffinity(0, sizeof(set), &set);
}

void run_first() noexcept {
    const sched_param least{.sched_priority = sched_get_priority_min(SCHED_FIFO)};
    sched_setscheduler(0, SCHED_FIFO, &least);
}

void run_in_turn() noexcept {
    const sched_param none{.sched_priority = 0};
    sched_setscheduler(0, SCHED_OTHER, &none);
}

bool may_run_first() noexcept {
    const int before = sched_getscheduler(0);
    const sched_param none{.sched_priority = 0};
    run_first();
    const bool may = sched_getscheduler(0) == SCHED_FIFO;
    sched_setscheduler(0, before, &none);
    return may;
}

std::string game_process_name(const GameSegmentPlan& plan) {
    return "game " + std::string(plan.type) + '/' + plan.name;
}

std::optional<ProcessFacts> look_at_process(pid_t pid) {
    std::ifstream file(fmt::format("/proc/{}/stat", pid));
    std::string line;
    std::getline(file, line);
    const std::size_t open = line.find('(');
    const std::size_t close = line.rfind(')');  // a name may have one too
    if (open == std::string::npos || close == std::string::npos || close < open) {
        return std::nullopt;
    }
    ProcessFacts facts{.name = line.substr(open + 1, close - open - 1)};
    std::istringstream rest(line.substr(close + 1));
    rest >> facts.state;
    std::array<std::int64_t, 19> fields{};  // proc(5): state is field 3, these begin with field 4
    for (std::int64_t& field : fields) {
        rest >> field;
    }
    static const std::int64_t clock_tick_ns = 1'000'000'000 / sysconf(_SC_CLK_TCK);
    facts.cpu_ns = (fields[14 - 4] + fields[15 - 4]) * clock_tick_ns;  // utime, stime
    facts.start = static_cast<std::uint64_t>(fields[22 - 4]);
    return rest && facts.state != 'Z' && facts.state != 'X' ? std::optional(facts) : std::nullopt;
}

}  // namespace ringside
