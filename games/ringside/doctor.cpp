#include "doctor.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "intrinsic_latency.hpp"

#include "ringside/core/printable.hpp"

namespace ringside {
namespace {

// Longer ones are a late tick to be seen, or where microseconds count, felt.
constexpr std::int64_t latency_ns_max = 5'000'000;
constexpr std::int64_t low_latency_ns_max = 100'000;

const char* name_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::ok: return "OK";
        case Verdict::warn: return "WARN";
        case Verdict::fail: return "FAIL";
    }
    return "";
}

Finding judge(const std::vector<CpuLatency>& latencies, bool low_latency) {
    const auto worst = std::ranges::max_element(latencies, {}, &CpuLatency::longest_ns);
    const bool good = worst->longest_ns <= (low_latency ? low_latency_ns_max : latency_ns_max);
    return {.name = "latency",
            .verdict = good ? Verdict::ok : Verdict::warn,
            .seen = fmt::format("up to {:.0f} µs, on CPU {}",
                                static_cast<double>(worst->longest_ns) / 1e3, worst->cpu),
            .why = "for so long a process that never sleeps did not run: no tick is less late",
            .cure = good ? "" : "end what else runs (top), or see isolated-cpus and irq-affinity"};
}

nlohmann::json as_json(const Finding& finding) {
    return {{"name", finding.name},
            {"verdict", name_of(finding.verdict)},
            {"seen", printable(finding.seen)},
            {"why", finding.why},
            {"cure", printable(finding.cure)}};
}

nlohmann::json as_json(const CpuLatency& latency) {
    return {{"cpu", latency.cpu},
            {"longest_ns", latency.longest_ns},
            {"gaps", latency.gaps},
            {"gap_ns_min", latency_gap_ns},
            {"stolen_ns", latency.stolen_ns},
            {"elapsed_ns", latency.elapsed_ns},
            {"reads", latency.reads}};
}

void print_json(const std::vector<Finding>& findings, const std::vector<CpuLatency>& latencies,
                Verdict worst) {
    nlohmann::json all{{"verdict", name_of(worst)},
                       {"checks", nlohmann::json::array()},
                       {"latency", nlohmann::json::array()}};
    for (const Finding& finding : findings) {
        all["checks"].push_back(as_json(finding));
    }
    for (const CpuLatency& latency : latencies) {
        all["latency"].push_back(as_json(latency));
    }
    fmt::print("{}\n", all.dump());
}

void print_text(const std::vector<Finding>& findings, const std::vector<CpuLatency>& latencies) {
    for (const Finding& finding : findings) {
        fmt::print("{:<4}  {:<17}  {}\n", name_of(finding.verdict), finding.name,
                   printable(finding.seen));
        fmt::print("{:25}{}\n", "", finding.why);
        if (!finding.cure.empty()) {
            fmt::print("{:25}cure: {}\n", "", printable(finding.cure));
        }
    }
    for (const CpuLatency& latency : latencies) {
        fmt::print(
            "CPU {}: in {:.1f} s {} gaps of more than {} µs, the longest {:.1f} µs; {:.3f} % "
            "of the time\n",
            latency.cpu, static_cast<double>(latency.elapsed_ns) / 1e9, latency.gaps,
            latency_gap_ns / 1000, static_cast<double>(latency.longest_ns) / 1e3,
            100.0 * static_cast<double>(latency.stolen_ns) /
                static_cast<double>(std::max<std::int64_t>(latency.elapsed_ns, 1)));
    }
    const auto count = [&findings](Verdict verdict) {
        return std::ranges::count(findings, verdict, &Finding::verdict);
    };
    fmt::print("{} OK, {} WARN, {} FAIL\n", count(Verdict::ok), count(Verdict::warn),
               count(Verdict::fail));
}

}  // namespace

int run_doctor(const DoctorOptions& options) {
    const bool here = options.root == "/";
    const Machine machine(options.root);
    const std::optional<KernelAnswers> kernel = here ? std::optional(ask_kernel()) : std::nullopt;
    std::vector<Finding> findings = examine({machine, options.needs, kernel});
    std::vector<CpuLatency> latencies;
    if (here && options.latency.count() > 0) {
        latencies = measure_latency(options.latency);
        findings.push_back(judge(latencies, options.needs.low_latency));
    }
    const Verdict worst = std::ranges::max(findings, {}, &Finding::verdict).verdict;
    if (options.json) {
        print_json(findings, latencies, worst);
    } else {
        print_text(findings, latencies);
    }
    return static_cast<int>(worst);
}

}  // namespace ringside
