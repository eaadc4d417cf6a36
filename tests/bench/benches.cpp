#include "benches.hpp"

namespace ringside::bench {

const std::vector<Bench>& benches() {
    static const std::vector<Bench> table{
        {"rings", "the event ring between two processes", run_rings, true},
        {"snapshots", "the snapshot ring's producer while many read", run_snapshots, true},
        {"wake", "how long a sleeper takes to wake, and what waking it costs", run_wake, true},
        {"probes", "a probe that nobody traces, and a record of the flight recorder", run_probes},
        {"spawn", "a game of a new name: time to its first snapshot, memory", run_spawn},
        {"density", "running and parked games: lateness, CPU a tick, the knee", run_density, true},
        {"seed-table", "games that burn CPU: how evenly they tick, beside Node", run_seed_table,
         true},
        {"latency", "an input to the snapshot that shows it, beside a bare echo", run_latency,
         true},
        {"front", "messages through front, ring and game, beside a bare echo", run_front_bench,
         true},
        {"host", "games of two over TCP, until views are late", run_host_bench},
        {"fronts", "one front and two: join storm, throughput, one game on both", run_fronts},
        {"broadcast", "one snapshot to thousands of sessions, beside a plain epoll loop",
         run_broadcast},
        {"bytes", "what a tick of tron takes on the wire, as a delta and whole", run_bytes},
    };
    return table;
}

}  // namespace ringside::bench
