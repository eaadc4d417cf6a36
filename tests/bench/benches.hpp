#pragma once
// The table of all benchmarks, in the order in which a full run takes them.

#include <string_view>
#include <vector>

#include "bench.hpp"

namespace ringside::bench {

struct Bench {
    std::string_view name;
    std::string_view about;  // one line of --help
    Run run;
    bool has_cases = false;  // that can be measured one by one: see Options::case_begins
};

[[nodiscard]] const std::vector<Bench>& benches();

[[nodiscard]] Result<Report> run_broadcast(const Options& options);
[[nodiscard]] Result<Report> run_bytes(const Options& options);
[[nodiscard]] Result<Report> run_density(const Options& options);
[[nodiscard]] Result<Report> run_front_bench(const Options& options);
[[nodiscard]] Result<Report> run_fronts(const Options& options);
[[nodiscard]] Result<Report> run_host_bench(const Options& options);
[[nodiscard]] Result<Report> run_latency(const Options& options);
[[nodiscard]] Result<Report> run_probes(const Options& options);
[[nodiscard]] Result<Report> run_rings(const Options& options);
[[nodiscard]] Result<Report> run_seed_table(const Options& options);
[[nodiscard]] Result<Report> run_snapshots(const Options& options);
[[nodiscard]] Result<Report> run_spawn(const Options& options);
[[nodiscard]] Result<Report> run_wake(const Options& options);

}  // namespace ringside::bench
