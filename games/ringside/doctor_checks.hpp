#pragma once
// What `ringside doctor` looks at: one named check after the other, each with what it saw, why that
// matters and what cures it. Checks only look.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "machine.hpp"

namespace ringside {

enum class Verdict { ok, warn, fail };

struct Finding {
    std::string name;  // of the check: "nofile"
    Verdict verdict = Verdict::ok;
    std::string seen;
    std::string why;   // it matters to a host
    std::string cure;  // a command; empty if there is nothing to cure
};

/// What a host is to do here.
struct Needs {
    std::uint32_t games = 100;  // at once
    std::uint32_t hz = 60;      // ticks a second of each
    bool low_latency = false;   // what only costs microseconds is worth a warning
};

/// What the running kernel says when it is asked, and no file tells.
struct KernelAnswers {
    std::string io_uring_refusal;  // empty: a ring was made
    bool uring_futex = false;
    bool landlock = false;
    bool may_run_first = false;  // SCHED_FIFO
    std::uint64_t shm_free_bytes = 0;
};

[[nodiscard]] KernelAnswers ask_kernel();

/// What a check looks at.
struct Subject {
    const Machine& machine;
    const Needs& needs;
    const std::optional<KernelAnswers>& kernel;  // nothing: the files are another machine's
};

[[nodiscard]] std::vector<Finding> examine(const Subject& subject);

// The checks by what they are about; examine() runs all.
void check_kernel_features(const Subject& subject, std::vector<Finding>& findings);
void check_limits(const Subject& subject, std::vector<Finding>& findings);
void check_tuning(const Subject& subject, std::vector<Finding>& findings);

// Bits of capabilities in /proc/self/status.
inline constexpr unsigned cap_ipc_lock = 14;
inline constexpr unsigned cap_sys_admin = 21;
inline constexpr unsigned cap_sys_nice = 23;
inline constexpr unsigned cap_sys_resource = 24;

[[nodiscard]] bool has_capability(const Machine& machine, unsigned bit);

/// A limit of /proc/self/limits; UINT64_MAX: unlimited. One that is not there lets nothing through.
struct ProcessLimit {
    std::uint64_t soft = 0;
    std::uint64_t hard = 0;
};
[[nodiscard]] ProcessLimit process_limit(const Machine& machine, std::string_view name);

[[nodiscard]] std::string limit_text(std::uint64_t limit);
[[nodiscard]] std::uint64_t cpu_count(const Machine& machine);

}  // namespace ringside
