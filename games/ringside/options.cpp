#include "options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "cpu_list.hpp"
#include "option_table.hpp"
#include "settings.hpp"

#include "ringside/core/game_name.hpp"
#include "ringside/core/limits.hpp"
#include "ringside/core/printable.hpp"
#include "ringside/tron/config.hpp"

namespace ringside {
namespace {

constexpr int exit_usage = 2;

constexpr const char* summary =
    "Ringside hosts games in shared memory and plays them in the terminal: light cycles steered\n"
    "with vim's keys. Without arguments: a practice game here, or a short match between bots when\n"
    "there is no terminal. Keys: h j k l or arrows steer, i lays walls and says 'ready', esc "
    "stops\n"
    "laying, q quits.";

constexpr const char* top_examples =
    "Examples:\n"
    "  ringside                                a practice game\n"
    "  ringside -N 3                           host a game for three here, and join it\n"
    "  ringside -G swift-lantern               join it at 127.0.0.1, or host it here when no host\n"
    "                                          answers there\n"
    "  ringside -C -A 10.0.0.5 -N 4 -G mygame  make or join a game on another's host\n"
    "  ringside serve                          host games for others\n"
    "'ringside COMMAND --help' tells more. Exit code: 0 done, 1 failed, 2 wrong usage.";

std::optional<std::uint64_t> whole_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    return code == std::errc{} && end == text.data() + text.size() ? std::optional(number)
                                                                   : std::nullopt;
}

void add_number(CLI::App& app, const OptionRow& row, const Number& number, RawOptions& raw) {
    std::uint64_t& target = raw.*number.target;
    const CLI::Validator in_range(
        [number](std::string& text) {
            const auto given = whole_number(text);
            return given && *given >= number.low && *given <= number.high
                       ? std::string()
                       : fmt::format("'{}' is not a number from {}", printable(text),
                                     range_text(number));
        },
        std::string(), "range");
    app.add_option(std::string(row.names), target, help_text(row))
        ->type_name(std::string(row.value))
        ->check(in_range);
}

void add_row(CLI::App& app, const OptionRow& row, RawOptions& raw) {
    const std::string names(row.names);
    const std::string help(row.help);
    if (const auto* flag = std::get_if<bool RawOptions::*>(&row.target)) {
        app.add_flag(names, raw.**flag, help);
    } else if (const auto* number = std::get_if<Number>(&row.target)) {
        add_number(app, row, *number, raw);
    } else if (const auto* text = std::get_if<std::string RawOptions::*>(&row.target)) {
        app.add_option(names, raw.**text, help)
            ->type_name(std::string(row.value))
            ->required(row.required);
    } else {
        const auto list = std::get<std::vector<std::string> RawOptions::*>(row.target);
        app.add_option(names, raw.*list, help)
            ->type_name(std::string(row.value))
            ->allow_extra_args(false);  // one value a flag; the flag may be repeated
    }
}

void add_rows(CLI::App& app, unsigned command, RawOptions& raw) {
    for (const OptionRow& row : option_table()) {
        if ((row.commands & command) != 0) {
            add_row(app, row, raw);
        }
    }
}

void build(CLI::App& app, RawOptions& raw) {
    app.name("ringside");
    app.get_formatter()->column_width(26);
    app.set_help_flag("-h,--help", "Print this and exit");
    app.set_version_flag("-V,--version", "ringside " RINGSIDE_VERSION,
                         "Print the version and exit");
    app.require_subcommand(0, 1);
    app.footer(top_examples);
    add_rows(app, on_top, raw);
    for (const CommandRow& row : command_table()) {
        CLI::App& command = *app.add_subcommand(std::string(row.name), std::string(row.help));
        command.footer(std::string(row.examples));
        add_rows(command, row.bit, raw);
    }
    app.get_subcommand("play")->set_version_flag("-V,--version", "ringside " RINGSIDE_VERSION,
                                                 "Print the version and exit");
}

/// What is wrong with options that are right one by one.
struct Refusal {
    std::string text;
};

/// Judges the flags of one command together and fills its options.
class Reading {
public:
    Reading(const CLI::App& app, const RawOptions& raw, Options& options)
        : app_(app), raw_(raw), options_(options) {}

