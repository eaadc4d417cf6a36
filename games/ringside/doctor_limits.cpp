// Of limits: whether what so many games take is there.

#include <algorithm>
#include <sstream>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "doctor_checks.hpp"

namespace ringside {
namespace {

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = 1024 * kib;

// What one game of tron takes; docs/performance.md has the measurements.
constexpr std::uint64_t shm_bytes_a_game = 64 * kib;      // 48 KiB with one front, 4 more a front
constexpr std::uint64_t memory_bytes_a_game = 256 * kib;  // 94 to 240 KiB, page tables included
constexpr std::uint64_t tick_cpu_ns = 100'000;            // 72 to 134 µs
constexpr std::uint64_t connections_a_game = 2;
constexpr std::uint64_t mappings_a_game = 1;  // at a front and at the supervisor, each

// What a host takes without games, with room: supervisor, nurseries, fronts, companion.
constexpr std::uint64_t host_processes = 32;
constexpr std::uint64_t host_descriptors = 256;
constexpr std::uint64_t host_mappings = 1024;
constexpr std::uint64_t host_memory_bytes = 64 * mib;

// Of locked memory, for the queues and the buffers' descriptors of one front.
constexpr std::uint64_t ring_bytes = mib;

std::uint64_t rounded_up(std::uint64_t number) {
    std::uint64_t rounded = 1024;
    while (rounded < number) {
        rounded *= 2;
    }
    return rounded;
}

std::string mib_text(std::uint64_t bytes) {
    return fmt::format("{} MiB", bytes / mib);
}

/// A finding that fails if there is less than is needed.
Finding enough(std::string name, std::uint64_t have, std::uint64_t need, std::string why,
               std::string cure) {
    const bool there = have >= need;
    return {.name = std::move(name),
            .verdict = there ? Verdict::ok : Verdict::fail,
            .seen = fmt::format("{}, of which {} are needed", limit_text(have), need),
            .why = std::move(why),
            .cure = there ? std::string() : std::move(cure)};
}

std::uint64_t threads_now(const Machine& machine) {
    const std::string loadavg = machine.text("/proc/loadavg").value_or("");
    const std::size_t slash = loadavg.find('/');
    return slash == std::string::npos
               ? 0
               : leading_number(std::string_view(loadavg).substr(slash + 1)).value_or(0);
}

std::uint64_t processes(const Subject& subject) {
    return subject.needs.games + host_processes;
}

Finding check_nofile(const Subject& subject) {
    const std::uint64_t need = subject.needs.games * connections_a_game + host_descriptors;
    return enough("nofile", process_limit(subject.machine, "Max open files").hard, need,
                  "a front has a descriptor a connection; serve raises its soft limit to the hard "
                  "one",
                  fmt::format("ulimit -Hn {0} (systemd: LimitNOFILE={0})", rounded_up(need)));
}

Finding check_nproc(const Subject& subject) {
    const std::uint64_t need = processes(subject);
    if (has_capability(subject.machine, cap_sys_resource) ||
        has_capability(subject.machine, cap_sys_admin)) {
        return {.name = "nproc",
                .verdict = Verdict::ok,
                .seen = "not applied to this user",
                .why = "every game is a process",
                .cure = {}};
    }
    const ProcessLimit limit = process_limit(subject.machine, "Max processes");
    return enough("nproc", limit.soft, need, "every game is a process",
                  fmt::format("ulimit -u {0} (systemd: LimitNPROC={0})", rounded_up(need)));
}

Finding check_kernel_number(const Subject& subject, const char* name, const char* path,
                            std::uint64_t need, const char* why) {
    std::string setting(path + std::string_view("/proc/sys/").size());
    std::ranges::replace(setting, '/', '.');
    return enough(name, subject.machine.number(path).value_or(0), need, why,
                  fmt::format("sysctl -w {}={}", setting, rounded_up(need)));
}

/// The least of a setting over a process's control group and those around it, of version 2 or 1.
std::uint64_t least_in_groups(const Machine& machine, const std::string& controller,
                              const std::string& file_v2, const std::string& file_v1) {
    std::uint64_t least = UINT64_MAX;
    std::istringstream lines(machine.text("/proc/self/cgroup").value_or(""));
    for (std::string line; std::getline(lines, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = first == line.npos ? line.npos : line.find(':', first + 1);
        if (second == line.npos) {
            continue;
        }
        const std::string controllers = line.substr(first + 1, second - first - 1);
        if (!controllers.empty() && controllers != controller) {
            continue;
        }
        const std::string mounted = controllers.empty() ? "" : "/" + controller;
        const std::string& file = controllers.empty() ? file_v2 : file_v1;
        for (std::string group = line.substr(second + 1);;) {
            const std::string path = "/sys/fs/cgroup" + mounted + group + "/" + file;
            least = std::min(least, machine.number(path).value_or(UINT64_MAX));
            if (group.size() <= 1) {
                break;
            }
            group.resize(group.rfind('/'));
        }
    }
    return least;
}

Finding check_pids_max(const Subject& subject) {
    return enough("pids.max", least_in_groups(subject.machine, "pids", "pids.max", "pids.max"),
                  processes(subject),
                  "the control group's limit of processes; systemd gives a service 15 % of the "
                  "machine's, Docker what --pids-limit says",
                  fmt::format("systemctl set-property ringside.service TasksMax={0} (Docker: "
                              "--pids-limit {0})",
                              rounded_up(processes(subject))));
}

// Newer kernels count io_uring's rings, for all fronts of a user together.
Finding check_memlock(const Subject& subject) {
    const std::uint64_t limit = process_limit(subject.machine, "Max locked memory").hard;
    const bool unlimited = limit == UINT64_MAX || has_capability(subject.machine, cap_ipc_lock);
    const Verdict verdict = unlimited                   ? Verdict::ok
                            : limit < ring_bytes        ? Verdict::fail
                            : subject.needs.low_latency ? Verdict::warn
                                                        : Verdict::ok;
    return {.name = "memlock",
            .verdict = verdict,
            .seen = unlimited ? "unlimited" : fmt::format("{} bytes", limit),
            .why = "a front's io_uring takes 1 MiB of it; serve --mlock needs it without a limit",
            .cure = verdict == Verdict::ok ? ""
                                           : "ulimit -Hl unlimited (systemd: "
                                             "LimitMEMLOCK=infinity)"};
}

/// Of the last file system mounted there: its size, or half the memory if its mount says none.
std::uint64_t mounted_shm_bytes(const Machine& machine) {
    std::uint64_t bytes = 0;
    std::istringstream lines(machine.text("/proc/self/mounts").value_or(""));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        std::string device, where, type, settings;
        fields >> device >> where >> type >> settings;
        if (where != "/dev/shm") {
            continue;
        }
        bytes =
            leading_number(machine.field("/proc/meminfo", "MemTotal").value_or("")).value_or(0) *
            kib / 2;
        const std::size_t at = settings.find("size=");
        if (at != std::string::npos) {  // Linux tells it in KiB
            bytes = leading_number(std::string_view(settings).substr(at + 5)).value_or(0) * kib;
        }
    }
    return bytes;
}

Finding check_shm(const Subject& subject) {
    const std::uint64_t need = subject.needs.games * shm_bytes_a_game + mib;
    const std::uint64_t have =
        subject.kernel ? subject.kernel->shm_free_bytes : mounted_shm_bytes(subject.machine);
    const bool there = have >= need;
    const std::uint64_t size = rounded_up(2 * need / mib);
    return {
        .name = "shm",
        .verdict = there ? Verdict::ok : Verdict::fail,
        .seen = fmt::format("{}{}, of which {} are needed", mib_text(have),
                            subject.kernel ? " free" : "", mib_text(need)),
        .why = "segments of games lie in /dev/shm, their pages reserved; a full one refuses games",
        .cure = there ? ""
                      : fmt::format("mount -o remount,size={0}m /dev/shm (Docker: "
                                    "--shm-size {0}m)",
                                    size)};
}

Finding check_memory(const Subject& subject) {
    const std::uint64_t need = subject.needs.games * memory_bytes_a_game + host_memory_bytes;
    const std::uint64_t available =
        leading_number(subject.machine.field("/proc/meminfo", "MemAvailable").value_or(""))
            .value_or(0) *
        kib;
    const std::uint64_t group =
        least_in_groups(subject.machine, "memory", "memory.max", "memory.limit_in_bytes");
    const std::uint64_t have = std::min(available, group);
    const bool there = have >= need;
    return {
        .name = "memory",
        .verdict = there ? Verdict::ok : Verdict::fail,
        .seen = fmt::format("{}{}, of which {} are needed", mib_text(have),
                            group < available ? " by memory.max" : " available", mib_text(need)),
        .why = "a game that does not fit is killed, restored and killed again",
        .cure = there ? ""
                : group < available
                    ? fmt::format("systemctl set-property ringside.service MemoryMax={}M "
                                  "(Docker: --memory)",
                                  rounded_up(need / mib))
                    : fmt::format("ringside serve --games-max {}",
                                  std::max<std::uint64_t>(1, have / memory_bytes_a_game / 2))};
}

Finding check_cpu(const Subject& subject) {
    const std::uint64_t cpus = std::max<std::uint64_t>(cpu_count(subject.machine), 1);
    const std::uint64_t busy_ns =
        std::uint64_t{subject.needs.games} * subject.needs.hz * tick_cpu_ns;
    const std::uint64_t percent = busy_ns / 10'000'000 / cpus;
    const bool there = percent <= 70;  // beyond it ticks are late by waiting for each other
    const std::uint64_t fitting = 7'000'000 * cpus * 100 / (tick_cpu_ns * subject.needs.hz);
    return {.name = "cpu",
            .verdict = there ? Verdict::ok : Verdict::warn,
            .seen = fmt::format("{} games at {} Hz take about {} % of {} CPUs", subject.needs.games,
                                subject.needs.hz, percent, cpus),
            .why = "a tick costs some 100 µs of CPU, most of it for waking a process",
            .cure = there ? ""
                          : fmt::format("ringside serve --games-max {}",
                                        std::max<std::uint64_t>(1, fitting))};
}

}  // namespace

bool has_capability(const Machine& machine, unsigned bit) {
    const auto effective = machine.field("/proc/self/status", "CapEff");
    return effective && (std::strtoull(effective->c_str(), nullptr, 16) >> bit & 1) != 0;
}

ProcessLimit process_limit(const Machine& machine, std::string_view name) {
    std::istringstream lines(machine.text("/proc/self/limits").value_or(""));
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(name)) {
            continue;
        }
        std::istringstream fields(line.substr(name.size()));
        std::string soft, hard;
        fields >> soft >> hard;
        const auto bound = [](const std::string& text) {
            return text == "unlimited" ? UINT64_MAX : leading_number(text).value_or(0);
        };
        return ProcessLimit{.soft = bound(soft), .hard = bound(hard)};
    }
    return {};
}

