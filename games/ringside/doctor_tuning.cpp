// Of settings that decide how late a tick or an answer is. Nothing here keeps a host from running:
// what is wrong for every host warns, what costs only microseconds warns where they count.

#include <algorithm>
#include <array>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "doctor_checks.hpp"

namespace ringside {
namespace {

const std::string cpu_folder = "/sys/devices/system/cpu/";

/// A finding that warns of every host, or only where microseconds count.
Finding judged(std::string name, bool good, std::string seen, std::string why, std::string cure) {
    return {.name = std::move(name),
            .verdict = good ? Verdict::ok : Verdict::warn,
            .seen = std::move(seen),
            .why = std::move(why),
            .cure = good ? std::string() : std::move(cure)};
}

std::vector<std::string> cpu_names(const Machine& machine) {
    std::vector<std::string> names = machine.entries(cpu_folder);
    std::erase_if(names, [](const std::string& name) {
        return !name.starts_with("cpu") || !leading_number(std::string_view(name).substr(3));
    });
    return names;
}

/// Of "always [madvise] never": what is in brackets.
std::string chosen(const std::string& text) {
    const std::size_t open = text.find('[');
    const std::size_t close = text.find(']');
    return open == text.npos || close == text.npos || close < open
               ? text
               : text.substr(open + 1, close - open - 1);
}

template <class Container>
std::string joined(const Container& words) {
    return fmt::format("{}", fmt::join(words, ", "));
}

Finding check_clocksource(const Subject& subject) {
    const std::string folder = "/sys/devices/system/clocksource/clocksource0/";
    const std::string current =
        subject.machine.text(folder + "current_clocksource").value_or("not told");
    const std::string available =
        subject.machine.text(folder + "available_clocksource").value_or("");
    // Those that are read without a system call.
    constexpr std::array fast{"tsc", "kvm-clock", "hyperv_clocksource_tsc_page",
                              "arch_sys_counter"};
    const bool good = std::ranges::find(fast, current) != fast.end();
    return judged("clocksource", good, current,
                  "the clock is read several times a tick; any other source is a system call each",
                  available.find("tsc") != std::string::npos
                      ? "echo tsc > " + folder + "current_clocksource"
                      : "add tsc=reliable to the kernel's command line (/etc/default/grub, "
                        "update-grub) and reboot");
}

Finding check_governor(const Subject& subject) {
    std::set<std::string> governors;
    for (const std::string& cpu : cpu_names(subject.machine)) {
        if (const auto governor =
                subject.machine.text(cpu_folder + cpu + "/cpufreq/scaling_governor")) {
            governors.insert(*governor);
        }
    }
    const bool good = governors.empty() || governors == std::set<std::string>{"performance"};
    return judged("governor", good || !subject.needs.low_latency,
                  governors.empty() ? "frequency not set by Linux" : joined(governors),
                  "a CPU that sleeps most of the time is clocked low when a tick wakes it",
                  "cpupower frequency-set -g performance");
}

Finding check_idle_states(const Subject& subject) {
    constexpr std::uint64_t exit_us_max = 50;
    std::uint64_t slowest_us = 0;
    for (const std::string& cpu : cpu_names(subject.machine)) {
        const std::string folder = cpu_folder + cpu + "/cpuidle/";
        for (const std::string& state : subject.machine.entries(folder)) {
            if (subject.machine.number(folder + state + "/disable").value_or(0) == 0) {
                slowest_us = std::max(
                    slowest_us, subject.machine.number(folder + state + "/latency").value_or(0));
            }
        }
    }
    return judged("idle-states", slowest_us <= exit_us_max || !subject.needs.low_latency,
                  fmt::format("up to {} µs to wake from", slowest_us),
                  "what a CPU's deepest sleep takes to end is added to a tick's lateness",
                  fmt::format("cpupower idle-set -D {}", exit_us_max));
}

Finding check_huge_pages(const Subject& subject) {
    const std::string path = "/sys/kernel/mm/transparent_hugepage/enabled";
    const std::string mode = chosen(subject.machine.text(path).value_or("never"));
    return judged("huge-pages", mode != "always", mode,
                  "with 'always' a game's first write to its heap copies 2 MiB, and thousands of "
                  "games grow by that",
                  "echo madvise > " + path);
}

Finding check_overcommit(const Subject& subject) {
    const std::uint64_t mode = subject.machine.number("/proc/sys/vm/overcommit_memory").value_or(0);
    return judged("overcommit", mode != 2, fmt::format("vm.overcommit_memory is {}", mode),
                  "with 2 every fork is counted as if it copied its nursery: games are refused "
                  "while memory is free",
                  "sysctl -w vm.overcommit_memory=0");
}

Finding check_isolated(const Subject& subject) {
    const std::string isolated = subject.machine.text(cpu_folder + "isolated").value_or("");
    const std::uint64_t cpus = cpu_count(subject.machine);
    const std::string candidates = cpus > 3 ? fmt::format("{}-{}", cpus - 2, cpus - 1) : "1";
    return judged("isolated-cpus", !isolated.empty() || !subject.needs.low_latency || cpus < 2,
                  isolated.empty() ? "none" : isolated,
                  "a front or a game that never sleeps wants a CPU on which nothing else runs",
                  fmt::format("add isolcpus={0} nohz_full={0} rcu_nocbs={0} to the kernel's "
                              "command line, reboot, and serve --cpus-front {0}",
                              candidates));
}

Finding check_irq_affinity(const Subject& subject) {
    const std::vector<std::uint32_t> isolated =
        cpus_of(subject.machine.text(cpu_folder + "isolated").value_or(""));
    std::vector<std::string> there;
    for (const std::string& irq : subject.machine.entries("/proc/irq")) {
        const auto cpus = subject.machine.text("/proc/irq/" + irq + "/smp_affinity_list");
        const bool hits = cpus && std::ranges::any_of(cpus_of(*cpus), [&](std::uint32_t cpu) {
                              return std::ranges::find(isolated, cpu) != isolated.end();
                          });
        if (hits) {
            there.push_back(irq);
        }
    }
    return judged("irq-affinity", there.empty(),
                  isolated.empty() ? "no CPU is isolated"
                  : there.empty()  ? "none goes to an isolated CPU"
                                   : fmt::format("{} of them go to isolated CPUs: {}", there.size(),
                                                 joined(there)),
                  "an interrupt stops whatever runs on its CPU for some microseconds",
                  fmt::format("for irq in {}; do echo 0 > /proc/irq/$irq/smp_affinity_list; done",
                              fmt::format("{}", fmt::join(there, " "))));
}

Finding check_timer_slack(const Subject& subject) {
    constexpr std::uint64_t usual_ns = 50'000;
    const std::uint64_t slack_ns =
        subject.machine.number("/proc/self/timerslack_ns").value_or(usual_ns);
    return judged(
        "timer-slack", slack_ns <= usual_ns, fmt::format("{} ns", slack_ns),
        "how late Linux may wake fronts and supervisor to save power; games set 1 ns "
        "for themselves",
        fmt::format("echo {} > /proc/$$/timerslack_ns (systemd: TimerSlackNSec=50us)", usual_ns));
}

Finding check_fifo(const Subject& subject) {
    const ProcessLimit limit = process_limit(subject.machine, "Max realtime priority");
    const bool permitted = subject.kernel
                               ? subject.kernel->may_run_first
                               : has_capability(subject.machine, cap_sys_nice) || limit.hard > 0;
    return judged("fifo", permitted || !subject.needs.low_latency,
                  permitted ? "permitted" : "not permitted",
                  "serve --fifo has fronts and reactive games run before everything else",
                  "setcap cap_sys_nice+ep $(command -v ringside) (systemd: "
                  "AmbientCapabilities=CAP_SYS_NICE)");
}

Finding check_rt_throttling(const Subject& subject) {
    const std::string path = "/proc/sys/kernel/sched_rt_runtime_us";
    const std::string runtime = subject.machine.text(path).value_or("950000");
    return judged("rt-throttling", runtime != "-1",
                  fmt::format("sched_rt_runtime_us is {}", runtime),
                  "with -1 a --fifo front that never sleeps leaves no time to anything else on its "
                  "CPU, a shell included",
                  "sysctl -w kernel.sched_rt_runtime_us=950000");
}

Finding check_numa(const Subject& subject) {
    std::vector<std::string> nodes = subject.machine.entries("/sys/devices/system/node");
    std::erase_if(nodes, [](const std::string& name) {
        return !name.starts_with("node") || !leading_number(std::string_view(name).substr(4));
    });
    const bool balanced =
        subject.machine.number("/proc/sys/kernel/numa_balancing").value_or(0) != 0;
    return judged("numa", nodes.size() < 2 || !balanced,
                  fmt::format("{} node{}{}", nodes.size(), nodes.size() == 1 ? "" : "s",
                              balanced ? ", balanced by Linux" : ""),
                  "balancing unmaps pages to see who uses them: a page fault in the middle of a "
                  "tick, in memory that is shared anyway",
                  "sysctl -w kernel.numa_balancing=0 (and numactl --cpunodebind=0 --membind=0 "
                  "ringside serve)");
}

Finding check_swap(const Subject& subject) {
    std::istringstream lines(subject.machine.text("/proc/swaps").value_or(""));
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line);) {
        count += line.starts_with("Filename") ? 0u : 1u;
    }
    const std::uint64_t swappiness = subject.machine.number("/proc/sys/vm/swappiness").value_or(60);
    return judged("swap", count == 0 || swappiness <= 10,
                  count == 0 ? "none" : fmt::format("{}, vm.swappiness {}", count, swappiness),
                  "a parked game is swapped out first, and its next tick waits for a disk",
                  "sysctl -w vm.swappiness=1 (or swapoff -a; systemd: MemorySwapMax=0)");
}

