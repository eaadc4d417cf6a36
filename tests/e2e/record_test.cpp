// Recorded matches, by the real program: what is recorded is what was played, whatever happened.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "player.hpp"
#include "program.hpp"
#include "served_host.hpp"
#include "tests/ipc/process_watch.hpp"
#include "tmux.hpp"

#include "ringside/core/recording.hpp"
#include "ringside/core/recording_generated.h"

namespace fs = std::filesystem;
using namespace ringside;
using namespace ringside::test;

namespace {

/// A folder that goes away with the test.
class Folder {
public:
    Folder() : path_(fs::temp_directory_path() / ("ringside-" + instance_prefix() + "recordings")) {
        fs::remove_all(path_);
        fs::create_directory(path_);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path_); }
    [[nodiscard]] const fs::path& path() const { return path_; }
    [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }

private:
    fs::path path_;
};

std::string content(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

bool says(const Outcome& outcome, const std::string& text) {
    return (outcome.output + outcome.errors).find(text) != std::string::npos;
}

std::string only_game(const ServedHost& host) {
    std::string name;
    REQUIRE(eventually([&] {
        const auto games = list_games(host.port());
        name = games.empty() ? "" : games.front().name;
        return !name.empty();
    }));
    return name;
}

/// A match of two bots, recorded by `ringside record` while its process is killed now and then.
void record_match(ServedHost& host, const std::string& path, int kills) {
    const Program bots(
        {"bot", "-P", host.port(), "--games", "1", "--players", "2", "-W", "20", "-H", "12"});
    const std::string game = only_game(host);
    Program recorder({"record", game, "--instance", host.instance(), "-o", path});
    for (int killed = 0; killed < kills;) {
        const pid_t pid = host.find_game_process(game);
        if (pid == 0) {
            break;  // it is over
        }
        kill(pid, SIGKILL);
        wait_until_gone(pid);
        ++killed;
        CHECK(eventually([&] {
            const pid_t next = host.find_game_process(game);
            return (next != 0 && next != pid) || list_games(host.port()).empty();
        }));
    }
    CHECK(recorder.wait() == 0);
    INFO(recorder.output() << recorder.errors());
    CHECK(recorder.output().find(" 0 gaps, ") != std::string::npos);
    CHECK(recorder.output().find("; the game ended\n") != std::string::npos);
}

}  // namespace

TEST_CASE("record: a match whose process dies is recorded without a gap", "[e2e][record]") {
    const NothingLeft nothing_left;
    const Folder folder;
    const std::string path = folder.file("match.replay");
    {
        ServedHost host({"--restores-per-second", "0"});
        record_match(host, path, 20);
        CHECK(host.stop() == 0);
    }
    const std::string whole = content(path);
    {
        INFO("it is what was played");
        const Outcome verified = run({"replay", "--verify", path});
        INFO(verified.output << verified.errors);
        CHECK(verified.exit_code == 0);
        CHECK(says(verified, " 0 gaps: the same states\n"));
    }
    {
        INFO("a file that exists is not written over");
        ServedHost host;
        Player player(host.endpoint());
        REQUIRE(player.join("match", {.seats = 2}).seat.has_value());
        const Outcome again = run({"record", "match", "--instance", host.instance(), "-o", path});
        CHECK(again.exit_code == 1);
        CHECK(says(again, "File exists"));
        CHECK(content(path) == whole);
        CHECK(host.stop() == 0);
    }
    {
        INFO("one that its recorder could not finish is good up to there");
        write(path, whole.substr(0, whole.size() - 21));
        const Outcome cut = run({"replay", "--verify", path});
        CHECK(cut.exit_code == 0);
        CHECK(says(cut, "its last entry is not whole"));
    }
    std::minstd_rand random(Catch::rngSeed());
    int noticed = 0;
    for (int round = 0; round < 60; ++round) {  // a byte that is not what it was
        std::string damaged = whole;
        const std::size_t at = random() % damaged.size();
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
        write(path, damaged);
        const Outcome outcome = run({"replay", "--verify", path});
        INFO("byte " << at << ": " << outcome.output << outcome.errors);
        REQUIRE((outcome.exit_code >= 0 && outcome.exit_code <= 2));
        noticed += outcome.exit_code != 0 ? 1 : 0;
    }
    CHECK(noticed >= 20);  // much of a file says how its fields lie
    {
        INFO("it can be watched");
        write(path, whole);
        const Tmux tmux;
        const Pane pane(tmux, "replay", {60, 30});
        pane.enter("$R replay " + path);
        pane.expect("replay  tick");
        pane.type(" ");
        pane.expect("paused");
        pane.type("h");
        pane.type("k");
        pane.expect("2x");
        pane.type(" ");
        for (int faster = 0; faster < 4; ++faster) {
            pane.type("k");
        }
        pane.expect("32x  at its end");
        pane.type("hhh");
        pane.expect("paused");
        pane.type("q");
        pane.expect_restored(0);
    }
}

