#pragma once
// Player: a client of a host as a person's program is one, which waits for what it is told.

#include <cstdint>
#include <optional>
#include <string>

#include "ringside/core/game.hpp"
#include "ringside/net/client.hpp"
#include "ringside/tron/config.hpp"
#include "ringside/tron/types.hpp"

namespace ringside::test {

class Player {
public:
    /// Connects and waits for the host's Welcome.
    explicit Player(const Endpoint& endpoint, std::string nickname = {});

    struct Answer {
        std::optional<unsigned> seat;  // none: refused
        RefuseReason reason{};
        std::string text{};
    };

    // Of a join, the asking alone and the waiting alone.
    void ask(const std::string& game, const tron::Config& config,
             wire::JoinMode mode = wire::JoinMode::join_or_create);
    [[nodiscard]] Answer answer();

    [[nodiscard]] Answer join(const std::string& game, const tron::Config& config = {},
                              wire::JoinMode mode = wire::JoinMode::join_or_create);

    /// Once the connection is lost: connects again and is back in its seat.
    void come_back();

    void press(tron::Key key);
    void leave();

    /// Why this session is out of its game: waits for Left. Nothing when the connection ended.
    [[nodiscard]] std::optional<LeaveReason> left();

    /// Waits for the next view of the game. Anything else that comes fails the test.
    const tron::View& next_view();

    [[nodiscard]] const tron::View& view() const noexcept { return view_; }
    [[nodiscard]] std::uint64_t tick() const noexcept { return tick_; }
    [[nodiscard]] unsigned seat() const noexcept { return seat_; }

    /// Of this player's inputs, the last one that is in the view.
    [[nodiscard]] std::uint32_t applied() const noexcept { return applied_; }
    [[nodiscard]] std::uint32_t pressed() const noexcept { return pressed_; }

    /// This player's cycle in the view.
    [[nodiscard]] const tron::Cycle& cycle() const;

private:
    const wire::FromHost* next();
    void take(const wire::Snapshot& snapshot);

    Client client_;
    std::string nickname_;
    tron::View view_;
    std::uint64_t tick_ = 0;
    unsigned seat_ = 0;
    std::uint32_t applied_ = 0;
    std::uint32_t pressed_ = 0;
};

/// Reads views until one is as wanted.
template <class Wanted>
void watch_until(Player& player, Wanted wanted) {
    while (!wanted(player.next_view())) {
    }
}

}  // namespace ringside::test
