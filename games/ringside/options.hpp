#pragma once
// Options of the program: every command and flag, read from one table (options.cpp).

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "bot_matches.hpp"
#include "list.hpp"
#include "play.hpp"
#include "replay.hpp"
#include "serve.hpp"

namespace ringside {

enum class Command { play, list, watch, bot, serve, replay, demo };

/// What was asked for; of the structs only the command's own is filled.
struct Options {
    Command command = Command::play;
    PlayOptions play;  // of play and watch
    ListOptions list;
    BotOptions bot;
    ServeOptions serve;
    ReplayOptions replay;
    bool replay_through_rings = false;
    std::uint32_t replay_restore_every = 0;  // ticks; 0: never
};

/// Reads the command line. Otherwise the exit code: 0 when help or the version was asked for and
/// has been printed, 2 after one line on standard error that names the flag, value and cure.
[[nodiscard]] std::expected<Options, int> parse_options(int argc, char** argv);

}  // namespace ringside