TEST_CASE("record: a host records 100 matches, some of which crash, without a gap",
          "[e2e][record]") {
    const NothingLeft nothing_left;
    const Folder folder;
    constexpr int matches = 100;
    int kills = 0;
    {
        ServedHost host({"--restores-per-second", "0", "--record-dir", folder.file("kept")});
        const Program bots({"bot", "-P", host.port(), "--games", std::to_string(matches),
                            "--players", "2", "-W", "20", "-H", "12"});
        std::minstd_rand random(Catch::rngSeed());
        // The last games left are killed again within a tick. A host gives a game up that is killed
        // 30 times without a step: that is another test's.
        constexpr int kills_of_one_max = 10;
        std::map<std::string, int> kills_of;
        std::vector<ListedGame> games;
        REQUIRE(eventually([&] { return list_games(host.port()).size() == matches; }));
        while (!(games = list_games(host.port())).empty()) {
            const ListedGame& game = games[random() % games.size()];
            const bool again = kills_of[game.name] < kills_of_one_max;
            const pid_t pid =
                again && game.state == "running" ? host.find_game_process(game.name) : 0;
            if (pid != 0 && kill(pid, SIGKILL) == 0) {
                wait_until_gone(pid);
                ++kills_of[game.name];
                ++kills;
            }
        }
        CHECK(host.stop() == 0);
    }
    CHECK(kills > 20);
    int recorded = 0;
    for (const auto& entry : fs::directory_iterator(folder.file("kept"))) {
        if (entry.is_directory()) {
            continue;
        }
        ++recorded;
        const Outcome verified = run({"replay", "--verify", entry.path()});
        INFO(verified.output << verified.errors);
        REQUIRE(verified.exit_code == 0);
        REQUIRE(says(verified, " 0 gaps: the same states\n"));
    }
    CHECK(recorded == matches);
    const auto links = fs::directory_iterator(folder.file("kept/newest"));
    CHECK(std::ranges::count_if(links, [](const auto& link) { return fs::exists(link.path()); }) ==
          matches);
    std::printf("%d matches recorded, %d kills\n", recorded, kills);
}