    void read(unsigned command);

private:
    [[nodiscard]] bool given(const char* flag) const { return app_.count(flag) > 0; }
    void refuse_beside(const char* flag, std::initializer_list<const char*> others,
                       std::string_view cure) const;
    void play();
    void choose_host();
    void serve();
    [[nodiscard]] LogLevel log_level() const;
    [[nodiscard]] std::vector<std::string> origins() const;
    [[nodiscard]] std::vector<AddressRange> proxies() const;
    [[nodiscard]] std::optional<Endpoint> metrics_endpoint() const;
    [[nodiscard]] std::vector<int> cpu_list(const char* flag, const std::string& text) const;
    void operate(Command command);
    void bot();
    void replay();
    [[nodiscard]] Endpoint endpoint() const;
    [[nodiscard]] std::string game() const;
    [[nodiscard]] std::string password() const;
    void check_grid() const;

    const CLI::App& app_;
    const RawOptions& raw_;
    Options& options_;
};

void Reading::read(unsigned command) {
    switch (command) {
        case on_top:
        case on_play: play(); return;
        case on_watch:
            options_.command = Command::watch;
            options_.play = {.host = PlayHost::theirs,
                             .endpoint = endpoint(),
                             .game = game(),
                             .password = password()};
            return;
        case on_list:
            options_.command = Command::list;
            options_.list = {.endpoint = endpoint(), .prefix = raw_.prefix, .json = raw_.json};
            return;
        case on_bot: bot(); return;
        case on_serve: serve(); return;
        case on_drain: operate(Command::drain); return;
        case on_end: operate(Command::end); return;
        case on_upgrade: operate(Command::upgrade); return;
        case on_sessions: operate(Command::sessions); return;
        case on_kick: operate(Command::kick); return;
        case on_ban: operate(Command::ban); return;
        case on_unban: operate(Command::unban); return;
        case on_errors: operate(Command::errors); return;
        case on_stat:
            options_.command = Command::stat;
            options_.stat = {.instance = raw_.instance,
                             .game = game(),
                             .json = raw_.json,
                             .watch = raw_.stat_watch};
            return;
        case on_live: operate(Command::top); return;
        case on_tap:
            options_.command = Command::tap;
            options_.tap = {
                .instance = raw_.instance, .game = game(), .snapshots_max = raw_.snapshots_max};
            return;
        case on_dump:
            options_.command = Command::dump;
            options_.dump = {.instance = raw_.instance, .game = raw_.game, .json = raw_.json};
            return;
        case on_trace:
            options_.command = Command::trace;
            options_.trace = {.instance = raw_.instance,
                              .session = raw_.session,
                              .game = raw_.game,
                              .seconds = static_cast<std::uint32_t>(raw_.seconds),
                              .json = raw_.json,
                              .perfetto = raw_.perfetto};
            return;
        case on_record:
            options_.command = Command::record;
            options_.record = {.instance = raw_.instance, .game = raw_.game, .path = raw_.out};
            return;
        case on_doctor:
            options_.command = Command::doctor;
            options_.doctor = {.needs = {.games = static_cast<std::uint32_t>(raw_.doctor_games),
                                         .hz = static_cast<std::uint32_t>(raw_.doctor_hz),
                                         .low_latency = raw_.low_latency},
                               .root = raw_.root,
                               .latency = std::chrono::seconds(raw_.latency_s),
                               .json = raw_.json};
            return;
        case on_replay: replay(); return;
    }
}

void Reading::refuse_beside(const char* flag, std::initializer_list<const char*> others,
                            std::string_view cure) const {
    for (const char* other : others) {
        if (given(flag) && given(other)) {
            throw Refusal{fmt::format("{} and {} exclude each other; {}", flag, other, cure)};
        }
    }
}

void Reading::play() {
    if (raw_.server) {
        refuse_beside("-S", {"-C", "-A", "-G", "-N", "-W", "-H", "-L"},
                      "'ringside -S [-P port]' hosts, and players join with -C");
        serve();
        return;
    }
    if (raw_.list) {
        options_.command = Command::list;
        options_.list = {.endpoint = endpoint()};
        return;
    }
    options_.command = Command::play;
    check_grid();
    options_.play = {.endpoint = endpoint(),
                     .game = game(),
                     .seats = static_cast<std::uint8_t>(given("-N") ? raw_.number : 1 + raw_.bots),
                     .bots = static_cast<std::uint8_t>(raw_.bots),
                     .width = static_cast<std::uint16_t>(raw_.width),
                     .height = static_cast<std::uint16_t>(raw_.height),
                     .password = password(),
                     .nickname = raw_.nickname,
                     .unlisted = raw_.unlisted};
    choose_host();
}

// The ancestor hosted whenever -C was not given, also for `-G name`, with which its README joins a
// friend's game: here that works whichever of the two was meant.
void Reading::choose_host() {
    if (given("-C") || given("-A")) {
        options_.play.host = PlayHost::theirs;
    } else if (given("-N") || (given("-P") && !given("-G"))) {
        options_.play.host = PlayHost::own;
    } else if (given("-G")) {
        options_.play.host = PlayHost::theirs_if_answered;
    } else {
        options_.play.host = PlayHost::own_private;
    }
}

std::vector<std::string> Reading::origins() const {
    for (const std::string& origin : raw_.allow_origin) {
        const std::size_t mark = origin.find("://");
        const bool whole = mark != std::string::npos && mark > 0 && mark + 3 < origin.size() &&
                           origin.find_first_of("/ \t\r\n,", mark + 3) == std::string::npos;
        if (origin != "*" && !whole) {
            throw Refusal{fmt::format(
                "--allow-origin: '{}' is not an origin; give it as in https://example.org, "
                "without a path",
                printable(origin))};
        }
    }
    return raw_.allow_origin;
}

/// Who may not play here may not look either, unless that is asked for.
std::optional<Endpoint> Reading::metrics_endpoint() const {
    if (!given("--metrics-listen")) {
        return std::nullopt;
    }
    auto endpoint = Endpoint::parse(raw_.metrics_listen);
    if (!endpoint) {
        throw Refusal{fmt::format("--metrics-listen: {}", endpoint.error().message)};
    }
    if (endpoint->unix_path.empty() && endpoint->host.empty()) {
        endpoint->host = "127.0.0.1";
    }
    return std::move(*endpoint);
}

std::vector<AddressRange> Reading::proxies() const {
    std::vector<AddressRange> ranges;
    for (const std::string& text : raw_.trust_proxy) {
        const auto range = parse_address_range(text);
        if (!range) {
            throw Refusal{fmt::format(
                "--trust-proxy: '{}' is no range of addresses; give it as in 10.0.0.0/8, "
                "2001:db8::/32 (/64 at most) or unix",
                printable(text))};
        }
        ranges.push_back(*range);
    }
    return ranges;
}

void Reading::serve() {
    options_.command = Command::serve;
    ServeOptions& serve = options_.serve;
    for (const std::string& where : raw_.listen) {
        const auto endpoint = Endpoint::parse(where);
        if (!endpoint) {
            throw Refusal{fmt::format("--listen: {}", endpoint.error().message)};
        }
        serve.listen.push_back(*endpoint);
    }
    if (given("-P")) {
        if (!serve.listen.empty()) {
            throw Refusal{"-P and --listen exclude each other; give the port as in --listen :8766"};
        }
        serve.listen.push_back(
            {.host = {}, .port = static_cast<std::uint16_t>(raw_.port), .unix_path = {}});
    }
    serve.instance = raw_.instance;
    serve.games_max = static_cast<std::uint32_t>(raw_.games_max);
    serve.messages_per_second = static_cast<std::uint32_t>(raw_.messages_per_second);
    serve.fronts = static_cast<std::uint32_t>(raw_.fronts);
    serve.connections_per_address = static_cast<std::uint32_t>(raw_.connections_per_address);
    serve.games_per_address = static_cast<std::uint32_t>(raw_.games_per_address);
    serve.limit_own_address = raw_.limit_own_address;
    serve.fill_with_bots = raw_.fill_with_bots;
    serve.session_timeout = std::chrono::seconds(raw_.session_timeout_s);
    serve.idle_timeout = std::chrono::seconds(raw_.idle_timeout_s);
    serve.resume_grace = std::chrono::seconds(raw_.resume_grace_s);
    serve.restores_per_second = static_cast<std::uint32_t>(raw_.restores_per_second);
    serve.allowed_origins = origins();
    serve.trusted_proxies = proxies();
    serve.metrics = metrics_endpoint();
    if (given("--simulate")) {
        const auto network = parse_network_conditions(raw_.simulate);
        if (!network) {
            throw Refusal{fmt::format("--simulate: {}", network.error().message)};
        }
        serve.network = *network;
    }
    serve.uring_futex = !raw_.no_uring_futex;
    serve.busy_poll = raw_.busy_poll;
    serve.realtime = raw_.realtime;
    serve.fresh = raw_.fresh;
    serve.spin = std::chrono::microseconds(raw_.spin_us);
    serve.sqpoll = raw_.sqpoll;
    serve.napi_busy_poll = raw_.napi_busy_poll;
    serve.mlock = raw_.mlock;
    serve.front_cpus = cpu_list("--cpus-front", raw_.front_cpus);
    serve.game_cpus = cpu_list("--cpus-games", raw_.game_cpus);
    serve.spin_cpus = cpu_list("--spin-cpus", raw_.spin_cpus);
    serve.record = {.folder = raw_.record_dir,
                    .bytes_max = raw_.record_mib * 1024 * 1024,
                    .age_max = std::chrono::days(raw_.record_days)};
    if (raw_.record_dir.empty() && (given("--record-mib") || given("--record-days"))) {
        throw Refusal{"--record-mib and --record-days need --record-dir: they are its limits"};
    }
    serve.log_level = log_level();
    serve.trace_every = static_cast<std::uint32_t>(raw_.trace_every);
    serve.flight_dir = raw_.flight_dir;
    serve.flight_late = std::chrono::milliseconds(raw_.flight_late_ms);
    if (raw_.flight_dir.empty() && given("--flight-late")) {
        throw Refusal{"--flight-late needs --flight-dir: it says when something is written there"};
    }
    serve.check = raw_.check;
    serve.quiet = raw_.quiet;
}

LogLevel Reading::log_level() const {
    for (const auto& [name, level] : {std::pair("error", LogLevel::error),
                                      {"warning", LogLevel::warning},
                                      {"notice", LogLevel::notice},
                                      {"info", LogLevel::info}}) {
        if (raw_.log_level == name) {
            return level;
        }
    }
    throw Refusal{fmt::format("--log-level: '{}' is none of error, warning, notice and info",
                              raw_.log_level)};
}

std::vector<int> Reading::cpu_list(const char* flag, const std::string& text) const {
    auto cpus = parse_cpu_list(text);
    if (!cpus) {
        throw Refusal{fmt::format("{}: {}", flag, cpus.error().message)};
    }
    return std::move(*cpus);
}

void Reading::operate(Command command) {
    options_.command = command;
    options_.operate = {
        .instance = raw_.instance,
        .game = raw_.game,
        .who = raw_.who,
        .seconds = command == Command::ban ? static_cast<std::uint32_t>(raw_.ban_s) : 0,
        .json = raw_.json};
}

void Reading::bot() {
    options_.command = Command::bot;
    refuse_beside("-G", {"--games", "-W", "-H"}, "they are for games of the bots' own");
    check_grid();
    options_.bot = {.endpoint = endpoint(),
                    .game = game(),
                    .password = password(),
                    .games = static_cast<std::uint32_t>(std::max<std::uint64_t>(raw_.games, 1)),
                    .players = static_cast<std::uint32_t>(raw_.players),
                    .width = static_cast<std::uint16_t>(raw_.width),
                    .height = static_cast<std::uint16_t>(raw_.height),
                    .forever = raw_.forever,
                    .seed = raw_.seed,
                    .json = raw_.json,
                    .quiet = false,
                    .on_view = {}};
}

void Reading::replay() {
    options_.command = Command::replay;
    refuse_beside("--through-rings", {"--restore-every"}, "restoring is tried on the rules alone");
    if (given("--kill-seed") && !raw_.through_rings) {
        throw Refusal{"--kill-seed needs --through-rings: only there are processes to kill"};
    }
    options_.replay = {
        .path = raw_.trace,
        .verify = raw_.verify,
        .through_rings = raw_.through_rings,
        .kill_seed = given("--kill-seed") ? std::optional(raw_.kill_seed) : std::nullopt,
        .restore_every = static_cast<std::uint32_t>(raw_.restore_every)};
}

Endpoint Reading::endpoint() const {
    const auto parsed = Endpoint::parse(raw_.address.empty() ? "127.0.0.1" : raw_.address);
    if (!parsed) {
        throw Refusal{fmt::format("--address: {}", parsed.error().message)};
    }
    Endpoint endpoint = *parsed;
    if (given("-P")) {
        endpoint.port = static_cast<std::uint16_t>(raw_.port);
    }
    return endpoint;
}

std::string Reading::game() const {
    if (given("-G") && !is_game_name(raw_.game)) {
        throw Refusal{fmt::format("--game: '{}' is no name; {}", raw_.game, game_name_rule)};
    }
    return raw_.game;
}

std::string Reading::password() const {
    const char* in_environment = std::getenv("RINGSIDE_PASSWORD");
    const bool not_given = !given("--password") && in_environment != nullptr;
    std::string password = not_given ? in_environment : raw_.password;
    if (password.size() > password_bytes_max) {
        throw Refusal{fmt::format("{} has at most {} bytes",
                                  not_given ? "RINGSIDE_PASSWORD" : "--password",
                                  password_bytes_max)};
    }
    return password;
}

void Reading::check_grid() const {
    if (raw_.width * raw_.height > tron::cells_max) {
        throw Refusal{fmt::format("--width {} and --height {} make {} cells; at most {} fit a game",
                                  raw_.width, raw_.height, raw_.width * raw_.height,
                                  tron::cells_max)};
    }
}

const CommandRow* command_given(const CLI::App& app) {
    for (const CommandRow& row : command_table()) {
        if (app.got_subcommand(std::string(row.name))) {
            return &row;
        }
    }
    return nullptr;
}

int complain(const CLI::App& app, std::string_view what) {
    const CommandRow* command = command_given(app);
    fmt::print(stderr, "ringside: {}; 'ringside {}--help' tells all\n", printable(what),
               command == nullptr ? std::string() : fmt::format("{} ", command->name));
    return exit_usage;
}

std::string unknown_text(const CLI::App& app) {
    const auto unknown = app.remaining(true);
    const std::string first = unknown.empty() ? "?" : unknown.front();
    if (!first.starts_with('-')) {
        return fmt::format("unexpected argument '{}'", first);
    }
    const CommandRow* command = command_given(app);
    return fmt::format("unknown flag '{}'{}", first,
                       suggestion(first, long_flags(command == nullptr ? on_top : command->bit)));
}

void refuse_flags_before_command(const CLI::App& app, const CommandRow& command) {
    for (const CLI::Option* option : app.get_options()) {
        if (option->count() > 0) {
            throw Refusal{fmt::format("put {} after the command: 'ringside {} {} ...'",
                                      option->get_name(), command.name, option->get_name())};
        }
    }
}

void parse(CLI::App& app, std::vector<std::string> arguments) {
    std::ranges::reverse(arguments);  // as CLI11 wants them
    app.parse(std::move(arguments));
}

/// Whether a source's values would do if it were the only one, so that a refusal names it.
void judge_alone(const SettingSource& source) {
    RawOptions raw;
    CLI::App app;
    build(app, raw);
    std::vector<std::string> arguments{"serve"};
    for (const Setting& setting : source.settings) {
        std::ranges::move(as_arguments(setting), std::back_inserter(arguments));
    }
    try {
        parse(app, arguments);
    } catch (const CLI::ParseError& wrong) {
        throw Refusal{fmt::format("{}: {}", source.name, wrong.what())};
    }
}

/// The command line with what the environment says, and behind that the config file, of options
/// that it does not have itself.
std::vector<std::string> with_settings(const CLI::App& serve, const std::string& config_path,
                                       const std::vector<std::string>& arguments) {
    std::vector<Result<SettingSource>> sources{read_environment(environ)};
    if (!config_path.empty()) {
        sources.push_back(read_config_file(config_path));
    }
    std::vector<std::string> given;
    for (const OptionRow& row : option_table()) {
        const std::string_view name = setting_name(row);
        if (!name.empty() && serve.count(fmt::format("--{}", name)) > 0) {
            given.emplace_back(name);
        }
    }
    std::vector<std::string> all = arguments;
    for (const auto& source : sources) {
        if (!source) {
            throw Refusal{source.error().text()};
        }
        judge_alone(*source);
        const std::vector<std::string> before = given;
        for (const Setting& setting : source->settings) {
            if (std::ranges::none_of(before, [&setting](const std::string& other) {
                    return same_choice(setting.name, other);
                })) {
                std::ranges::move(as_arguments(setting), std::back_inserter(all));
                given.push_back(setting.name);
            }
        }
    }
    return all;
}

/// And behind all that, what a profile says of options that nobody has said anything of.
std::vector<std::string> with_profile(const CLI::App& serve, std::string_view profile,
                                      std::vector<std::string> arguments) {
    constexpr std::array low_latency{std::pair("--fifo", "true"), std::pair("--mlock", "true"),
                                     std::pair("--napi-busy-poll", "true"),
                                     std::pair("--spin-us", "50")};
    if (profile != "default" && profile != "low-latency") {
        throw Refusal{fmt::format("--profile: '{}' is neither default nor low-latency", profile)};
    }
    for (const auto& [flag, value] : low_latency) {
        if (profile == "low-latency" && serve.count(flag) == 0) {
            arguments.push_back(fmt::format("{}={}", flag, value));
        }
    }
    return arguments;
}

void print_config(const CLI::App& serve) {
    fmt::print("{}", config_text([&serve](const std::string& flag) {
                   return serve.get_option(flag)->results();
               }));
}

}  // namespace

