// Of the kernel: its version, what of it a host uses and since when that is there, and whether it
// is allowed here.

#include <array>
#include <charconv>
#include <compare>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <linux/landlock.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "doctor_checks.hpp"

#include "ringside/ipc/supervisor.hpp"
#include "ringside/net/front.hpp"

namespace ringside {
namespace {

struct Version {
    unsigned major = 0;
    unsigned minor = 0;
    auto operator<=>(const Version&) const = default;
};

Version version_of(std::string_view release) {
    Version version;
    const char* const end = release.data() + release.size();
    const auto [dot, failed] = std::from_chars(release.data(), end, version.major);
    if (failed == std::errc{} && dot != end && *dot == '.') {
        std::from_chars(dot + 1, end, version.minor);
    }
    return version;
}

/// What came with a version of the kernel.
struct Feature {
    const char* name;
    Version since;
    Verdict without;
    const char* why;
};

constexpr std::array features{
    Feature{"landlock-version", {5, 13}, Verdict::warn, "takes every file away from games"},
    Feature{"accept-multishot",
            {5, 19},
            Verdict::fail,
            "a front accepts all connections with one request"},
    Feature{"buffer-rings",
            {5, 19},
            Verdict::fail,
            "a front's receive buffers are shared by all its connections"},
    Feature{
        "recv-multishot", {6, 0}, Verdict::fail, "a connection is received from by one request"},
    Feature{"defer-taskrun",
            {6, 1},
            Verdict::fail,
            "completions wait for the front's own loop; the ring is made with it"},
    Feature{"uring-futex",
            {6, 7},
            Verdict::warn,
            "a front sleeps on its doorbell and its sockets at once; without it an eventfd costs a "
            "system call a wake"},
};

// A distribution's kernel may have a feature of a later version, or not one that it says: where the
// kernel can be asked, its answer counts.
std::optional<bool> answer_of(const std::optional<KernelAnswers>& kernel, std::string_view name) {
    if (!kernel) {
        return std::nullopt;
    }
    if (name == "uring-futex") {
        return kernel->uring_futex;
    }
    if (name == "defer-taskrun" && kernel->io_uring_refusal.empty()) {
        return true;
    }
    return std::nullopt;
}

Finding check_feature(const Subject& subject, const Feature& feature, std::string_view release) {
    const bool there =
        answer_of(subject.kernel, feature.name).value_or(version_of(release) >= feature.since);
    return {.name = feature.name,
            .verdict = there ? Verdict::ok : feature.without,
            .seen = fmt::format("{} (Linux {}; since {}.{})", there ? "there" : "not there",
                                release, feature.since.major, feature.since.minor),
            .why = feature.why,
            .cure = there ? "" : "apt install -t bookworm-backports linux-image-amd64 && reboot"};
}

Finding check_io_uring(const Subject& subject) {
    Finding finding{.name = "io_uring",
                    .verdict = Verdict::ok,
                    .seen = {},
                    .why = "every socket of a front is served by one",
                    .cure = {}};
    const std::uint64_t disabled =
        subject.machine.number("/proc/sys/kernel/io_uring_disabled").value_or(0);
    const bool root = has_capability(subject.machine, cap_sys_admin);
    if (subject.kernel && !subject.kernel->io_uring_refusal.empty()) {
        finding.verdict = Verdict::fail;
        finding.seen = subject.kernel->io_uring_refusal;
    } else if (disabled == 2 || (disabled == 1 && !root)) {
        finding.verdict = Verdict::fail;
        finding.seen = fmt::format("kernel.io_uring_disabled is {}", disabled);
    } else {
        finding.seen = subject.kernel ? "a ring was made" : "not switched off";
    }
    if (finding.verdict == Verdict::fail) {
        finding.cure = disabled > 0 ? "sysctl -w kernel.io_uring_disabled=0"
                                    : "docker run --security-opt seccomp=unconfined …";
    }
    return finding;
}

Finding check_seccomp(const Subject& subject) {
    const auto actions = subject.machine.text("/proc/sys/kernel/seccomp/actions_avail");
    const bool there = actions && actions->find("kill_process") != std::string::npos;
    return {.name = "seccomp",
            .verdict = there ? Verdict::ok : Verdict::fail,
            .seen = there ? "filters can kill a process" : "no seccomp filters",
            .why = "a game may make a handful of system calls, and none that opens anything",
            .cure = there ? "" : "run a kernel with CONFIG_SECCOMP_FILTER=y, as Debian's has"};
}

Finding check_landlock(const Subject& subject) {
    const auto modules = subject.machine.text("/sys/kernel/security/lsm");
    const bool there = subject.kernel ? subject.kernel->landlock
                                      : modules && modules->find("landlock") != std::string::npos;
    return {.name = "landlock",
            .verdict = there ? Verdict::ok : Verdict::warn,
            .seen = there ? "on" : fmt::format("off (modules: {})", modules.value_or("not told")),
            .why = "a second fence around games: they have no file even if seccomp had a hole",
            .cure = there ? ""
                          : "add lsm=landlock,lockdown,yama,apparmor,bpf to the kernel's "
                            "command line (/etc/default/grub, update-grub) and reboot"};
}

}  // namespace

KernelAnswers ask_kernel() {
    KernelAnswers answers;
    if (const auto kernel = check_kernel(); kernel) {
        answers.uring_futex = kernel->futexes;
    } else {
        answers.io_uring_refusal = kernel.error().text();
    }
    answers.landlock =
        syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
    answers.may_run_first = may_run_first();
    struct statvfs shm{};
    if (statvfs(HostOptions{}.root.c_str(), &shm) == 0) {
        answers.shm_free_bytes = shm.f_bavail * shm.f_frsize;
    }
    return answers;
}

void check_kernel_features(const Subject& subject, std::vector<Finding>& findings) {
    const std::string release =
        subject.machine.text("/proc/sys/kernel/osrelease").value_or("not told");
    for (const Feature& feature : features) {
        findings.push_back(check_feature(subject, feature, release));
    }
    findings.push_back(check_io_uring(subject));
    findings.push_back(check_seccomp(subject));
    findings.push_back(check_landlock(subject));
}

}  // namespace ringside