Finding check_backlog(const Subject& subject) {
    constexpr std::uint64_t wanted = 4096;
    const std::uint64_t backlog =
        subject.machine.number("/proc/sys/net/core/somaxconn").value_or(wanted);
    return judged("somaxconn", backlog >= wanted, fmt::format("{}", backlog),
                  "connections that wait while a front is replaced; beyond it they are dropped",
                  fmt::format("sysctl -w net.core.somaxconn={}", wanted));
}

// Since the machine started: what a neighbour took once is small in it, what is always taken not.
Finding check_steal(const Subject& subject) {
    std::istringstream first(subject.machine.text("/proc/stat").value_or(""));
    std::string cpu;
    std::array<std::uint64_t, 8> jiffies{};  // proc(5): the last of these is what was stolen
    first >> cpu;
    std::uint64_t all = 0;
    for (std::uint64_t& kind : jiffies) {
        first >> kind;
        all += kind;
    }
    const double percent =
        all == 0 ? 0 : 100.0 * static_cast<double>(jiffies.back()) / static_cast<double>(all);
    return judged(
        "steal", percent < 1, fmt::format("{:.1f} % of the time", percent),
        "other virtual machines on this one's CPUs: ticks are late whatever Ringside does",
        "virsh vcpupin DOMAIN VCPU CPU on the hypervisor, or a machine of its own");
}

}  // namespace

void check_tuning(const Subject& subject, std::vector<Finding>& findings) {
    constexpr std::array checks{check_clocksource,   check_governor,    check_idle_states,
                                check_huge_pages,    check_overcommit,  check_isolated,
                                check_irq_affinity,  check_timer_slack, check_fifo,
                                check_rt_throttling, check_numa,        check_swap,
                                check_backlog,       check_steal};
    for (const auto& check : checks) {
        findings.push_back(check(subject));
    }
}

std::vector<Finding> examine(const Subject& subject) {
    std::vector<Finding> findings;
    check_kernel_features(subject, findings);
    check_limits(subject, findings);
    check_tuning(subject, findings);
    return findings;
}

}  // namespace ringside