std::expected<Options, int> parse_options(int argc, char** argv) {
    RawOptions raw;
    CLI::App app(summary);
    try {
        build(app, raw);
        std::vector<std::string> arguments(argv + 1, argv + argc);
        parse(app, arguments);
        if (app.got_subcommand("serve")) {
            const CLI::App& serve = *app.get_subcommand("serve");
            arguments = with_settings(serve, raw.config, arguments);
            parse(app, arguments);
            parse(app, with_profile(serve, raw.profile, arguments));
        }
        Options options;
        options.bare = argc == 1;
        const CommandRow* command = command_given(app);
        if (command == nullptr) {
            Reading(app, raw, options).read(on_top);
        } else {
            refuse_flags_before_command(app, *command);
            Reading(*app.get_subcommand(std::string(command->name)), raw, options)
                .read(command->bit);
        }
        if (raw.print_config) {
            print_config(*app.get_subcommand("serve"));
            return std::unexpected(0);
        }
        return options;
    } catch (const CLI::Success& asked) {  // help or version
        return std::unexpected(app.exit(asked));
    } catch (const CLI::ExtrasError&) {
        return std::unexpected(complain(app, unknown_text(app)));
    } catch (const CLI::ParseError& wrong) {
        return std::unexpected(complain(app, wrong.what()));
    } catch (const Refusal& refusal) {
        return std::unexpected(complain(app, refusal.text));
    }
}

}  // namespace ringside
