#include "benches.hpp"

namespace ringside::bench {

const std::vector<Bench>& benches() {
    static const std::vector<Bench> table{
        {"spawn", "a game of a new name: time to its first snapshot, memory", run_spawn},
    };
    return table;
}

}  // namespace ringside::bench
