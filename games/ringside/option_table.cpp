#include "option_table.hpp"

#include <sstream>

#include <fmt/format.h>

#include "bot_matches.hpp"

#include "ringside/core/limits.hpp"
#include "ringside/tron/config.hpp"
#include "ringside/tron/types.hpp"

namespace ringside {
namespace {

constexpr unsigned plays = on_top | on_play;
constexpr unsigned joins = plays | on_list | on_watch | on_bot;

constexpr unsigned operates = on_drain | on_end | on_upgrade | on_sessions | on_kick | on_ban |
                              on_unban | on_record | on_stat | on_errors | on_tap | on_dump |
                              on_trace | on_live;

constexpr std::uint64_t width_max = tron::cells_max / tron::height_min;
constexpr std::uint64_t height_max = tron::cells_max / tron::width_min;
constexpr std::uint64_t any_max = UINT32_MAX;

constexpr std::array rows{
    OptionRow{"-S,--server", "", "Host games without playing: the same as 'ringside serve'", plays,
              &RawOptions::server},
    OptionRow{"-C,--client", "", "Play on a host that runs already; start none here", plays,
              &RawOptions::client},
    OptionRow{"-A,--address", "HOST",
              "Host to play on: a name, an address or unix:/path (default 127.0.0.1); implies -C",
              plays, &RawOptions::address},
    OptionRow{"-A,--address", "HOST",
              "Host to ask: a name, an address or unix:/path "
              "(default 127.0.0.1)",
              joins & ~plays, &RawOptions::address},
    OptionRow{"-P,--port", "PORT", "TCP port of the host", joins | on_serve,
              Number{&RawOptions::port, 1, 65535, ""}},
    OptionRow{"-G,--game", "NAME",
              "Game to join, made if there is none; two words are made up "
              "without it",
              plays, &RawOptions::game},
    OptionRow{"-G,--game", "NAME", "Game to watch", on_watch, &RawOptions::game, true},
    OptionRow{"-G,--game", "NAME",
              "Game to take seats in; without it the bots make games of their "
              "own",
              on_bot, &RawOptions::game},
    OptionRow{"--password", "TEXT",
              "The game's password, also of a new one; better as RINGSIDE_PASSWORD in the "
              "environment, where others do not see it",
              plays | on_watch | on_bot, &RawOptions::password},
    OptionRow{"--nick", "NAME", "What others call you, up to 24 bytes (default: by your number)",
              plays, &RawOptions::nickname},
    OptionRow{"--unlisted", "", "Keep a new game out of lists", plays, &RawOptions::unlisted},
    OptionRow{"-N,--number", "N", "Players a new game needs", plays,
              Number{&RawOptions::number, 1, tron::seats_limit, "players"}},
    OptionRow{"--bots", "K",
              "Bots that take free seats; a new game needs so many players more without -N", plays,
              Number{&RawOptions::bots, 0, tron::seats_limit - 1, "bots", "none"}},
    OptionRow{"-W,--width", "CELLS", "Width of a new game's grid", plays | on_bot,
              Number{&RawOptions::width, tron::width_min, width_max, "cells"}},
    OptionRow{"-H,--height", "CELLS", "Height of a new game's grid", plays | on_bot,
              Number{&RawOptions::height, tron::height_min, height_max, "cells"}},
    OptionRow{"-L,--list", "", "List the games of the host: the same as 'ringside list'", plays,
              &RawOptions::list},

    OptionRow{"--prefix", "TEXT", "Only games whose names start with it", on_list,
              &RawOptions::prefix},
    OptionRow{"--json", "", "Print one JSON object, {\"games\":[...]}", on_list, &RawOptions::json},

    OptionRow{"--games", "M", "Matches of their own to play at once", on_bot,
              Number{&RawOptions::games, 1, bot_games_max, "games", "1"}},
    OptionRow{"-N,--players", "K", "Bots in each game", on_bot,
              Number{&RawOptions::players, 1, tron::seats_limit, "players", "1 with -G, else 2"}},
    OptionRow{"--forever", "", "Go on with rematches until interrupted", on_bot,
              &RawOptions::forever},
    OptionRow{"--seed", "N", "Steer as in another run of this seed", on_bot,
              Number{&RawOptions::seed, 1, any_max, "", "by chance"}},
    OptionRow{"--json", "", "Print the summary as a JSON object", on_bot, &RawOptions::json},

    OptionRow{"--listen", "WHERE",
              "Listen there: host:port, [::1]:8766, :8766 or unix:/path; may be "
              "repeated (default: every address, port 8766)",
              on_serve, &RawOptions::listen},
    OptionRow{"--allow-origin", "ORIGIN",
              "Let web pages of that origin use this host: https://example.org, or '*' for any; "
              "may be repeated (default: its own pages only)",
              on_serve, &RawOptions::allow_origin},
    OptionRow{"--trust-proxy", "RANGE",
              "Believe X-Forwarded-For of proxies there, so that limits per address count their "
              "clients: 127.0.0.1, 10.0.0.0/8, fd00::/8 or unix; may be repeated",
              on_serve, &RawOptions::trust_proxy},
    OptionRow{"--instance", "NAME",
              "This host's name on the machine; one host a name "
              "(default 'default')",
              on_serve, &RawOptions::instance},
    OptionRow{"--games-max", "N", "Games at once; more are refused", on_serve,
              Number{&RawOptions::games_max, 1, games_max_limit, "games"}},
    OptionRow{"--fronts", "N", "Processes that serve connections; more use more cores", on_serve,
              Number{&RawOptions::fronts, 1, front_slots_max, "processes"}},
    OptionRow{"--messages-per-second", "N", "Of one client; who sends more is closed", on_serve,
              Number{&RawOptions::messages_per_second, 1, 1'000'000, "messages"}},
    OptionRow{"--connections-per-address", "N",
              "Of one address (an IPv6 one: its /64) at one front; more are refused; 0: any",
              on_serve, Number{&RawOptions::connections_per_address, 0, 1'000'000, "connections"}},
    OptionRow{"--games-per-address", "N", "That clients of one address have made; 0: any", on_serve,
              Number{&RawOptions::games_per_address, 0, games_max_limit, "games"}},
    OptionRow{"--fill-with-bots", "",
              "Bots take the free seats of a game whose players have waited for 10 s", on_serve,
              &RawOptions::fill_with_bots},
    OptionRow{"--limit-own-address", "",
              "Count this machine's own clients in these two as well (not behind a proxy)",
              on_serve, &RawOptions::limit_own_address},
    OptionRow{"--record-dir", "FOLDER", "Record every match there, as GAME.DATE.replay", on_serve,
              &RawOptions::record_dir},
    OptionRow{"--record-mib", "N", "Of all recordings there; the oldest are removed", on_serve,
              Number{&RawOptions::record_mib, 1, 1'000'000, "MiB"}},
    OptionRow{"--record-days", "N", "Recordings are kept for so long", on_serve,
              Number{&RawOptions::record_days, 1, 10'000, "days"}},
    OptionRow{"--trace-every", "N",
              "Clients that can are asked to say of every Nth input when they sent it and saw its "
              "effect, for 'ringside trace'; 0: of none",
              on_serve, Number{&RawOptions::trace_every, 0, 1'000'000, "inputs"}},
    OptionRow{"--flight-dir", "FOLDER",
              "Write there what the flight recorders hold when a process crashes or hangs",
              on_serve, &RawOptions::flight_dir},
    OptionRow{"--flight-late", "MS",
              "With --flight-dir: also when a tick comes so late, or up to a quarter later",
              on_serve, Number{&RawOptions::flight_late_ms, 1, 60'000, "milliseconds", "never"}},
    OptionRow{
        "--metrics-listen", "WHERE",
        "Serve /metrics there, in Prometheus' text format: as --listen, but without a host it "
        "is 127.0.0.1 (default: nowhere)",
        on_serve, &RawOptions::metrics_listen},
    OptionRow{"--simulate", "NETWORK",
              "Delay what clients send and are sent, each way, for trying that out: "
              "delay=80ms,jitter=20ms,stall=1% (a stall: lost and sent again)",
              on_serve, &RawOptions::simulate},
    OptionRow{"--session-timeout", "SECONDS",
              "A connection in no game that asks for nothing for so long is closed", on_serve,
              Number{&RawOptions::session_timeout_s, 1, 86'400, "seconds"}},
    OptionRow{"--idle-timeout", "SECONDS", "A game nobody touches for so long ends", on_serve,
              Number{&RawOptions::idle_timeout_s, 1, 86'400, "seconds"}},
    OptionRow{"--resume-grace", "SECONDS",
              "Who loses the connection keeps the seat for so long; 0 gives it back at once",
              on_serve, Number{&RawOptions::resume_grace_s, 0, 3'600, "seconds"}},
    OptionRow{"--profile", "NAME",
              "default, or low-latency: --fifo, --mlock, --napi-busy-poll and --spin-us 50 where "
              "nothing else is said of them",
              on_serve, &RawOptions::profile},
    OptionRow{"--busy-poll", "",
              "Fronts never sleep: some microseconds less for each message, and a core "
              "each for nothing else",
              on_serve, &RawOptions::busy_poll},
    OptionRow{"--spin-us", "N",
              "Fronts look for work for so long after the last, and only then sleep", on_serve,
              Number{&RawOptions::spin_us, 0, 1'000'000, "microseconds"}},
    OptionRow{"--sqpoll", "",
              "A thread of the kernel's takes what fronts ask of it, without system calls, and a "
              "core each while there is something",
              on_serve, &RawOptions::sqpoll},
    OptionRow{"--napi-busy-poll", "",
              "The kernel looks into network cards for fronts before it sleeps (Linux 6.9; nothing "
              "on loopback)",
              on_serve, &RawOptions::napi_busy_poll},
    OptionRow{"--mlock", "", "Fronts stay in memory (needs an unlimited `ulimit -l`)", on_serve,
              &RawOptions::mlock},
    OptionRow{"--cpus-front,--front-cpus", "LIST",
              "CPUs that fronts run on, one after the other; such as 0,2-3", on_serve,
              &RawOptions::front_cpus},
    OptionRow{"--cpus-games", "LIST", "CPUs that games run on, any of them", on_serve,
              &RawOptions::game_cpus},
    OptionRow{"--spin-cpus", "LIST",
              "CPUs to give away: each to one reactive game, which then runs there and "
              "never sleeps",
              on_serve, &RawOptions::spin_cpus},
    OptionRow{"--restores-per-second", "N",
              "Games that crash are restored at most so often; 0: as often as they crash", on_serve,
              Number{&RawOptions::restores_per_second, 0, 1'000'000, "restores"}},
    OptionRow{"--fresh", "",
              "end the games that a host of this --instance has left by dying; they are restored "
              "otherwise",
              on_serve, &RawOptions::fresh},
    OptionRow{"--fifo,--realtime", "",
              "Fronts and reactive games run before everything else on the machine "
              "(SCHED_FIFO; needs root or CAP_SYS_NICE)",
              on_serve, &RawOptions::realtime},
    OptionRow{"--no-uring-futex", "",
              "Wake fronts by eventfd, and games by a call each, even where io_uring can do both",
              on_serve, &RawOptions::no_uring_futex},
    OptionRow{"--config", "FILE",
              "Options from a TOML file, by their long names: games-max = 100; the environment "
              "(RINGSIDE_SERVE_GAMES_MAX=100) and what is typed here count more",
              on_serve, &RawOptions::config},
    OptionRow{"--print-config", "",
              "Only print such a file, with all that is set by file, environment and command line",
              on_serve, &RawOptions::print_config},
    OptionRow{"--check", "",
              "Only say whether a host started like this could go on with the games of its "
              "--instance",
              on_serve, &RawOptions::check},
    OptionRow{"--log-level", "LEVEL",
              "Log to standard error what is at least so urgent: error, warning, notice (the "
              "default) or info",
              on_serve, &RawOptions::log_level},
    OptionRow{"-q,--quiet", "", "Do not print where it listens", on_serve, &RawOptions::quiet},

    OptionRow{"--instance", "NAME", "Which host of this machine (default 'default')", operates,
              &RawOptions::instance},
    OptionRow{"--json", "", "Print one JSON object, {\"sessions\":[...]}", on_sessions,
              &RawOptions::json},
    OptionRow{"--json", "", "Print one JSON object", on_stat | on_errors, &RawOptions::json},
    OptionRow{"--watch", "", "Print what has happened, every second, until interrupted", on_stat,
              &RawOptions::stat_watch},
    OptionRow{"-G,--game", "NAME", "This game alone", on_stat, &RawOptions::game},
    OptionRow{"-G,--game", "NAME", "Game to follow", on_tap, &RawOptions::game, true},
    OptionRow{"--snapshots", "N", "End after so many", on_tap,
              Number{&RawOptions::snapshots_max, 1, any_max, "snapshots", "with the game"}},
    OptionRow{"-G,--game", "NAME", "Only this game's (default: everybody's)", on_dump,
              &RawOptions::game},
    OptionRow{"--json", "", "Print one JSON object a line", on_dump, &RawOptions::json},
    OptionRow{"-s,--session", "SESSION",
              "Only inputs of this one, as 'ringside sessions' lists it (default: everybody's)",
              on_trace, &RawOptions::session},
    OptionRow{"-G,--game", "NAME", "Only inputs to this game", on_trace, &RawOptions::game},
    OptionRow{"--seconds", "S", "How long to look; 0: only at what the recorders hold", on_trace,
              Number{&RawOptions::seconds, 0, 3'600, "seconds"}},
    OptionRow{"--perfetto", "FILE",
              "Also write a timeline of all processes, for https://ui.perfetto.dev; the file must "
              "not exist",
              on_trace, &RawOptions::perfetto},
    OptionRow{"--json", "", "Print one JSON object, {\"events\":..,\"stages\":[...]}", on_trace,
              &RawOptions::json},
    OptionRow{"session", "", "Which one, as 'ringside sessions' lists it", on_kick,
              &RawOptions::who, true},
    OptionRow{"who", "", "An address, or a session that comes from it", on_ban | on_unban,
              &RawOptions::who, true},
    OptionRow{"--for", "SECONDS", "How long", on_ban,
              Number{&RawOptions::ban_s, 1, 2'592'000, "seconds"}},
    OptionRow{"game", "", "Name of the game to end", on_end, &RawOptions::game, true},

    OptionRow{"game", "", "Name of the game to record", on_record, &RawOptions::game, true},
    OptionRow{"-o,--out", "FILE",
              "File to write, which must not exist (default: the game's name with .replay)",
              on_record, &RawOptions::out},

    OptionRow{"--games", "N", "Games at once that the machine is to host", on_doctor,
              Number{&RawOptions::doctor_games, 1, games_max_limit, "games"}},
    OptionRow{"--hz", "N", "Ticks of each a second", on_doctor,
              Number{&RawOptions::doctor_hz, 1, 1'000, "ticks"}},
    OptionRow{"--low-latency", "", "Warn of what costs only microseconds as well", on_doctor,
              &RawOptions::low_latency},
    OptionRow{"--latency-seconds", "N",
              "Measure on every CPU, all busy meanwhile, for how long at a time a process does not "
              "run; 0: do not",
              on_doctor, Number{&RawOptions::latency_s, 0, 3'600, "seconds"}},
    OptionRow{"--root", "FOLDER",
              "Judge the copy of another machine's /proc and /sys there; nothing is measured",
              on_doctor, &RawOptions::root},
    OptionRow{"--json", "", "Print one JSON object, {\"verdict\":…,\"checks\":[...]}", on_doctor,
              &RawOptions::json},

    OptionRow{"file", "", "A recorded match, or traces: one JSON object a line", on_replay,
              &RawOptions::trace, true},
    OptionRow{"--verify", "",
              "Do not show the match: compare its states with those that the same keys lead to",
              on_replay, &RawOptions::verify},
    OptionRow{"--through-rings", "", "Play in game processes, over shared memory", on_replay,
              &RawOptions::through_rings},
    OptionRow{"--kill-seed", "N",
              "With --through-rings: kill the games' processes at random instants", on_replay,
              Number{&RawOptions::kill_seed, 0, any_max, "", "nothing is killed"}},
    OptionRow{"--restore-every", "TICKS",
              "Save the rules and restore them into fresh ones so often", on_replay,
              Number{&RawOptions::restore_every, 1, any_max, "ticks", "never"}},
};

constexpr std::array commands{
    CommandRow{"play", on_play, "Play in this terminal; practice when nothing else is said",
               "  ringside play                    practice, alone, on a private host\n"
               "  ringside play -N 3               host a game for three here, and join it\n"
               "  ringside play -C -A 10.0.0.5     make or join a game on another's host\n"
               "  ringside play -G swift-lantern   join that game at 127.0.0.1; when no host\n"
               "                                   answers there, host it here\n"},
    CommandRow{"list", on_list, "List the games of a host", ""},
    CommandRow{"watch", on_watch, "Watch a game without a seat", ""},
    CommandRow{"bot", on_bot, "Fill seats with bots, or play whole matches among bots",
               "  ringside bot -G swift-lantern --players 2   two opponents for you\n"
               "  ringside bot --games 200 --players 2        200 matches at once\n"},
    CommandRow{"serve", on_serve, "Host games for others until SIGINT or SIGTERM",
               "  ringside serve --listen :8766 --listen unix:/run/ringside.sock\n"
               "  ringside serve --print-config > ringside.toml\n"
               "  ringside serve --config ringside.toml --games-max 100\n"},
    CommandRow{"drain", on_drain,
               "Have a host of this machine refuse new games, and end with its last one", ""},
    CommandRow{"end", on_end, "End one game of a host of this machine; its players are told", ""},
    CommandRow{"sessions", on_sessions, "List who is connected to a host of this machine", ""},
    CommandRow{"kick", on_kick, "Close one connection to a host of this machine; its seat is free",
               ""},
    CommandRow{"ban", on_ban, "Let nobody in from an address for a while, and close who is there",
               "  ringside ban 203.0.113.7 --for 86400\n"
               "An IPv6 address stands for its /64.\n"},
    CommandRow{"unban", on_unban, "Let them in again", ""},
    CommandRow{"upgrade", on_upgrade,
               "Have the program that is now where a running host was started from take its place",
               "Games, seats and listening sockets stay; clients come back by themselves. Refused\n"
               "before anything stops if the new program cannot go on with the games.\n"},
    CommandRow{"top", on_live, "The games of a host of this machine, live, and one game's page",
               ""},
    CommandRow{
        "stat", on_stat, "What a host of this machine counts: games, fronts, lateness, drops",
        "  ringside stat --watch\n"
        "Read from shared memory: the host does not notice. Also of one that is stopped, or\n"
        "has died and left its files.\n"},
    CommandRow{"errors", on_errors, "Errors of a host of this machine, each once, and how often",
               ""},
    CommandRow{"tap", on_tap,
               "Print what a game of a host of this machine publishes, as JSON, a line a snapshot",
               "  ringside tap --game swift-lantern | jq -c '{tick, events}'\n"
               "The game does not notice. Of one whose host is dead: the last snapshots.\n"},
    CommandRow{"dump", on_dump,
               "Print what the processes of a host of this machine did last, also of a dead one",
               "  ringside dump                           everybody, by time\n"
               "  ringside dump -G swift-lantern --json   one game, a JSON object a line\n"
               "docs/probes.md says what each line means.\n"},
    CommandRow{"trace", on_trace,
               "Show where the inputs of players spend their time, from client to client",
               "  ringside trace                               everybody's, for 5 s\n"
               "  ringside trace -G swift-lantern --perfetto trace.json\n"
               "Looks from outside; the host does not notice.\n"},
    CommandRow{"record", on_record, "Record a game of a host of this machine, until it ends",
               "  ringside record swift-lantern -o final.replay\n"
               "The game does not notice. SIGINT and SIGTERM end the recording, not the game.\n"},
    CommandRow{
        "doctor", on_doctor, "Say what on this machine is in the way of a host, and the cure",
        "  ringside doctor --games 1000 --hz 60\n"
        "  ringside doctor --json --latency-seconds 0\n"
        "Run it as the user, and in the service or container, that the host is to run in. It\n"
        "changes nothing. Exit code: 0 all is well, 1 something warns, 2 something fails.\n"},
    CommandRow{"replay", on_replay, "Show a recorded match, or compare its states",
               "  ringside replay final.replay            space stops and goes on, h and l step,\n"
               "                                          k and j are faster and slower, q leaves\n"
               "  ringside replay --verify final.replay   the same keys, the same states?\n"
               "Traces are always compared.\n"
               "Exit code: 0 the same states, 1 a match differed, 2 the file cannot be used.\n"},
};

}  // namespace

std::string range_text(const Number& number) {
    return fmt::format("{} to {}{}{}", number.low, number.high, number.unit.empty() ? "" : " ",
                       number.unit);
}

std::string help_text(const OptionRow& row) {
    const auto* number = std::get_if<Number>(&row.target);
    if (number == nullptr) {
        return std::string(row.help);
    }
    return fmt::format("{}: {} (default {})", row.help, range_text(*number),
                       number->default_text.empty()
                           ? fmt::format("{}", RawOptions{}.*number->target)
                           : number->default_text);
}

std::span<const OptionRow> option_table() noexcept {
    return rows;
}

std::vector<std::string> long_flags(unsigned command) {
    std::vector<std::string> flags;
    for (const OptionRow& row : rows) {
        std::string names(row.names);
        for (std::istringstream in(names);
             (row.commands & command) != 0 && std::getline(in, names, ',');) {
            if (names.starts_with("--")) {
                flags.push_back(names);
            }
        }
    }
    return flags;
}

std::span<const CommandRow> command_table() noexcept {
    return commands;
}

}  // namespace ringside
