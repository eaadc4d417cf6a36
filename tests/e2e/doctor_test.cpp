// `ringside doctor`, on trees that stand for machines and on this one.

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sched.h>

#include "doctor_checks.hpp"
#include "program.hpp"

using namespace ringside;
using namespace ringside::test;
namespace fs = std::filesystem;

namespace {

using Files = std::map<std::string, std::string>;

std::string limits(const std::string& descriptors, const std::string& processes,
                   const std::string& locked, const std::string& priority) {
    return "Limit                     Soft Limit           Hard Limit           Units     \n"
           "Max processes             " +
           processes + "                " + processes +
           "                processes \n"
           "Max open files            1024                 " +
           descriptors +
           "               files     \n"
           "Max locked memory         65536                " +
           locked +
           "              bytes     \n"
           "Max realtime priority     0                    " +
           priority + "                    \n";
}

/// What a machine says on which nothing is to be cured, not even for low latency.
Files healthy() {
    return {
        {"/proc/sys/kernel/osrelease", "6.12.43+deb12-amd64\n"},
        {"/proc/sys/kernel/io_uring_disabled", "0\n"},
        {"/proc/sys/kernel/seccomp/actions_avail", "kill_process kill_thread errno log allow\n"},
        {"/sys/kernel/security/lsm", "lockdown,capability,landlock,yama,apparmor\n"},
        {"/proc/self/status", "Name:\tringside\nCapEff:\t0000000000000000\nSeccomp:\t0\n"},
        {"/proc/self/limits", limits("524288", "63000", "unlimited", "99")},
        {"/proc/self/cgroup", "0::/system.slice/ringside.service\n"},
        {"/proc/self/mounts",
         "proc /proc proc rw 0 0\n"
         "tmpfs /dev/shm tmpfs rw,nosuid,nodev,size=4194304k 0 0\n"},
        {"/proc/self/timerslack_ns", "50000\n"},
        {"/proc/loadavg", "0.10 0.20 0.30 2/400 12345\n"},
        {"/proc/meminfo", "MemTotal:       16000000 kB\nMemAvailable:   12000000 kB\n"},
        {"/proc/stat", "cpu  1000 0 500 90000 10 0 20 5 0 0\n"},
        {"/proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"},
        {"/proc/sys/kernel/pid_max", "4194304\n"},
        {"/proc/sys/kernel/threads-max", "126000\n"},
        {"/proc/sys/kernel/numa_balancing", "0\n"},
        {"/proc/sys/kernel/sched_rt_runtime_us", "950000\n"},
        {"/proc/sys/vm/max_map_count", "65530\n"},
        {"/proc/sys/vm/overcommit_memory", "0\n"},
        {"/proc/sys/vm/swappiness", "60\n"},
        {"/proc/sys/net/core/somaxconn", "4096\n"},
        {"/proc/irq/24/smp_affinity_list", "0-1\n"},
        {"/proc/irq/25/smp_affinity_list", "0\n"},
        {"/sys/fs/cgroup/system.slice/ringside.service/pids.max", "max\n"},
        {"/sys/fs/cgroup/system.slice/ringside.service/memory.max", "max\n"},
        {"/sys/fs/cgroup/system.slice/pids.max", "18000\n"},
        {"/sys/devices/system/cpu/online", "0-3\n"},
        {"/sys/devices/system/cpu/isolated", "2-3\n"},
        {"/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n"},
        {"/sys/devices/system/cpu/cpu0/cpuidle/state0/latency", "0\n"},
        {"/sys/devices/system/cpu/cpu0/cpuidle/state1/latency", "2\n"},
        {"/sys/devices/system/cpu/cpu1/cpuidle/state2/latency", "133\n"},
        {"/sys/devices/system/cpu/cpu1/cpuidle/state2/disable", "1\n"},
        {"/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"},
        {"/sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc hpet\n"},
        {"/sys/devices/system/node/node0/cpulist", "0-3\n"},
        {"/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n"},
    };
}

/// A directory with these files, for as long as it lives.
class Tree {
public:
    explicit Tree(const Files& files)
        : root_(fs::temp_directory_path() / ("ringside-" + instance_prefix() + "machine")) {
        fs::remove_all(root_);
        fs::create_directory(root_);
        for (const auto& [path, text] : files) {
            const fs::path file = root_ / path.substr(1);
            fs::create_directories(file.parent_path());
            std::ofstream(file) << text;
        }
    }
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;
    ~Tree() { fs::remove_all(root_); }

    [[nodiscard]] std::string root() const { return root_; }

