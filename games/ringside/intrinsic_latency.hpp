#pragma once
// The latency that a machine has by itself: for how long at a time a process that only reads the
// clock does not run, because an interrupt, the kernel, a hypervisor or another process does.

#include <chrono>
#include <cstdint>
#include <vector>

namespace ringside {

struct CpuLatency {
    int cpu = 0;
    std::uint64_t reads = 0;      // of the clock
    std::int64_t longest_ns = 0;  // between two of them
    std::int64_t stolen_ns = 0;   // in gaps of more than gap_ns
    std::uint64_t gaps = 0;       // of more than that
    std::int64_t elapsed_ns = 0;
};

inline constexpr std::int64_t latency_gap_ns = 10'000;

/// On every CPU that this process may use, on all at once.
[[nodiscard]] std::vector<CpuLatency> measure_latency(std::chrono::seconds duration);

}  // namespace ringside
