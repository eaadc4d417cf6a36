// What a host counts, read from outside: while it runs, while it is stopped, and when it is dead.

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "host_facts.hpp"
#include "player.hpp"
#include "program.hpp"
#include "served_host.hpp"
#include "tests/ipc/process_watch.hpp"

#include "ringside/core/statistics.hpp"
#include "ringside/net/client.hpp"

using namespace ringside;
using namespace ringside::test;

namespace {

using Json = nlohmann::json;

Outcome look(const std::string& instance, std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--instance", instance});
    return run(arguments);
}

Json stat_of(const std::string& instance, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"stat", "--json"});
    const Outcome outcome = look(instance, more);
    INFO(outcome.errors);
    REQUIRE(outcome.exit_code == 0);
    return Json::parse(outcome.output);
}

Json game_of(const std::string& instance, const std::string& game) {
    return stat_of(instance, {"--game", game});
}

/// What a number of the fronts is, all of them together.
std::uint64_t of_fronts(const Json& stat, const char* name) {
    std::uint64_t sum = 0;
    for (const Json& front : stat.at("fronts")) {
        sum += front.at(name).get<std::uint64_t>();
    }
    return sum;
}

/// Two players in a race that goes on without them.
struct Race {
    explicit Race(const ServedHost& host, const std::string& game)
        : first(host.endpoint()), second(host.endpoint()) {
        REQUIRE(first.join(game, {.width = 128, .height = 128, .seats = 2, .tick_ms = 10}).seat ==
                0u);
        REQUIRE(second.join(game, {.width = 128, .height = 128, .seats = 2, .tick_ms = 10}).seat ==
                1u);
        first.press(tron::Key::insert);
        second.press(tron::Key::insert);
        watch_until(first,
                    [](const tron::View& view) { return view.phase != tron::MatchPhase::waiting; });
    }
    Player first;
    Player second;
};

/// The files of an instance, with their sizes and times of change.
std::map<std::string, std::pair<std::uintmax_t, std::filesystem::file_time_type>> files_of(
    const std::string& instance) {
    std::map<std::string, std::pair<std::uintmax_t, std::filesystem::file_time_type>> files;
    for (const auto& entry : std::filesystem::directory_iterator(instance_directory(instance))) {
        if (entry.is_regular_file()) {
            files[entry.path()] = {entry.file_size(), entry.last_write_time()};
        }
    }
    return files;
}

/// What every look at this instance must show, however its host is.
void expect_readable(const std::string& instance, const std::string& life,
                     const std::string& game) {
    INFO(life);
    const auto files = files_of(instance);
    const Json stat = stat_of(instance);
    CHECK(stat.at("life") == life);
    REQUIRE(stat.at("games").size() == 1);
    CHECK(stat.at("games")[0].at("name") == game);
    CHECK(stat.at("types")[0].at("games") == 1);
    CHECK(stat.at("host").at("games_created") == 1);
    CHECK(of_fronts(stat, "accepts") >= 2);
    CHECK(of_fronts(stat, "messages_in") >= 4);  // Hello and Join of each
    const Json alone = game_of(instance, game);
    CHECK(alone.at("events_applied") >= 4);  // a join and a key of each
    CHECK(alone.at("snapshots") >= 1);
    CHECK(alone.at("snapshot_bytes_high") >= alone.at("snapshot_bytes"));
    const Outcome text = look(instance, {"stat"});
    CHECK(text.exit_code == 0);
    CHECK(text.output.find("host '" + instance + "' " + life) == 0);
    CHECK(text.output.find(game) != std::string::npos);
    const Outcome alone_text = look(instance, {"stat", "--game", game});
    CHECK(alone_text.exit_code == 0);
    CHECK(alone_text.output.find("game '" + game + "'") == 0);
    CHECK(look(instance, {"errors"}).exit_code == 0);
    CHECK(look(instance, {"stat", "--game", "nobody"}).exit_code == 1);
    if (life != "running") {
        CHECK(files_of(instance) == files);
    }
}

/// Sends a signal to every process of a host and waits until each is stopped.
void stop_all(ServedHost& host) {
    std::vector<pid_t> all{host.program().pid()};
    for (const pid_t child : children_of(all.front())) {
        all.push_back(child);
    }
    for (const pid_t each : all) {
        REQUIRE(kill(each, SIGSTOP) == 0);
    }
    for (const pid_t each : all) {
        wait_until_stopped(each);
    }
}

