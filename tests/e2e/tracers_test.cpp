// Tracers that look on from outside: the scripts for bpftrace, and what `profile` makes of perf.
//
// Whether the kernel lets them is asked first: bpftrace's own BEGIN needs all that its scripts need
// (a loaded program and a uprobe), perf is asked for an empty recording of the machine.

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "program.hpp"
#include "served_host.hpp"

using namespace ringside::test;
namespace fs = std::filesystem;

namespace {

const std::string scripts = RINGSIDE_SOURCE "/bazel-free-scripts/";
const std::string canned = RINGSIDE_SOURCE "/tests/e2e/";

std::string read_file(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

struct Folder {
    Folder() : path(fs::temp_directory_path() / ("ringside-" + new_instance())) {
        fs::create_directories(path);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path); }
    fs::path path;
};

Outcome shell(const std::string& command) {
    return run_program("bash", {"-c", command});
}

/// What flame_graph.py makes of a file of this folder.
Outcome fold(const std::string& file, const fs::path& out, const std::string& flags) {
    return shell("python3 " + scripts + "flame_graph.py make --out " + out.string() + " " + flags +
                 " < " + canned + file);
}

/// While a host's relays are under load.
Outcome trace_under_load(const std::string& script, int seconds) {
    const NothingLeft nothing_left;
    ServedHost host({"--messages-per-second", "1000000"});
    Program tracer("bpftrace", {scripts + "bpf/" + script, RINGSIDE_PROGRAM});
    const Outcome load = run_program(
        RINGSIDE_LOAD, {"-P", host.port(), "--mode", "relay", "--games", "2", "--players", "2",
                        "--rate", "50", "--seconds", std::to_string(seconds)});
    tracer.signal(SIGINT);
    Outcome traced{.exit_code = tracer.wait(), .output = {}, .errors = {}};
    traced.output = tracer.output();
    traced.errors = tracer.errors();
    INFO(load.errors);
    CHECK(load.exit_code == 0);
    CHECK(host.stop() == 0);
    return traced;
}

}  // namespace

TEST_CASE("bpf: every script hears a host under load", "[e2e][tracers]") {
    struct Script {
        const char* file;
        std::vector<const char*> heard;
    };
    const std::vector<Script> all{
        {"tick_lateness.bt", {"@late_us[game relay/", "@ticks[game relay/"}},
        {"event_stages.bt",
         {"@us_1_written_published", "@us_2_published_applied", "@us_3_applied_snapshot",
          "@us_4_snapshot_read", "@us_5_read_sent"}},
        {"wake_chains.bt", {"@wakes[front/0, game relay/", "@wake_to_run_us[front/0]"}},
        {"off_cpu.bt", {"@off_cpu_us[game relay]", "@off_cpu_us[front/0]"}},
        {"slow_clients.bt", {"@taken_us"}},
    };
    std::set<std::string> files;
    for (const auto& entry : fs::directory_iterator(scripts + "bpf")) {
        files.insert(entry.path().filename());
    }
    CHECK(files.size() == all.size());

    const Outcome able = run_program("bpftrace", {"-e", "BEGIN { exit(); }"});
    const bool tracepoints =
        fs::exists("/sys/kernel/tracing/events/sched/sched_switch/format") ||
        fs::exists("/sys/kernel/debug/tracing/events/sched/sched_switch/format");
    for (const Script& script : all) {
        CAPTURE(script.file);
        REQUIRE(files.contains(script.file));
        if (able.exit_code != 0) {
            WARN("bpftrace may not run here, so its scripts are not: " << able.errors);
            return;
        }
        if (std::string(script.file) == "off_cpu.bt" && !tracepoints) {
            WARN("no tracefs here: off_cpu.bt is not run");
            continue;
        }
        // It does not say when it has attached everything: a longer load then.
        Outcome traced;
        bool heard = false;
        for (int seconds = 1; !heard && seconds <= 16; seconds *= 2) {
            traced = trace_under_load(script.file, seconds);
            heard = std::ranges::all_of(script.heard, [&](const char* map) {
                return traced.output.find(map) != std::string::npos;
            });
        }
        INFO(traced.output);
        INFO(traced.errors);
        CHECK(heard);
    }
}