std::string limit_text(std::uint64_t limit) {
    return limit == UINT64_MAX ? "unlimited" : fmt::format("{}", limit);
}

std::uint64_t cpu_count(const Machine& machine) {
    return cpus_of(machine.text("/sys/devices/system/cpu/online").value_or("")).size();
}

void check_limits(const Subject& subject, std::vector<Finding>& findings) {
    const std::uint64_t with_others = processes(subject) + threads_now(subject.machine);
    findings.push_back(check_nofile(subject));
    findings.push_back(check_nproc(subject));
    findings.push_back(check_kernel_number(subject, "pid_max", "/proc/sys/kernel/pid_max",
                                           with_others,
                                           "every process of the machine has a number"));
    findings.push_back(check_kernel_number(subject, "threads-max", "/proc/sys/kernel/threads-max",
                                           with_others, "the machine's limit of processes"));
    findings.push_back(check_kernel_number(subject, "max_map_count", "/proc/sys/vm/max_map_count",
                                           subject.needs.games * mappings_a_game + host_mappings,
                                           "a front maps the segment of each game it knows"));
    findings.push_back(check_memlock(subject));
    findings.push_back(check_shm(subject));
    findings.push_back(check_pids_max(subject));
    findings.push_back(check_memory(subject));
    findings.push_back(check_cpu(subject));
}

}  // namespace ringside
