#pragma once
// doctor: says what on this machine keeps a host from running, or from running well, and the
// command that cures it. Changes nothing.

#include <chrono>
#include <string>

#include "doctor_checks.hpp"

namespace ringside {

struct DoctorOptions {
    Needs needs;
    std::string root = "/";           // another one: a copy of a machine's /proc and /sys
    std::chrono::seconds latency{5};  // to measure for; 0: not at all
    bool json = false;
};

/// Prints what it found. The exit code: 0 all is well, 1 something warns, 2 something fails.
[[nodiscard]] int run_doctor(const DoctorOptions& options);

}  // namespace ringside
