#pragma once
// The command `bot`: bots that take seats in a game, or play many matches of their own at once.
//
// One thread, one epoll: each bot is a connection of its own, as a person's would be, so the host
// sees nothing that players would not do.

#include <cstdint>
#include <functional>
#include <string>

#include "ringside/net/endpoint.hpp"
#include "ringside/tron/types.hpp"

namespace ringside {

inline constexpr std::uint32_t bot_games_max = 32'768;  // what one host can have

struct BotOptions {
    Endpoint endpoint;
    std::string game;           // takes seats of this game; empty: matches of their own
    std::string password;       // of the games; empty: none
    std::uint32_t games = 1;    // at once, when `game` is empty
    std::uint32_t players = 0;  // bots in each game, [1, 6]; 0: 1 with `game`, else 2
    std::uint16_t width = 80;   // of new games, cells
    std::uint16_t height = 22;
    std::uint16_t tick_ms = 100;  // of new games
    bool forever = false;         // rematches until a signal
    std::uint64_t seed = 0;       // of the bots' steering; 0: a new one each run
    bool json = false;            // the summary as one object
    bool quiet = false;           // no summary

    /// Called with each view the first bot of the first game is sent.
    std::function<void(const tron::View&, const std::string& game)> on_view;
};

/// Plays until every match has finished once. Returns the exit code: 1 when one failed, after a
/// line for each reason on standard error.
[[nodiscard]] int run_bots(const BotOptions& options);

}  // namespace ringside