void go_on(ServedHost& host) {
    const pid_t supervisor = host.program().pid();
    for (const pid_t child : children_of(supervisor)) {
        kill(child, SIGCONT);
    }
    kill(supervisor, SIGCONT);
}

}  // namespace

TEST_CASE("stat: tells of a running, a stopped and a dead host alike", "[e2e][stat]") {
    const NothingLeft nothing_left;
    if (!statistics_enabled) {
        return;  // nothing is counted
    }
    const std::string instance = new_instance();
    std::uint64_t ticks = 0;
    {
        ServedHost host({"--fronts", "2"}, instance);
        Race race(host, "open-book");
        REQUIRE(eventually(
            [&] { return game_of(instance, "open-book").at("late_ns").at("count") >= 5; }));
        expect_readable(instance, "running", "open-book");

        stop_all(host);
        expect_readable(instance, "stopped", "open-book");
        const Json before = game_of(instance, "open-book");
        Json after = game_of(instance, "open-book");
        after["age_s"] = before.at("age_s");
        CHECK(before == after);  // nothing moves
        go_on(host);

        const pid_t processes[]{host.process("front/0"), host.process("front/1"),
                                host.game_process("open-book")};
        host.program().signal(SIGKILL);
        CHECK(host.program().wait() == -SIGKILL);
        for (const pid_t process : processes) {
            wait_until_gone(process);
        }
        expect_readable(instance, "dead", "open-book");
        const Json game = game_of(instance, "open-book");
        ticks = game.at("ticks");
        CHECK(ticks >= before.at("ticks"));
        // Every tick was timed, but for one that died with the process.
        const std::uint64_t late = game.at("late_ns").at("count");
        const std::uint64_t timed = game.at("tick_time_ns").at("count");
        CHECK(late >= timed);
        CHECK(late <= timed + 1);
    }
    ServedHost next({"--fresh"}, instance);
    const Json stat = stat_of(instance);
    CHECK(stat.at("games").empty());
    CHECK(stat.at("host").at("games_created") == 0);
    CHECK(of_fronts(stat, "messages_in") == 0);
    CHECK(next.stop() == 0);
    CHECK(look(instance, {"stat"}).exit_code == 1);
}

TEST_CASE("stat: numbers go on when processes die and are replaced", "[e2e][stat]") {
    const NothingLeft nothing_left;
    if (!statistics_enabled) {
        return;
    }
    ServedHost host;
    Race race(host, "phoenix");
    const Json before = game_of(host.instance(), "phoenix");
    for (int death = 0; death < 2; ++death) {
        const pid_t game = host.game_process("phoenix");
        kill(game, SIGKILL);
        REQUIRE(eventually([&] {
            const pid_t next = host.find_game_process("phoenix");
            return next != 0 && next != game;
        }));
    }
    const pid_t front = host.process("front/0");
    kill(front, SIGKILL);
    REQUIRE(eventually([&] {
        const Json stat = stat_of(host.instance());
        return stat.at("host").at("deaths").at("front") == 1 &&
               stat.at("fronts").at(0).at("pid") != front && stat.at("fronts").at(0).at("pid") != 0;
    }));
    race.first.come_back();
    REQUIRE(eventually(
        [&] { return stat_of(host.instance()).at("host").at("restore_ns").at("count") == 2; }));
    const Json stat = stat_of(host.instance());
    CHECK(stat.at("host").at("deaths").at("game") == 2);
    CHECK(stat.at("host").at("restores") == 2);
    CHECK(of_fronts(stat, "accepts") >= 3);  // two of the front that died, one of the next
    const Json after = game_of(host.instance(), "phoenix");
    CHECK(after.at("restarts") == 2);
    CHECK(after.at("events_applied") >= before.at("events_applied"));
    CHECK(after.at("ticks") >= before.at("ticks"));

    const Outcome errors = look(host.instance(), {"errors", "--json"});
    std::map<std::string, int> counts;
    const Json kept = Json::parse(errors.output);
    for (const Json& error : kept.at("errors")) {
        counts[error.at("text")] = error.at("count");
    }
    const auto count_of = [&](const std::string& part) {
        const auto found = std::ranges::find_if(
            counts, [&](const auto& each) { return each.first.find(part) != std::string::npos; });
        return found == counts.end() ? 0 : found->second;
    };
    INFO(errors.output);
    CHECK(count_of("killed by signal 9") == 2);
    CHECK(count_of("front 0 died") == 1);
    CHECK(host.stop() == 0);
}