TEST_CASE("profile: stacks of the host's processes are folded, drawn and exported",
          "[e2e][tracers]") {
    const Folder folder;
    const Outcome made = fold("perf_script.txt", folder.path, "--root 100");
    INFO(made.errors);
    REQUIRE(made.exit_code == 0);
    CHECK(
        read_file(folder.path / "profile.folded") ==
        "front/0;main;ringside::FrontServer::publish();__send;do_syscall_64_[k] 2\n"
        "game relay/c;ringside::GameLoop::run() 1\n"
        "game tron/a b;[unknown];[libstripped.so.1] 1\n"
        "game tron/a b;ringside::GameLoop::run();ringside::tron::Match::tick(ringside::Tick) 1\n");
    CHECK(
        made.output.starts_with("5 samples, 5 samples, 7.7 % of frames unknown, "
                                "7.7 % known by their library only."));

    const auto speedscope = nlohmann::json::parse(read_file(folder.path / "speedscope.json"));
    const auto& profile = speedscope.at("profiles").at(0);
    CHECK(profile.at("weights") == nlohmann::json::parse("[2,1,1,1]"));
    const auto& first = profile.at("samples").at(0);
    CHECK(speedscope.at("shared").at("frames").at(first.at(0).get<std::size_t>()).at("name") ==
          "front/0");

    const std::string page = read_file(folder.path / "flame.html");
    CHECK(page.find("ringside::tron::Match::tick") != std::string::npos);
    CHECK(page.find("somebody_else") == std::string::npos);
    for (const char* from_elsewhere : {"src=", "href=", "@import", "url("}) {
        CHECK(page.find(from_elsewhere) == std::string::npos);
    }
}

TEST_CASE("profile: off the CPU, time counts until the process is back", "[e2e][tracers]") {
    const Folder folder;
    const Outcome made = fold("perf_script_off_cpu.txt", folder.path, "--root 100 --off-cpu");
    INFO(made.errors);
    REQUIRE(made.exit_code == 0);
    CHECK(read_file(folder.path / "profile.folded") ==
          "front/0;ringside::FrontServer::sleep();schedule_[k] 3000\n");
}

TEST_CASE("profile: two runs are compared by their parts", "[e2e][tracers]") {
    const Folder folder;
    for (const char* run : {"a", "b"}) {
        fs::create_directories(folder.path / run);
    }
    std::ofstream(folder.path / "a/profile.folded") << "front/0;main;f 50\nfront/0;main;g 50\n";
    std::ofstream(folder.path / "b/profile.folded") << "front/0;main;f 300\nfront/0;main;h 100\n";
    const Outcome compared = run_program(
        scripts + "profile",
        {"diff", folder.path / "a", folder.path / "b", "--out", folder.path / "diff.html"});
    INFO(compared.errors);
    REQUIRE(compared.exit_code == 0);
    CHECK(compared.output.find(" 50.00 % →   0.00 %  -50.00  g\n") != std::string::npos);
    CHECK(compared.output.find(" 50.00 % →  75.00 %  +25.00  f\n") != std::string::npos);
    CHECK(compared.output.find("  0.00 % →  25.00 %  +25.00  h\n") != std::string::npos);
    CHECK(read_file(folder.path / "diff.html").find("\"o\": 50") != std::string::npos);

    CHECK(run_program(scripts + "profile", {"diff", folder.path, folder.path / "b"}).exit_code ==
          1);
    CHECK(run_program(scripts + "profile", {"--seconds", "none"}).exit_code == 2);
}

TEST_CASE("profile: a load is recorded where perf may, and refused with the cure where not",
          "[e2e][tracers]") {
    const NothingLeft nothing_left;
    const Folder folder;
    setenv("RINGSIDE_BIN", RINGSIDE_BIN, 1);
    const Outcome able =
        shell("perf record -e cpu-clock -a -o " + (folder.path / "try").string() + " -- true");
    const std::string out = folder.path / "out";
    const Outcome made = run_program(
        scripts + "profile", {"--no-setup", "--seconds", "2", "--games", "100", "--out", out});
    INFO(made.output);
    INFO(made.errors);
    if (able.exit_code != 0) {
        WARN("perf may not look at this machine: " << able.errors);
        CHECK(made.exit_code == 1);
        CHECK(made.errors.find(able.exit_code == 127 ? "linux-perf" : "perf_event_paranoid") !=
              std::string::npos);
        return;
    }
    REQUIRE(made.exit_code == 0);
    const std::string folded = read_file(out + "/profile.folded");
    CHECK(folded.find("front/0;") != std::string::npos);
    CHECK(folded.find("ringside::") != std::string::npos);
    CHECK(read_file(out + "/flame.html").find("front/0") != std::string::npos);

    const Outcome waits =
        run_program(scripts + "profile",
                    {"--no-setup", "--seconds", "2", "--games", "4", "--off-cpu", "--out", out});
    INFO(waits.output);
    INFO(waits.errors);
    REQUIRE(waits.exit_code == 0);
    CHECK(read_file(out + "/profile.folded").find("game tron/") != std::string::npos);
}
