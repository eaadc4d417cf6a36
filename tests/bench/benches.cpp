#include "benches.hpp"

namespace ringside::bench {

const std::vector<Bench>& benches() {
    static const std::vector<Bench> table{
        {"rings", "the event ring between two processes", run_rings},
        {"snapshots", "the snapshot ring's producer while many read", run_snapshots},
        {"wake", "how long a sleeper takes to wake, and what waking it costs", run_wake},
        {"spawn", "a game of a new name: time to its first snapshot, memory", run_spawn},
        {"density", "running and parked games: lateness, CPU a tick, the knee", run_density},
        {"seed-table", "games that burn CPU: how evenly they tick, beside Node", run_seed_table},
        {"broadcast", "one snapshot to thousands of sessions, beside a plain epoll loop",
         run_broadcast},
        {"bytes", "what a tick of tron takes on the wire, as a delta and whole", run_bytes},
    };
    return table;
}

}  // namespace ringside::bench