    /// What is in it now.
    [[nodiscard]] Files files() const {
        Files found;
        for (const auto& entry : fs::recursive_directory_iterator(root_)) {
            if (entry.is_regular_file()) {
                std::ostringstream text;
                text << std::ifstream(entry.path()).rdbuf();
                found["/" + entry.path().lexically_relative(root_).string()] = text.str();
            }
        }
        return found;
    }

private:
    fs::path root_;
};

struct Diagnosis {
    int exit_code = 0;
    nlohmann::json said;

    [[nodiscard]] std::vector<std::string> not_ok() const {
        std::vector<std::string> names;
        for (const auto& check : said.at("checks")) {
            if (check.at("verdict") != "OK") {
                names.push_back(check.at("name"));
            }
        }
        return names;
    }

    [[nodiscard]] nlohmann::json check(const std::string& name) const {
        for (const auto& check : said.at("checks")) {
            if (check.at("name") == name) {
                return check;
            }
        }
        return {};
    }
};

Diagnosis diagnose(const Files& files, std::vector<std::string> flags = {"--low-latency"}) {
    const Tree tree(files);
    flags.insert(flags.begin(), {"doctor", "--json", "--root", tree.root()});
    const Outcome outcome = run(flags);
    INFO(outcome.errors);
    CHECK(outcome.errors.empty());
    CHECK(tree.files() == files);  // it changes nothing
    return {.exit_code = outcome.exit_code, .said = nlohmann::json::parse(outcome.output)};
}

struct Ill {
    const char* check;
    const char* verdict;
    const char* path;
    std::string text;
    const char* cure;  // a part of it
};

}  // namespace

TEST_CASE("doctor: a healthy machine has nothing to cure", "[e2e][doctor]") {
    const Diagnosis diagnosis = diagnose(healthy());
    CHECK(diagnosis.not_ok().empty());
    CHECK(diagnosis.exit_code == 0);
    CHECK(diagnosis.said.at("verdict") == "OK");
    CHECK(diagnosis.said.at("checks").size() >= 25);
    for (const auto& check : diagnosis.said.at("checks")) {
        INFO(check.dump());
        CHECK_FALSE(check.at("seen").get<std::string>().empty());
        CHECK_FALSE(check.at("why").get<std::string>().empty());
        CHECK(check.at("cure").get<std::string>().empty());
    }
}

TEST_CASE("doctor: each illness is found, alone, with its cure", "[e2e][doctor]") {
    const std::string folder = "/sys/devices/system/cpu/";
    const auto ill = GENERATE_COPY(values<Ill>({
        {"uring-futex", "WARN", "/proc/sys/kernel/osrelease", "6.1.0-39-amd64", "linux-image"},
        {"io_uring", "FAIL", "/proc/sys/kernel/io_uring_disabled", "2", "io_uring_disabled=0"},
        {"io_uring", "FAIL", "/proc/sys/kernel/io_uring_disabled", "1", "io_uring_disabled=0"},
        {"seccomp", "FAIL", "/proc/sys/kernel/seccomp/actions_avail", "", "SECCOMP_FILTER"},
        {"landlock", "WARN", "/sys/kernel/security/lsm", "capability,yama", "lsm=landlock"},
        {"nofile", "FAIL", "/proc/self/limits", limits("400", "63000", "unlimited", "99"),
         "ulimit -Hn 1024"},
        {"nproc", "FAIL", "/proc/self/limits", limits("524288", "131", "unlimited", "99"),
         "ulimit -u 1024"},
        {"memlock", "FAIL", "/proc/self/limits", limits("524288", "63000", "65536", "99"),
         "ulimit -Hl"},
        {"memlock", "WARN", "/proc/self/limits", limits("524288", "63000", "8388608", "99"),
         "ulimit -Hl"},
        {"fifo", "WARN", "/proc/self/limits", limits("524288", "63000", "unlimited", "0"),
         "cap_sys_nice"},
        {"pid_max", "FAIL", "/proc/sys/kernel/pid_max", "500", "kernel.pid_max=1024"},
        {"threads-max", "FAIL", "/proc/sys/kernel/threads-max", "531", "kernel.threads-max=1024"},
        {"max_map_count", "FAIL", "/proc/sys/vm/max_map_count", "1000", "vm.max_map_count=2048"},
        {"shm", "FAIL", "/proc/self/mounts", "shm /dev/shm tmpfs rw,size=4096k 0 0", "remount"},
        {"shm", "FAIL", "/proc/self/mounts", "proc /proc proc rw 0 0", "remount"},
        {"pids.max", "FAIL", "/sys/fs/cgroup/system.slice/ringside.service/pids.max", "131",
         "TasksMax=1024"},
        {"pids.max", "FAIL", "/sys/fs/cgroup/system.slice/pids.max", "100", "TasksMax=1024"},
        {"memory", "FAIL", "/sys/fs/cgroup/system.slice/ringside.service/memory.max", "67108864",
         "MemoryMax"},
        {"memory", "FAIL", "/proc/meminfo", "MemTotal: 80000 kB\nMemAvailable: 70000 kB",
         "--games-max"},
        {"clocksource", "WARN", "/sys/devices/system/clocksource/clocksource0/current_clocksource",
         "hpet", "echo tsc >"},
        {"governor", "WARN", "/sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "powersave",
         "cpupower frequency-set"},
        {"idle-states", "WARN", "/sys/devices/system/cpu/cpu1/cpuidle/state2/disable", "0",
         "cpupower idle-set"},
        {"huge-pages", "WARN", "/sys/kernel/mm/transparent_hugepage/enabled",
         "[always] madvise never", "echo madvise"},
        {"overcommit", "WARN", "/proc/sys/vm/overcommit_memory", "2", "overcommit_memory=0"},
        {"isolated-cpus", "WARN", "/sys/devices/system/cpu/isolated", "", "isolcpus=2-3"},
        {"irq-affinity", "WARN", "/proc/irq/25/smp_affinity_list", "0,3", "for irq in 25;"},
        {"timer-slack", "WARN", "/proc/self/timerslack_ns", "100000000", "timerslack_ns"},
        {"rt-throttling", "WARN", "/proc/sys/kernel/sched_rt_runtime_us", "-1", "950000"},
        {"swap", "WARN", "/proc/swaps", "Filename Type\n/dev/sda2 partition 1000 0 -2",
         "vm.swappiness=1"},
        {"somaxconn", "WARN", "/proc/sys/net/core/somaxconn", "128", "somaxconn=4096"},
        {"steal", "WARN", "/proc/stat", "cpu  1000 0 500 9000 10 0 20 500 0 0", "vcpupin"},
    }));
    Files files = healthy();
    files[ill.path] = ill.text + "\n";
    const Diagnosis diagnosis = diagnose(files);
    INFO(ill.path << " says " << ill.text);
    CHECK(diagnosis.not_ok() == std::vector<std::string>{ill.check});
    const auto check = diagnosis.check(ill.check);
    INFO(check.dump());
    REQUIRE_FALSE(check.is_null());
    CHECK(check.at("verdict") == ill.verdict);
    CHECK(check.at("cure").get<std::string>().find(ill.cure) != std::string::npos);
    CHECK(diagnosis.exit_code == (std::string(ill.verdict) == "WARN" ? 1 : 2));
    CHECK(diagnosis.said.at("verdict") == ill.verdict);
}

