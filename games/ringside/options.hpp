#pragma once
// Options of the program: every command and flag, read from one table (options.cpp).

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "bot_matches.hpp"
#include "doctor.hpp"
#include "event_trace.hpp"
#include "flight_dump.hpp"
#include "list.hpp"
#include "record.hpp"
#include "serve.hpp"
#include "stat.hpp"
#include "tap.hpp"

#include "ringside/net/endpoint.hpp"

namespace ringside {

enum class Command {
    play,
    list,
    watch,
    bot,
    serve,
    drain,
    end,
    upgrade,
    sessions,
    kick,
    ban,
    unban,
    dump,
    trace,
    record,
    doctor,
    replay,
    stat,
    errors,
    tap,
    top
};

/// Whose host a game is played on.
enum class PlayHost {
    theirs,              // one that runs already
    own_private,         // practice: nobody else sees it
    own,                 // started here for friends too
    theirs_if_answered,  // the one at the endpoint, or one started here when nobody answers
};

struct PlayChoice {
    PlayHost host = PlayHost::own_private;
    Endpoint endpoint;
    std::string game;         // empty: to be made up
    std::uint8_t seats = 1;   // of a new game
    std::uint8_t bots = 0;    // that take seats
    std::uint16_t width = 0;  // of a new game, cells
    std::uint16_t height = 0;
    std::string password;   // of the game; empty: none
    std::string nickname;   // empty: none
    bool unlisted = false;  // a new game
};

struct ReplayChoice {
    std::string path;
    bool verify = false;
    bool through_rings = false;
    std::optional<std::uint64_t> kill_seed;
    std::uint32_t restore_every = 0;  // ticks; 0: never
};

/// Of the commands of a host's operator.
struct OperateChoice {
    std::string instance;
    std::string game;           // of end
    std::string who;            // of kick: a session; of ban and unban: an address or a session
    std::uint32_t seconds = 0;  // of ban
    bool json = false;          // of sessions
};

/// What was asked for; of the structs only the command's own is filled.
struct Options {
    Command command = Command::play;
    bool bare = false;  // no arguments at all
    PlayChoice play;    // of play and watch
    ListOptions list;
    BotOptions bot;
    ServeOptions serve;
    OperateChoice operate;
    DumpOptions dump;
    EventTraceOptions trace;
    RecordOptions record;
    DoctorOptions doctor;
    StatOptions stat;
    TapOptions tap;
    ReplayChoice replay;
};

/// Reads the command line. Otherwise the exit code: 0 when help or the version was asked for and
/// has been printed, 2 after one line on standard error that names the flag, value and cure.
[[nodiscard]] std::expected<Options, int> parse_options(int argc, char** argv);

}  // namespace ringside
