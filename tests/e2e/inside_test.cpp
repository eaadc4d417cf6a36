// What a host tells of itself without being asked: names of its processes, and what they did last.

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>

#include "player.hpp"
#include "program.hpp"
#include "served_host.hpp"
#include "tests/ipc/process_watch.hpp"

using namespace ringside;
using namespace ringside::test;

namespace {

std::vector<nlohmann::json> objects_of(const std::string& lines) {
    std::vector<nlohmann::json> objects;
    std::istringstream in(lines);
    for (std::string line; std::getline(in, line);) {
        objects.push_back(nlohmann::json::parse(line));
    }
    return objects;
}

std::vector<nlohmann::json> dump_of(const std::string& instance,
                                    std::vector<std::string> flags = {}) {
    flags.insert(flags.begin(), {"dump", "--json", "--instance", instance});
    const Outcome dumped = run(flags);
    INFO(dumped.errors);
    REQUIRE(dumped.exit_code == 0);
    return objects_of(dumped.output);
}

/// "front/0: accept" and so on.
std::set<std::string> kinds_of(const std::vector<nlohmann::json>& objects) {
    std::set<std::string> kinds;
    for (const auto& each : objects) {
        kinds.insert(each.at("process").get<std::string>() + ": " +
                     each.at("what").get<std::string>());
    }
    return kinds;
}

std::string title_of(pid_t pid) {
    std::string title;
    std::getline(std::ifstream(fmt::format("/proc/{}/cmdline", pid)), title, '\0');
    return title;
}

std::string comm_of(pid_t pid) {
    std::string comm;
    std::getline(std::ifstream(fmt::format("/proc/{}/comm", pid)), comm);
    return comm;
}

/// Plays a few ticks of a game for one.
void race(Player& player, const std::string& game) {
    REQUIRE(player.join(game, {.seats = 1}).seat == 0u);
    player.press(tron::Key::insert);
    watch_until(player,
                [](const tron::View& view) { return view.phase == tron::MatchPhase::started; });
}

}  // namespace

TEST_CASE("inside: processes are called by what they are", "[e2e][inside]") {
    const NothingLeft nothing_left;
    ServedHost host;
    Player player(host.endpoint());
    REQUIRE(player.join("simplistic-trail", {.seats = 2}).seat == 0u);
    const pid_t game = host.game_process("simplistic-trail");
    CHECK(title_of(game) == "game tron/simplistic-trail");
    CHECK(comm_of(game) == "game tron/simpl");
    CHECK(title_of(host.process("front/0")) == "front/0");
    CHECK(comm_of(host.process("front/0")) == "front/0");
    CHECK(title_of(host.process("nursery/tron")) == "nursery/tron");
    CHECK(title_of(host.program().pid()) == "supervisor");
    CHECK(host.stop() == 0);
}

TEST_CASE("inside: a dump has what each process did, by time, also when all were killed",
          "[e2e][inside]") {
    const NothingLeft nothing_left;
    ServedHost host;
    Player player(host.endpoint());
    race(player, "arena");
    const auto first = dump_of(host.instance());
    const std::set<std::string> kinds = kinds_of(first);
    for (const char* kind :
         {"supervisor: fork", "supervisor: game_open", "front/0: accept", "front/0: session_open",
          "front/0: frame", "front/0: input", "front/0: event_published", "front/0: snapshot_read",
          "front/0: send", "front/0: sent", "game tron/arena: event_applied",
          "game tron/arena: tick_begin", "game tron/arena: tick_end",
          "game tron/arena: snapshot_published"}) {
        CAPTURE(kind);
        CHECK(kinds.contains(kind));
    }
    std::int64_t before_ns = 0;
    std::map<std::string, std::int64_t> tick;
    for (const auto& each : first) {
        CHECK(each.at("ns").get<std::int64_t>() >= before_ns);
        before_ns = each.at("ns");
        if (each.at("what") == "tick_begin") {
            auto& last = tick[each.at("process")];
            CHECK(each.at("tick").get<std::int64_t>() > last);
            last = each.at("tick");
        }
    }

    const pid_t game = host.game_process("arena");
    const pid_t front = host.process("front/0");
    host.program().signal(SIGKILL);
    CHECK(host.program().wait() == -SIGKILL);
    wait_until_gone(game);
    wait_until_gone(front);
    const auto last = dump_of(host.instance());
    const std::set<std::string> left = kinds_of(last);
    CHECK(left.contains("supervisor: game_open"));
    CHECK(left.contains("front/0: accept"));
    CHECK(left.contains("game tron/arena: tick_end"));
    for (const auto& each : dump_of(host.instance(), {"-G", "arena"})) {
        CHECK(each.at("process") == "game tron/arena");
    }
    CHECK(run({"dump", "-G", "nowhere", "--instance", host.instance()}).exit_code == 1);

    ServedHost next({"--fresh"}, host.instance());
    CHECK(next.stop() == 0);
    CHECK(run({"dump", "--instance", host.instance()}).errors.find("no host named") !=
          std::string::npos);
}