TEST_CASE("doctor: an old kernel lacks what came later", "[e2e][doctor]") {
    Files files = healthy();
    files["/proc/sys/kernel/osrelease"] = "5.15.0-157-generic\n";
    const Diagnosis diagnosis = diagnose(files);
    CHECK(diagnosis.not_ok() == std::vector<std::string>{"accept-multishot", "buffer-rings",
                                                         "recv-multishot", "defer-taskrun",
                                                         "uring-futex"});
    CHECK(diagnosis.exit_code == 2);
}

TEST_CASE("doctor: two nodes are ill only when Linux balances them", "[e2e][doctor]") {
    Files files = healthy();
    files["/sys/devices/system/node/node1/cpulist"] = "2-3\n";
    CHECK(diagnose(files).exit_code == 0);
    files["/proc/sys/kernel/numa_balancing"] = "1\n";
    CHECK(diagnose(files).not_ok() == std::vector<std::string>{"numa"});
}

TEST_CASE("doctor: what is enough depends on the games asked for", "[e2e][doctor]") {
    Files files = healthy();
    files["/proc/self/limits"] = limits("4096", "63000", "unlimited", "99");
    CHECK(diagnose(files, {"--games", "1000", "--hz", "10"}).exit_code == 0);
    CHECK(diagnose(files, {"--games", "3000", "--hz", "2"}).not_ok() ==
          std::vector<std::string>{"nofile"});
    CHECK(diagnose(files, {"--games", "1000", "--hz", "60"}).not_ok() ==
          std::vector<std::string>{"cpu"});
}

TEST_CASE("doctor: what costs only microseconds warns only where they count", "[e2e][doctor]") {
    Files files = healthy();
    files["/sys/devices/system/cpu/isolated"] = "\n";
    files["/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"] = "powersave\n";
    files["/proc/self/limits"] = limits("524288", "63000", "8388608", "0");
    CHECK(diagnose(files, {}).exit_code == 0);
    CHECK(diagnose(files, {"--low-latency"}).not_ok() ==
          std::vector<std::string>{"memlock", "governor", "isolated-cpus", "fifo"});
}

