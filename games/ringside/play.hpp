#pragma once
// play and watch: one game of tron in this terminal.

#include <cstdint>
#include <string>

#include "ringside/net/endpoint.hpp"

namespace ringside {

enum class PlayRole : std::uint8_t { player, spectator };

struct PlayOptions {
    Endpoint endpoint;
    PlayRole role = PlayRole::player;
    std::string game;
    std::uint8_t seats = 1;    // of a new game
    std::uint8_t bots = 0;     // that are asked to take seats
    std::uint16_t width = 80;  // of a new game, cells
    std::uint16_t height = 22;
    std::string password;    // of the game; empty: none
    std::string nickname;    // what others see; empty: the number of the seat
    bool unlisted = false;   // a new game
    std::string invitation;  // a command for friends, shown while players are missing
};

/// Plays until the player quits, the game ends or the connection is lost. Returns the program's
/// exit code: 0 after quitting or a game that ended, 1 when refused or cut off, with a sentence on
/// standard error.
[[nodiscard]] int run_play(const PlayOptions& options);

}  // namespace ringside
