#pragma once
// The table of every flag: its names, help, range, default and the commands that take it. The
// command line and --help both come from it.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ringside/core/limits.hpp"

namespace ringside {

/// What the flags of a command line say, before any of it is judged together. Defaults are here.
struct RawOptions {
    bool server = false;
    bool client = false;
    bool list = false;
    bool json = false;
    bool forever = false;
    bool no_uring_futex = false;
    bool busy_poll = false;
    bool realtime = false;
    bool fresh = false;
    bool limit_own_address = false;
    bool fill_with_bots = false;
    bool check = false;
    bool quiet = false;
    bool verify = false;
    bool through_rings = false;
    bool stat_watch = false;
    std::string address;
    std::string game;
    std::string prefix;
    std::string instance = "default";
    std::string trace;
    std::string out;
    std::string record_dir;
    std::string flight_dir;
    std::uint64_t flight_late_ms = 0;
    std::uint64_t trace_every = 16;
    std::string session;
    std::uint64_t seconds = 5;
    std::string perfetto;
    std::uint64_t record_mib = 1024;
    std::uint64_t record_days = 30;
    std::string front_cpus;
    std::string game_cpus;
    std::string profile = "default";
    std::uint64_t spin_us = 0;
    bool sqpoll = false;
    bool napi_busy_poll = false;
    bool mlock = false;
    std::string spin_cpus;
    std::vector<std::string> listen;
    std::vector<std::string> allow_origin;
    std::vector<std::string> trust_proxy;
    std::string simulate;
    std::string metrics_listen;
    std::uint64_t port = port_default;
    std::uint64_t number = 1;
    std::uint64_t bots = 0;
    std::uint64_t width = 80;
    std::uint64_t height = 22;
    std::uint64_t players = 0;
    std::uint64_t games = 0;
    std::uint64_t seed = 0;
    std::uint64_t games_max = games_max_default;
    std::uint64_t fronts = 1;
    std::uint64_t messages_per_second = 200;
    std::uint64_t connections_per_address = 256;
    std::uint64_t games_per_address = 64;
    std::uint64_t session_timeout_s = 300;
    std::uint64_t idle_timeout_s = 180;
    std::uint64_t resume_grace_s = 10;
    std::uint64_t restore_every = 0;
    std::uint64_t kill_seed = 0;
    std::uint64_t ban_s = 3'600;
    std::uint64_t snapshots_max = 0;
    std::string password;
    std::string nickname;
    bool unlisted = false;
    std::string who;
    std::uint64_t restores_per_second = restores_per_second_default;
    std::uint64_t doctor_games = 100;
    std::uint64_t doctor_hz = 60;
    std::uint64_t latency_s = 5;
    bool low_latency = false;
    std::string root = "/";
    std::string config;
    std::string log_level = "notice";
    bool print_config = false;
};

// Bits of OptionRow::commands.
inline constexpr unsigned on_top = 1;  // `ringside` without a command
inline constexpr unsigned on_play = 2;
inline constexpr unsigned on_list = 4;
inline constexpr unsigned on_watch = 8;
inline constexpr unsigned on_bot = 16;
inline constexpr unsigned on_serve = 32;
inline constexpr unsigned on_replay = 64;
inline constexpr unsigned on_drain = 128;
inline constexpr unsigned on_end = 256;
inline constexpr unsigned on_upgrade = 512;
inline constexpr unsigned on_sessions = 1024;
inline constexpr unsigned on_kick = 2048;
inline constexpr unsigned on_ban = 4096;
inline constexpr unsigned on_unban = 8192;
inline constexpr unsigned on_record = 16384;
inline constexpr unsigned on_doctor = 32768;
inline constexpr unsigned on_stat = 1u << 16;
inline constexpr unsigned on_errors = 1u << 17;
inline constexpr unsigned on_tap = 1u << 18;
inline constexpr unsigned on_dump = 1u << 19;
inline constexpr unsigned on_trace = 1u << 20;
inline constexpr unsigned on_live = 1u << 21;  // `ringside top`

struct Number {
    std::uint64_t RawOptions::* target;
    std::uint64_t low;
    std::uint64_t high;
    std::string_view unit;               // for help and refusals: "players"
    std::string_view default_text = "";  // for help; empty: the target's own
};

/// "1 to 6 players"
[[nodiscard]] std::string range_text(const Number& number);

struct OptionRow {
    std::string_view names;  // "-P,--port"; without dashes: an argument told by its place
    std::string_view value;  // what help calls its value; empty for flags
    std::string_view help;
    unsigned commands;
    std::variant<bool RawOptions::*, std::string RawOptions::*,
                 std::vector<std::string> RawOptions::*, Number>
        target;
    bool required = false;
};

[[nodiscard]] std::span<const OptionRow> option_table() noexcept;

/// Its help; of a number with range and default.
[[nodiscard]] std::string help_text(const OptionRow& row);

/// Every "--name" that a command takes.
[[nodiscard]] std::vector<std::string> long_flags(unsigned command);

struct CommandRow {
    std::string_view name;
    unsigned bit;
    std::string_view help;      // one line of the list of commands
    std::string_view examples;  // below the command's flags
};

[[nodiscard]] std::span<const CommandRow> command_table() noexcept;

}  // namespace ringside