TEST_CASE("doctor: a superuser is not limited", "[e2e][doctor]") {
    Files files = healthy();
    files["/proc/self/limits"] = limits("524288", "10", "0", "0");
    files["/proc/self/status"] = "CapEff:\t000001ffffffffff\n";
    files["/proc/sys/kernel/io_uring_disabled"] = "1\n";
    CHECK(diagnose(files).exit_code == 0);
}

TEST_CASE("doctor: control groups of version 1 are read too", "[e2e][doctor]") {
    Files files = healthy();
    files["/proc/self/cgroup"] = "8:pids:/docker/abc\n4:memory:/docker/abc\n0::/\n";
    CHECK(diagnose(files).exit_code == 0);
    files["/sys/fs/cgroup/pids/docker/pids.max"] = "50\n";
    CHECK(diagnose(files).not_ok() == std::vector<std::string>{"pids.max"});
}

TEST_CASE("doctor: a machine that tells nothing is no machine to host on", "[e2e][doctor]") {
    CHECK(diagnose({}).exit_code == 2);
}

TEST_CASE("doctor: the running kernel's answer counts more than its version", "[e2e][doctor]") {
    Files files = healthy();
    files["/proc/sys/kernel/osrelease"] = "6.1.0-39-amd64\n";
    const Tree tree(files);
    const Machine machine(tree.root());
    const auto verdict_of = [&machine](const std::string& name, const KernelAnswers& answers) {
        const std::optional<KernelAnswers> kernel(answers);
        const Needs needs{.low_latency = true};
        for (const Finding& finding : examine({machine, needs, kernel})) {
            if (finding.name == name) {
                return finding.verdict;
            }
        }
        FAIL("no check is named " << name);
        return Verdict::fail;
    };
    const KernelAnswers well{.io_uring_refusal = "",
                             .uring_futex = true,
                             .landlock = true,
                             .may_run_first = true,
                             .shm_free_bytes = std::uint64_t{1} << 30};
    for (const char* name : {"uring-futex", "io_uring", "landlock", "fifo", "shm"}) {
        CHECK(verdict_of(name, well) == Verdict::ok);
    }
    KernelAnswers ill;
    ill.io_uring_refusal = "forbidden here, as in many containers";
    CHECK(verdict_of("uring-futex", ill) == Verdict::warn);
    CHECK(verdict_of("io_uring", ill) == Verdict::fail);
    CHECK(verdict_of("landlock", ill) == Verdict::warn);
    CHECK(verdict_of("fifo", ill) == Verdict::warn);
    CHECK(verdict_of("shm", ill) == Verdict::fail);
}

TEST_CASE("doctor: this machine is looked at and its latency measured", "[e2e][doctor]") {
    const Outcome outcome = run({"doctor", "--json", "--latency-seconds", "1"});
    INFO(outcome.errors);
    const Diagnosis diagnosis{.exit_code = outcome.exit_code,
                              .said = nlohmann::json::parse(outcome.output)};
    CHECK(diagnosis.check("io_uring").at("verdict") == "OK");  // the tests host games here
    CHECK(diagnosis.check("latency").is_object());
    const std::vector<std::string> verdicts{"OK", "WARN", "FAIL"};
    int worst = 0;
    for (const auto& check : diagnosis.said.at("checks")) {
        for (int verdict = 0; verdict < 3; ++verdict) {
            worst = check.at("verdict") == verdicts[static_cast<std::size_t>(verdict)]
                        ? std::max(worst, verdict)
                        : worst;
        }
    }
    CHECK(outcome.exit_code == worst);
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    REQUIRE(sched_getaffinity(0, sizeof(allowed), &allowed) == 0);
    CHECK(diagnosis.said.at("latency").size() == static_cast<std::size_t>(CPU_COUNT(&allowed)));
    for (const auto& cpu : diagnosis.said.at("latency")) {
        CHECK(cpu.at("elapsed_ns") >= 1'000'000'000);
        CHECK(cpu.at("reads") > 0);
        CHECK(cpu.at("longest_ns") <= cpu.at("elapsed_ns"));
        CHECK(cpu.at("stolen_ns") <= cpu.at("elapsed_ns"));
    }
}

TEST_CASE("doctor: the text has a line a check, its reason and its cure", "[e2e][doctor]") {
    Files files = healthy();
    files["/proc/sys/vm/overcommit_memory"] = "2\n";
    const Tree tree(files);
    const Outcome outcome = run({"doctor", "--root", tree.root()});
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.output.find("WARN  overcommit         vm.overcommit_memory is 2\n") !=
          std::string::npos);
    CHECK(outcome.output.find("cure: sysctl -w vm.overcommit_memory=0\n") != std::string::npos);
    CHECK(last_line(outcome.output).ends_with("1 WARN, 0 FAIL"));
}
