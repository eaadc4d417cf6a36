#include "benches.hpp"

namespace ringside::bench {

const std::vector<Bench>& benches() {
    static const std::vector<Bench> table{
        {"rings", "the event ring between two processes", run_rings},
    };
    return table;
}

}  // namespace ringside::bench
