// The program `ringside`: reads the command line and runs one command.

#include <chrono>
#include <cstdio>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "bot_matches.hpp"
#include "demo.hpp"
#include "doctor.hpp"
#include "event_trace.hpp"
#include "flight_dump.hpp"
#include "host_process.hpp"
#include "list.hpp"
#include "names.hpp"
#include "options.hpp"
#include "play.hpp"
#include "record.hpp"
#include "replay.hpp"
#include "serve.hpp"
#include "sessions.hpp"
#include "stat.hpp"
#include "tap.hpp"
#include "through_rings.hpp"
#include "top.hpp"

#include "ringside/core/printable.hpp"
#include "ringside/ipc/operate.hpp"
#include "ringside/ipc/process_title.hpp"
#include "ringside/ipc/supervisor.hpp"
#include "ringside/net/client.hpp"

namespace ringside {
namespace {

constexpr std::chrono::milliseconds probe_timeout{1'000};

int failed(const Error& error) {
    fmt::print(stderr, "ringside: {}\n", printable(error.text()));
    return 1;
}

Result<HostProcess> start_host(const PlayChoice& choice) {
    if (choice.host == PlayHost::own_private) {
        return HostProcess::start_private();
    }
    // An instance per port: whoever hosts on another port is not in the way.
    return HostProcess::start({.listen = {{.port = choice.endpoint.port}},
                               .instance = fmt::format("port-{}", choice.endpoint.port),
                               .quiet = true});
}

bool wants_own_host(const PlayChoice& choice) {
    switch (choice.host) {
        case PlayHost::theirs: return false;
        case PlayHost::own_private:
        case PlayHost::own: return true;
        case PlayHost::theirs_if_answered:
            return !Client::connect(choice.endpoint, Deltas::no, probe_timeout).has_value();
    }
    return false;
}

int play(PlayChoice choice, PlayRole role) {
    // Before a host is started or a seat taken.
    if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1) {
        return failed({{}, "playing needs a terminal on standard input and output"});
    }
    std::optional<HostProcess> host;
    if (wants_own_host(choice)) {
        auto started = start_host(choice);
        if (!started) {
            return failed(started.error());
        }
        host.emplace(std::move(*started));
    }
    if (choice.game.empty()) {
        choice.game = made_up_name();
    }
    const bool shared = !host || choice.host != PlayHost::own_private;
    PlayOptions options{.endpoint = host ? host->endpoint() : choice.endpoint,
                        .role = role,
                        .game = choice.game,
                        .seats = choice.seats,
                        .bots = choice.bots,
                        .password = choice.password,
                        .nickname = choice.nickname,
                        .unlisted = choice.unlisted,
                        .invitation = {}};
    if (shared) {
        const Endpoint everywhere{.port = choice.endpoint.port};
        options.invitation =
            fmt::format("{} -G {}{}", join_command(host ? everywhere : choice.endpoint),
                        choice.game, choice.password.empty() ? "" : " --password ...");
    }
    options.width = choice.width != 0 ? choice.width : options.width;
    options.height = choice.height != 0 ? choice.height : options.height;
    return run_play(options);
}

int replay(const ReplayChoice& choice) {
    ReplayOptions options{.path = choice.path, .driver = {}, .kills = {}, .verify = choice.verify};
    if (holds_recording(choice.path)) {
        if (choice.through_rings || choice.restore_every != 0) {
            return failed({{}, "--through-rings and --restore-every are for traces"});
        }
        return run_replay_recording(options);
    }
    if (choice.restore_every != 0) {
        options.driver = tron::direct_driver_factory({.restore_every = choice.restore_every});
    } else if (choice.through_rings) {
        if (choice.kill_seed) {
            options.kills = std::make_shared<Kills>(*choice.kill_seed);
        }
        auto driver = through_rings_factory(options.kills);
        if (!driver) {
            return failed(driver.error());
        }
        options.driver = std::move(*driver);
    }
    return run_replay(options);
}

int ask(const OperateChoice& choice, const OperatorRequest& request) {
    const auto answer = ask_host(HostOptions{}.root, choice.instance, request);
    if (!answer) {
        return failed(answer.error());
    }
    fmt::print("{}\n", printable(*answer));
    return 0;
}

int kick(const OperateChoice& choice) {
    const auto session = parse_session(choice.who);
    if (!session) {
        return failed(
            {{}, fmt::format("'{}' is no session; 'ringside sessions' lists them", choice.who)});
    }
    return ask(choice,
               {.what = OperatorRequest::What::kick, .game = {}, .session = value(*session)});
}

int ban(const OperateChoice& choice) {
    const auto address = address_of(choice.instance, choice.who);
    if (!address) {
        return failed(address.error());
    }
    return ask(choice, {.what = OperatorRequest::What::ban,
                        .game = {},
                        .address = static_cast<std::uint64_t>(*address),
                        .seconds = choice.seconds});
}

int run(const Options& options) {
    switch (options.command) {
        case Command::play:
            return options.bare && !(isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1)
                       ? run_demo()
                       : play(options.play, PlayRole::player);
        case Command::watch: return play(options.play, PlayRole::spectator);
        case Command::list: return run_list(options.list);
        case Command::bot: return run_bots(options.bot);
        case Command::serve: return run_serve(options.serve);
        case Command::drain:
            return ask(options.operate, {.what = OperatorRequest::What::drain, .game = {}});
        case Command::end:
            return ask(options.operate,
                       {.what = OperatorRequest::What::end_game, .game = options.operate.game});
        case Command::upgrade:
            return ask(options.operate, {.what = OperatorRequest::What::upgrade, .game = {}});
        case Command::sessions: return run_sessions(options.operate.instance, options.operate.json);
        case Command::kick: return kick(options.operate);
        case Command::ban:
        case Command::unban: return ban(options.operate);
        case Command::stat: return run_stat(options.stat);
        case Command::errors: return run_errors(options.operate.instance, options.operate.json);
        case Command::top: return run_top(options.operate.instance);
        case Command::tap: return run_tap(options.tap);
        case Command::trace: return run_event_trace(options.trace);
        case Command::dump: return run_dump(options.dump);
        case Command::record: return run_record(options.record);
        case Command::doctor: return run_doctor(options.doctor);
        case Command::replay: return replay(options.replay);
    }
    return 1;
}

}  // namespace
}  // namespace ringside

int main(int argc, char** argv) try {
    auto options = ringside::parse_options(argc, argv);
    if (options && argc > 1 && argv[1] == std::string_view("serve")) {
        options->serve.arguments.assign(argv, argv + argc);
    }
    ringside::give_title_room(argv);  // last: from here on argv may be written over
    return options ? ringside::run(*options) : options.error();
} catch (const std::exception& error) {  // of memory, in practice
    fmt::print(stderr, "ringside: {}\n", error.what());
    return 1;
}
