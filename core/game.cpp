#include "ringside/core/game.hpp"

namespace ringside {

std::string_view phase_name(Phase phase) noexcept {
    switch (phase) {
        case Phase::waiting: return "waiting";
        case Phase::countdown: return "countdown";
        case Phase::running: return "running";
        case Phase::finished: return "finished";
    }
    return "unknown";
}

}  // namespace ringside