TEST_CASE("inside: a crash leaves a file of what happened before it", "[e2e][inside]") {
    const NothingLeft nothing_left;
    namespace fs = std::filesystem;
    const fs::path folder = fs::temp_directory_path() / ("ringside-" + new_instance());
    fs::create_directories(folder);
    ServedHost host({"--flight-dir", folder});
    Player player(host.endpoint());
    race(player, "arena");
    const pid_t game = host.game_process("arena");
    REQUIRE(kill(game, SIGKILL) == 0);
    REQUIRE(eventually([&] {
        const pid_t next = host.find_game_process("arena");
        return next != 0 && next != game;
    }));
    std::vector<fs::path> files(fs::directory_iterator(folder), {});
    REQUIRE(files.size() == 1);
    CHECK(files[0].extension() == ".jsonl");
    std::ostringstream text;
    text << std::ifstream(files[0]).rdbuf();
    bool died = false;
    for (const auto& each : objects_of(text.str())) {
        died = died || (each.at("what") == "death" && each.at("whom") == "game tron/arena" &&
                        each.at("pid") == game && each.at("status") == SIGKILL);
    }
    CHECK(died);
    CHECK(host.stop() == 0);
    CHECK(host.program().errors().find(files[0].string()) != std::string::npos);
    fs::remove_all(folder);
    CHECK(run({"serve", "--flight-dir", folder, "--listen", "127.0.0.1:0", "--instance",
               new_instance()})
              .errors.find("--flight-dir") != std::string::npos);
    CHECK(run({"serve", "--flight-late", "5"}).exit_code == 2);
}

TEST_CASE("inside: a late tick leaves a file of what happened before it", "[e2e][inside]") {
    const NothingLeft nothing_left;
    namespace fs = std::filesystem;
    const fs::path folder = fs::temp_directory_path() / ("ringside-" + new_instance());
    fs::create_directories(folder);
    ServedHost host({"--flight-dir", folder, "--flight-late", "20"});
    Player player(host.endpoint());
    // Large enough to race through for some seconds.
    REQUIRE(player.join("arena", {.width = 128, .height = 128, .seats = 1, .tick_ms = 50}).seat ==
            0u);
    player.press(tron::Key::insert);
    const pid_t game = host.game_process("arena");
    REQUIRE(eventually([&] {
        constexpr int several_ticks_ms = 200;
        kill(game, SIGSTOP);
        wait_until_stopped(game);
        poll(nullptr, 0, several_ticks_ms);
        kill(game, SIGCONT);
        return fs::directory_iterator(folder) != fs::directory_iterator();
    }));
    CHECK(host.stop() == 0);
    CHECK(host.program().errors().find("game 'arena' was 20 ms late: see ") != std::string::npos);
    fs::remove_all(folder);
}

TEST_CASE("inside: the stages of an input add up to what its client measured", "[e2e][inside]") {
    const NothingLeft nothing_left;
    namespace fs = std::filesystem;
    const fs::path file = fs::temp_directory_path() / ("ringside-" + new_instance() + ".json");
    ServedHost host({"--trace-every", "1"});
    Program bots({"bot", "--games", "4", "--players", "4", "--forever", "-P", host.port()});
    Outcome traced;
    // Until bots have raced while it looked.
    REQUIRE(eventually([&] {
        fs::remove(file);
        traced = run({"trace", "--seconds", "2", "--json", "--perfetto", file, "--instance",
                      host.instance()});
        return traced.exit_code == 0 && nlohmann::json::parse(traced.output).at("from_client");
    }));
    const auto table = nlohmann::json::parse(traced.output);
    INFO(traced.output);
    REQUIRE(table.at("events") > 0);
    REQUIRE(table.at("stages").size() == 10);
    const double end_to_end_us = table.at("end_to_end").at("mean_us");
    double sum_us = 0;
    for (const auto& stage : table.at("stages")) {
        CHECK(stage.at("mean_us").get<double>() > -0.05 * end_to_end_us);
        sum_us += stage.at("mean_us").get<double>();
    }
    CHECK(sum_us == Approx(end_to_end_us).epsilon(0.05));
    CHECK(table.at("sum_us").get<double>() == Approx(sum_us));
    CHECK(table.at("stages").at(2).at("name") == "event ring");

    const auto timeline = nlohmann::json::parse(std::ifstream(file));
    std::map<int, std::string> processes;
    std::map<std::string, int> slices;
    std::map<int, std::string> flows;
    std::map<std::pair<int, int>, std::vector<std::pair<double, double>>> spans;
    for (const auto& each : timeline.at("traceEvents")) {
        const std::string phase = each.at("ph");
        if (each.at("name") == "process_name") {
            processes[each.at("pid")] = each.at("args").at("name");
        } else if (phase == "X") {
            CHECK(each.at("dur").get<double>() >= 0);
            const std::string name = each.at("name");
            ++slices[name.substr(0, name.find(' '))];
            spans[{each.at("pid"), each.at("tid")}].emplace_back(
                each.at("ts"), each.at("ts").get<double>() + each.at("dur").get<double>());
        } else if (phase == "s" || phase == "t" || phase == "f") {
            flows[each.at("id")] += phase;
            const double at = each.at("ts");
            const auto& around = spans[{each.at("pid"), each.at("tid")}];
            CHECK(std::ranges::any_of(
                around, [&](const auto& span) { return span.first <= at && at <= span.second; }));
        }
    }
    for (const char* name : {"tick", "snapshot", "input", "view"}) {
        CAPTURE(name);
        CHECK(slices[name] > 0);
    }
    std::set<std::string> kinds;
    for (const auto& [pid, name] : processes) {
        kinds.insert(name.substr(0, name.find('/')));
    }
    CHECK(kinds == std::set<std::string>{"supervisor", "front", "game tron", "clients"});
    CHECK(!flows.empty());
    for (const auto& [id, way] : flows) {
        CHECK((way == "sttf" || way == "stf"));
    }

    CHECK(run({"trace", "--session", "17", "--instance", host.instance()}).exit_code == 1);
    CHECK(run({"trace", "--seconds", "0", "--session", "00000000000000ff", "--instance",
               host.instance()})
              .errors.find("no input has gone") != std::string::npos);
    bots.signal(SIGTERM);
    bots.wait();
    CHECK(host.stop() == 0);
    fs::remove(file);
}
