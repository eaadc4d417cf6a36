// ringside-load: reads the command line, runs the load, prints what came of it.

#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "load.hpp"

namespace ringside::load {
namespace {

constexpr int exit_usage = 2;

void allow_connections() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);  // without it, connecting says what is missing
    }
}

void print(const char* name, const Percentiles& us) {
    fmt::print("{:<9} {:>10.0f} {:>10.0f} {:>10.0f} {:>10.0f} {:>10.0f}\n", name, us.p50, us.p90,
               us.p99, us.p999, us.max);
}

void print(const Outcome& outcome) {
    const auto per_second = [&](std::uint64_t count) {
        return static_cast<double>(count) / outcome.seconds;
    };
    fmt::print("{} sessions joined in {:.2f} s, {} failed; measured for {:.1f} s\n",
               outcome.sessions - outcome.failed, outcome.join_seconds, outcome.failed,
               outcome.seconds);
    fmt::print(
        "{:.0f} inputs/s, {} lost, {} doubled; {:.0f} snapshots/s, {:.0f} deltas/s, "
        "{:.0f} bytes/s; {} ticks not told\n",
        per_second(outcome.sent), outcome.lost, outcome.doubled, per_second(outcome.snapshots),
        per_second(outcome.deltas), per_second(outcome.bytes), outcome.tick_gaps);
    fmt::print("{:<9} {:>10} {:>10} {:>10} {:>10} {:>10}\n", "us", "p50", "p90", "p99", "p99.9",
               "max");
    print("latency", outcome.latency);
    print("service", outcome.service);
    print("lateness", outcome.lateness);
    print("join", outcome.join);
    fmt::print("CPU: {:.2f} of a core here", outcome.own_cpu_seconds / outcome.seconds);
    if (outcome.watched_cpu_seconds > 0) {
        const auto messages = outcome.sent + outcome.snapshots + outcome.deltas;
        fmt::print("; {:.2f} of a core watched, {:.2f} us a message in or out",
                   outcome.watched_cpu_seconds / outcome.seconds,
                   outcome.watched_cpu_seconds * 1e6 / static_cast<double>(messages));
    }
    fmt::print("\n");
}

}  // namespace
}  // namespace ringside::load

int main(int argc, char** argv) {
    using namespace ringside;
    using namespace ringside::load;
    CLI::App app(
        "Plays on a Ringside host with thousands of sessions and tells how that went.\n"
        "Latency counts from when an input was meant to be sent, service from when it was;\n"
        "lateness is a view's, against the earliest of its session. All times in us.\n"
        "Exit code: 0 every input was acknowledged once, 1 not, 2 wrong usage.");
    app.name("ringside-load");
    Options options;
    std::string address = "127.0.0.1";
    std::string mode = "tron";
    std::uint16_t port = 0;
    double seconds = 5;
    double warm_up = -1;
    bool no_deltas = false;
    bool closed = false;
    bool json = false;
    app.add_option("-A,--address", address, "host, host:port or unix:/path")->capture_default_str();
    app.add_option("-P,--port", port, "port, when the address has none");
    app.add_option("--mode", mode,
                   "tron: races at a fixed tick; relay: every input comes back at once")
        ->check(CLI::IsMember({"tron", "relay"}))
        ->capture_default_str();
    app.add_option("--games", options.games, "games to make")
        ->check(CLI::Range(1, 32768))
        ->capture_default_str();
    app.add_option("--players", options.players, "sessions in each: 1 to 6, relay to 64")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    app.add_option("--tick-ms", options.tick_ms, "of tron")
        ->check(CLI::Range(10, 1000))
        ->capture_default_str();
    app.add_option("--rate", options.inputs_per_second, "inputs a second of each session")
        ->check(CLI::Range(0.01, 100000.0))
        ->capture_default_str();
    app.add_flag("--closed", closed, "relay: the next input when the last is acknowledged");
    app.add_option("--bytes", options.input_bytes, "of a relay's input")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    app.add_option("--seconds", seconds, "to measure")
        ->check(CLI::Range(0.1, 86400.0))
        ->capture_default_str();
    app.add_option("--warm-up", warm_up,
                   "seconds before that; by default 1, in tron 8: a race begins with a countdown")
        ->check(CLI::Range(0.0, 3600.0));
    app.add_option("--ramp", options.connects_per_turn, "connects between two looks at answers")
        ->check(CLI::Range(1, 10000))
        ->capture_default_str();
    app.add_flag("--no-deltas", no_deltas, "ask for whole views");
    app.add_option("--pid", options.watched_pid, "process whose CPU is told, such as a front");
    app.add_option("--seed", options.seed, "of who sends when")->capture_default_str();
    app.add_flag("--json", json, "one object on standard output");
    CLI11_PARSE(app, argc, argv);

    auto endpoint = Endpoint::parse(address);
    if (!endpoint) {
        fmt::print(stderr, "ringside-load: --address: {}\n", endpoint.error().message);
        return exit_usage;
    }
    options.endpoint = *endpoint;
    if (port != 0) {
        options.endpoint.port = port;
    }
    options.mode = mode == "tron" ? Mode::tron : Mode::relay;
    if (options.mode == Mode::tron && (closed || options.players > 6)) {
        fmt::print(stderr, "ringside-load: tron has 1 to 6 players and no closed loop\n");
        return exit_usage;
    }
    options.inputs_per_second = closed ? 0 : options.inputs_per_second;
    options.deltas = !no_deltas;
    options.time = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1e3));
    if (warm_up < 0) {
        warm_up = options.mode == Mode::tron ? 8 : 1;
    }
    options.warm_up = std::chrono::milliseconds(static_cast<std::int64_t>(warm_up * 1e3));
    allow_connections();
    const auto outcome = run_load(options);
    if (!outcome) {
        fmt::print(stderr, "ringside-load: {}\n", outcome.error().text());
        return 1;
    }
    if (outcome->failed != 0) {
        fmt::print(stderr, "ringside-load: {} sessions failed; most often: {}\n", outcome->failed,
                   outcome->reason.data());
    }
    if (json) {
        fmt::print("{}\n", to_json(*outcome));
    } else {
        print(*outcome);
    }
    return outcome->lost == 0 && outcome->doubled == 0 && outcome->failed == 0 ? 0 : 1;
}
