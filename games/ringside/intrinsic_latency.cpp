#include "intrinsic_latency.hpp"

#include <algorithm>
#include <thread>

#include <sched.h>

#include "ringside/core/clock.hpp"

namespace ringside {
namespace {

std::vector<int> allowed_cpus() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    sched_getaffinity(0, sizeof(allowed), &allowed);
    std::vector<int> cpus;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(static_cast<std::size_t>(cpu), &allowed)) {
            cpus.push_back(cpu);
        }
    }
    return cpus;
}

void measure(CpuLatency& latency, std::chrono::nanoseconds duration) {
    cpu_set_t own;
    CPU_ZERO(&own);
    CPU_SET(static_cast<std::size_t>(latency.cpu), &own);
    sched_setaffinity(0, sizeof(own), &own);  // of this thread; refused only if the CPU has gone
    CpuLatency seen{.cpu = latency.cpu};      // not beside the other threads' in memory
    const std::int64_t start_ns = monotonic_ns();
    std::int64_t before_ns = start_ns;
    while (before_ns - start_ns < duration.count()) {
        const std::int64_t now_ns = monotonic_ns();
        const std::int64_t gap_ns = now_ns - before_ns;
        seen.longest_ns = std::max(seen.longest_ns, gap_ns);
        if (gap_ns > latency_gap_ns) {
            seen.stolen_ns += gap_ns;
            ++seen.gaps;
        }
        ++seen.reads;
        before_ns = now_ns;
    }
    seen.elapsed_ns = before_ns - start_ns;
    latency = seen;
}

}  // namespace

std::vector<CpuLatency> measure_latency(std::chrono::seconds duration) {
    std::vector<CpuLatency> latencies;
    for (const int cpu : allowed_cpus()) {
        latencies.push_back({.cpu = cpu});
    }
    std::vector<std::jthread> threads;
    for (CpuLatency& latency : latencies) {
        threads.emplace_back([&latency, duration] { measure(latency, duration); });
    }
    threads.clear();  // joins
    return latencies;
}

}  // namespace ringside
