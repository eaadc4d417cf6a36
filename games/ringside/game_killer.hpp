#pragma once
// GameKiller: kills a game's process at random instants, to see that nothing is lost by it.

#include <cstdint>

#include "ringside/core/ids.hpp"
#include "ringside/core/random.hpp"
#include "ringside/ipc/host_segment.hpp"

namespace ringside {

class GameKiller {
public:
    explicit GameKiller(std::uint64_t seed) noexcept : random_(seed) {}

    /// To be called when something has just been asked of the game that ends in a snapshot. Mostly
    /// does nothing; else kills its process with SIGKILL while it works on that, sometimes its
    /// successor too while that is restored. Never a third: the host would take the event in hand
    /// for what kills the game.
    void maybe_kill(const HostSegment& host, GameId game);

    [[nodiscard]] std::uint64_t kills() const noexcept { return kills_; }

private:
    bool kill_one(const HostSegment& host, GameId game, std::uint32_t delay_ns_max);

    Random random_;
    std::uint64_t kills_ = 0;
    std::uint32_t asked_since_kill_ = 2;
    std::int32_t last_pid_ = 0;  // it stays in the directory until its death is noticed
};

}  // namespace ringside