TEST_CASE("stat: sums up what ended, was refused and was closed", "[e2e][stat]") {
    const NothingLeft nothing_left;
    if (!statistics_enabled) {
        return;
    }
    ServedHost host({"--games-max", "1"});
    {
        Player player(host.endpoint());
        REQUIRE(player.join("only").seat == 0u);
        Player other(host.endpoint());
        CHECK_FALSE(other.join("one-too-many").seat.has_value());
        CHECK(stat_of(host.instance()).at("fronts").at(0).at("sessions") == 2);
        player.leave();
        CHECK(player.left() == LeaveReason::left);
    }
    REQUIRE(eventually([&] {
        const Json stat = stat_of(host.instance());
        return stat.at("host").at("games") == 0 &&
               stat.at("fronts").at(0).at("closes").at("client") == 2;
    }));
    const Json stat = stat_of(host.instance());
    CHECK(stat.at("host").at("games_ended").at("rules") == 1);
    CHECK(stat.at("host").at("games_refused").at("no_room") == 1);
    CHECK(stat.at("fronts").at(0).at("sessions") == 0);
    CHECK(stat.at("fronts").at(0).at("bytes_in") > 0);
    CHECK(stat.at("fronts").at(0).at("messages_out") >= 4);
    CHECK(look(host.instance(), {"errors"}).output.find("all 1 games") != std::string::npos);
    CHECK(host.stop() == 0);
}

TEST_CASE("stat --watch: prints until its host has gone", "[e2e][stat]") {
    const NothingLeft nothing_left;
    ServedHost host;
    Program watching({"stat", "--watch", "--instance", host.instance()});
    CHECK(watching.first_line().find("TICKS/s") != std::string::npos);
    CHECK(host.stop() == 0);
    CHECK(watching.wait() == 0);
    CHECK(watching.errors().find("is gone") != std::string::npos);
}

TEST_CASE("tap: tells every event and view of a game, to the end", "[e2e][tap]") {
    const NothingLeft nothing_left;
    ServedHost host;
    Player player(host.endpoint());
    REQUIRE(player.join("tapped", {.width = 30, .height = 20, .seats = 2}).seat == 0u);
    Program tap({"tap", "--game", "tapped", "--instance", host.instance()});
    const Json first = Json::parse(tap.first_line());
    CHECK(first.at("view").at("width") == 30);
    CHECK(first.at("roster").size() == 1);
    player.press(tron::Key::insert);
    watch_until(player, [&](const tron::View&) { return player.applied() == 1; });
    player.leave();
    CHECK(player.left() == LeaveReason::left);
    INFO(tap.errors());
    CHECK(tap.wait() == 0);

    std::istringstream lines(tap.output());
    std::string line;
    std::vector<std::string> keys;
    Json last = first;
    while (std::getline(lines, line)) {
        const Json next = Json::parse(line);
        CHECK(next.at("sequence").get<std::uint64_t>() >= last.at("sequence"));
        CHECK(next.at("missed") == 0);
        for (const Json& event : next.at("events")) {
            if (event.at("call") == "input") {
                CHECK(event.at("seat") == 0);
                keys.push_back(event.at("key"));
            }
        }
        last = next;
    }
    CHECK(keys == std::vector<std::string>{"insert"});
    CHECK(last.at("ended") == true);
    CHECK(host.stop() == 0);
}

TEST_CASE("tap: of a game of a dead host it tells what is there", "[e2e][tap]") {
    const NothingLeft nothing_left;
    const std::string instance = new_instance();
    {
        ServedHost host({}, instance);
        Player player(host.endpoint());
        REQUIRE(player.join("doomed").seat == 0u);
        const pid_t game = host.game_process("doomed");
        host.program().signal(SIGKILL);
        CHECK(host.program().wait() == -SIGKILL);
        wait_until_gone(game);
    }
    const Outcome tapped = look(instance, {"tap", "--game", "doomed"});
    CHECK(tapped.exit_code == 0);
    CHECK(Json::parse(last_line(tapped.output)).at("players") == 1);
    ServedHost next({"--fresh"}, instance);
    CHECK(next.stop() == 0);
}
