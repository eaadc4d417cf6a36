#pragma once
// RaceBytes: one race of bots, and what each of its ticks takes on the wire for a client.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "net/host_messages.hpp"

#include "ringside/core/game.hpp"
#include "ringside/ipc/snapshot.hpp"
#include "ringside/tron/bot.hpp"
#include "ringside/tron/config.hpp"
#include "ringside/tron/view.hpp"

namespace ringside::bench {

/// The largest that the web client offers: bots drive in it for a minute and more.
inline constexpr tron::Config large_arena_of_six{.width = 120, .height = 60, .seats = 6};

/// A whole message, as it is written to a socket.
struct MessageBytes {
    std::size_t terminal = 0;  // TCP: its length, and the message
    std::size_t browser = 0;   // the same in a WebSocket's frame
};

/// Of one tick of a race.
struct TickBytes {
    MessageBytes whole;            // a Snapshot
    MessageBytes delta;            // a Delta; where none can tell it, the Snapshot
    std::size_t view_bytes = 0;    // the game's own, in a Snapshot
    std::size_t delta_bytes = 0;   // in a Delta; 0: none
    std::size_t inputs_bytes = 0;  // of a Delta: the seats whose input it acknowledges
};

class RaceBytes {
public:
    RaceBytes(const tron::Config& config, std::uint64_t seed);

    /// Every tick that follows another one of the race, to its end, and `ticks_max` at most.
    [[nodiscard]] std::vector<TickBytes> run(std::size_t ticks_max);

private:
    void press_keys();
    [[nodiscard]] TickBytes sizes(std::uint64_t tick, std::size_t view_bytes,
                                  std::size_t delta_bytes);

    std::vector<std::byte> config_;
    GameShape shape_;
    std::unique_ptr<Game> game_;
    std::vector<std::byte> view_;
    std::vector<std::byte> delta_;
    std::vector<RosterEntry> roster_;
    std::vector<RosterEntry> changed_;  // whose last input is another one than a tick ago
    std::vector<tron::Bot> bots_;
    tron::View seen_;
    HostMessages messages_;
};

}  // namespace ringside::bench