TEST_CASE("record: a recorder that dies, and a host that dies, leave what can be replayed",
          "[e2e][record]") {
    const NothingLeft nothing_left;
    const Folder folder;
    const std::string kept = folder.file("kept");
    const std::string instance = new_instance();
    const auto recordings = [&](const std::string& extension) {
        std::vector<std::string> found;
        for (const auto& entry : fs::directory_iterator(kept)) {
            std::error_code renamed;  // it may be, in this moment
            const auto bytes = fs::file_size(entry.path(), renamed);
            if (entry.path().extension() == extension && !renamed && bytes > 0) {
                found.push_back(entry.path());
            }
        }
        return found;
    };
    const auto expect_good = [](const std::string& path) {
        const Outcome verified = run({"replay", "--verify", path});
        INFO(path << ": " << verified.output << verified.errors);
        CHECK(verified.exit_code == 0);
    };
    fs::create_directory(kept);
    const auto now = fs::file_time_type::clock::now();
    const auto make = [&](const std::string& name, int days_old, std::size_t bytes) {
        write(folder.file("kept/" + name), std::string(bytes, 'x'));
        fs::last_write_time(folder.file("kept/" + name), now - std::chrono::days(days_old));
    };
    make("too-old.replay", 11, 10);
    make("too-large.replay", 2, 900'000);
    make("young.replay", 1, 900'000);
    make("notes.txt", 99, 10);
    const std::vector<std::string> flags{"--record-dir",  kept, "--record-mib", "1",
                                         "--record-days", "10"};
    {
        ServedHost host(flags, instance);
        CHECK(eventually([&] { return recordings(".replay").size() == 1; }));  // its limits
        CHECK(fs::exists(folder.file("kept/young.replay")));
        CHECK(fs::exists(folder.file("kept/notes.txt")));
        fs::remove(folder.file("kept/young.replay"));

        const Program bots({"bot", "-P", host.port(), "--games", "1", "--players", "2"});
        REQUIRE(eventually([&] { return recordings(".part").size() == 1; }));
        const pid_t recorder = host.process("companion");
        kill(recorder, SIGKILL);
        wait_until_gone(recorder);
        // The next one goes on with the same match, in a file of its own.
        CHECK(eventually(
            [&] { return recordings(".replay").size() == 1 && recordings(".part").size() == 1; }));
        expect_good(recordings(".replay").front());
        const pid_t second = host.process("companion");
        kill(host.program().pid(), SIGKILL);
        host.program().wait();
        wait_until_gone(second);  // by itself
        CHECK(recordings(".part").empty());
        CHECK(recordings(".replay").size() == 2);
    }
    for (const std::string& path : recordings(".replay")) {
        expect_good(path);
    }
    ServedHost next({"--fresh"}, instance);
    CHECK(next.stop() == 0);
    {
        const Outcome nowhere =
            run({"serve", "--listen", "127.0.0.1:0", "--instance", new_instance(), "--record-dir",
                 folder.file("kept/notes.txt")});
        CHECK(nowhere.exit_code == 1);
        CHECK(says(nowhere, "cannot make the folder"));
    }
}

TEST_CASE("record: who comes later is called by name from then on", "[e2e][record]") {
    const NothingLeft nothing_left;
    const Folder folder;
    const std::string path = folder.file("match.replay");
    ServedHost host;
    Player first(host.endpoint());
    REQUIRE(first.join("match", {.seats = 3}).seat == 0u);
    Program recorder({"record", "match", "--instance", host.instance(), "-o", path});
    REQUIRE(eventually([&] { return !content(path).empty(); }));
    {
        Player second(host.endpoint(), "Zo\u00eb\u200b");
        REQUIRE(second.join("match").seat == 1u);
        REQUIRE(eventually([&] { return content(path).find("Zo\u00eb") != std::string::npos; }));
        second.leave();
        REQUIRE(eventually([&] { return list_games(host.port()).front().players == 1; }));
    }
    recorder.signal(SIGINT);
    CHECK(recorder.wait() == 0);
    std::vector<std::vector<std::string>> told;  // each time they change
    const std::string bytes = content(path);
    recording::Reader reader(std::as_bytes(std::span(bytes)));
    while (const recording::Entry* entry = reader.next()) {
        const recording::Frame* frame = entry->content_as_Frame();
        if (frame != nullptr && frame->nicknames() != nullptr) {
            told.emplace_back();
            for (const auto* nickname : *frame->nicknames()) {
                told.back().push_back(nickname->str());
            }
        }
    }
    CHECK(told == std::vector<std::vector<std::string>>{{"", "Zo\u00eb", ""}, {"", "", ""}});
    CHECK(host.stop() == 0);
}

TEST_CASE("record: what cannot be done is said", "[e2e][record]") {
    const NothingLeft nothing_left;
    const Folder folder;
    const std::string path = folder.file("match.replay");
    const Outcome no_host = run({"record", "match", "--instance", new_instance(), "-o", path});
    CHECK(no_host.exit_code == 1);
    CHECK(says(no_host, "no host named"));
    ServedHost host;
    const Outcome no_game = run({"record", "match", "--instance", host.instance(), "-o", path});
    CHECK(no_game.exit_code == 1);
    CHECK(says(no_game, "has no game 'match'"));
    CHECK_FALSE(fs::exists(path));
    {
        Player player(host.endpoint());
        REQUIRE(player.join("match", {.seats = 2}).seat.has_value());
        const Outcome no_folder = run({"record", "match", "--instance", host.instance(), "-o",
                                       folder.file("none/match.replay")});
        CHECK(no_folder.exit_code == 1);
        CHECK(says(no_folder, "cannot make the file"));

        Program recorder({"record", "match", "--instance", host.instance(), "-o", path});
        REQUIRE(eventually([&] { return fs::exists(path) && fs::file_size(path) > 0; }));
        recorder.signal(SIGINT);
        CHECK(recorder.wait() == 0);
        CHECK(recorder.output().find("; the game goes on\n") != std::string::npos);
        const Outcome verified = run({"replay", "--verify", path});
        CHECK(verified.exit_code == 0);
        CHECK(says(verified, "the game went on"));
        const Outcome no_terminal = run({"replay", path});
        CHECK(no_terminal.exit_code == 2);
        CHECK(says(no_terminal, "needs a terminal"));
    }
    CHECK(host.stop() == 0);
}
