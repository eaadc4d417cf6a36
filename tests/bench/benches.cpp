#include "benches.hpp"

namespace ringside::bench {

const std::vector<Bench>& benches() {
    static const std::vector<Bench> table{
        {"rings", "the event ring between two processes", run_rings},
        {"snapshots", "the snapshot ring's producer while many read", run_snapshots},
        {"wake", "how long a sleeper takes to wake, and what waking it costs", run_wake},
    };
    return table;
}

}  // namespace ringside::bench
