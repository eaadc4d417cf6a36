// A real host without a network: supervisor, nursery and game processes, driven through the rings.

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attacks.hpp"
#include "counter_game.hpp"
#include "ipc/process.hpp"
#include "ipc/watchdog.hpp"
#include "process_watch.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/ipc/local_host.hpp"
#include "ringside/ipc/snapshot.hpp"
#include "ringside/relay/relay.hpp"

using namespace ringside;
using ringside::test::CounterInput;
using ringside::test::CounterView;

namespace {

const std::array<const GameType*, 1> types{&test::counter_type()};

std::string unique_instance() {
    static int count = 0;
    return "test-" + std::to_string(getpid()) + "-" + std::to_string(++count);
}

LocalHost start_host(HostOptions options = {}) {
    options.instance = unique_instance();
    options.games_max = std::min(options.games_max, 64u);
    auto host = LocalHost::start(options, types);
    if (!host) {
        FAIL(host.error().text());
    }
    return std::move(*host);
}

// One front's view of one game: the newest snapshot, copied.
class Follower {
public:
    Follower(LocalHost& host, GameId id) : host_(host), link_(open(host, id)) {
        link_.set_following(true);
        copy_.resize((link_.snapshots().payload_bytes_max() + 7) / 8);
    }

    void send(EventKind kind, std::uint32_t session, std::uint32_t number = 0,
              std::vector<std::uint8_t> body = {}) {
        const auto bytes = std::as_bytes(std::span(body));
        write(kind, session, number,
              kind == EventKind::join ? join_body({.key = key_of(session), .nickname = {}}, bytes)
                                      : std::vector(bytes.begin(), bytes.end()));
    }
    void resume(std::uint32_t session, std::uint32_t old_session, const ResumeKey& old_key) {
        const std::array<ResumeCandidate, 2> candidates{
            ResumeCandidate{.session = value(id_of(99)), .key = old_key},  // never let in
            ResumeCandidate{.session = value(id_of(old_session)), .key = old_key}};
        write(EventKind::resume, session, 0, resume_body(key_of(session), candidates));
    }
    void input(std::uint32_t session, std::uint32_t number, CounterInput what) {
        send(EventKind::input, session, number, {static_cast<std::uint8_t>(what)});
    }

    // Waits, on the doorbell, for a snapshot that satisfies. CTest's timeout is the watchdog.
    void until(const std::function<bool(const SnapshotParts&)>& satisfies) {
        BellWord& bell = host_.front().bell();
        for (;;) {
            announce_sleep(bell);
            if (read() && satisfies(*parts_)) {
                stay_awake(bell);
                return;
            }
            wait_until(bell, 10'000'000 + now());
        }
    }

    const SnapshotParts& parts() const { return *parts_; }
    CounterView view() const {
        CounterView view;
        REQUIRE(parts_->view.size() == sizeof(view));
        std::memcpy(&view, parts_->view.data(), sizeof(view));
        return view;
    }
    const RosterEntry* entry(std::uint32_t session) const {
        for (const RosterEntry& found : parts_->roster) {
            if (found.session == value(id_of(session))) {
                return &found;
            }
        }
        return nullptr;
    }
    bool applied(std::uint32_t session, std::uint32_t number) const {
        return entry(session) != nullptr && entry(session)->last_input >= number;
    }
    GameLink& link() { return link_; }

    static SessionId id_of(std::uint32_t session) { return make_session_id(0, 1, session); }
    static ResumeKey key_of(std::uint32_t session) {
        ResumeKey key{};
        key.back() = static_cast<std::byte>(session);
        return key;
    }

    void write(EventKind kind, std::uint32_t session, std::uint32_t number,
               const std::vector<std::byte>& body) {
        const EventHeader header{
            .session = value(id_of(session)), .input_number = number, .body_bytes = 0};
        REQUIRE(link_.try_write(kind, header, body));
        link_.publish();
    }

private:
    static GameLink open(LocalHost& host, GameId id) {
        auto link = host.front().open_game(id);
        if (!link) {
            FAIL(link.error().text());
        }
        return std::move(*link);
    }
    static std::int64_t now() {
        timespec now{};
        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
    }
    bool read() {
        std::size_t bytes = 0;
        if (link_.snapshots().read_newest(std::as_writable_bytes(std::span(copy_)), bytes) ==
            SnapshotRead::record) {
            parts_ = parse_snapshot(std::as_bytes(std::span(copy_)).first(bytes));
        }
        return parts_.has_value();
    }

    LocalHost& host_;
    GameLink link_;
    std::vector<std::uint64_t> copy_;
    std::optional<SnapshotParts> parts_;
};

OpenAnswer open_game(LocalHost& host, const std::string& name,
                     OpenMode mode = OpenMode::find_or_create) {
    return host.open(
        {.request = 7, .name = name, .type = "", .mode = mode, .config = {}, .known_ended = {}});
}

pid_t pid_of(LocalHost& host, GameId id) {
    DirectoryRecord record;
    // A record without a pid means that the nursery's answer is under way.
    while (!host.front().host().games()[id.slot].read(record) || record.pid == 0) {
    }
    return record.pid;
}

bool instance_exists(const std::string& name) {
    return std::filesystem::exists("/dev/shm/ringside-" + name);
}

}  // namespace

TEST_CASE("host: the same name asked twice gives the same game", "[ipc][host]") {
    LocalHost host = start_host();
    const OpenAnswer first = open_game(host, "alpha");
    const OpenAnswer again = open_game(host, "alpha");
    REQUIRE(first.refused == RefuseReason::none);
    REQUIRE(first.created);
    REQUIRE_FALSE(again.created);
    REQUIRE(first.game == again.game);
    REQUIRE(open_game(host, "alpha", OpenMode::create).refused == RefuseReason::name_taken);
    REQUIRE(open_game(host, "beta", OpenMode::find).refused == RefuseReason::no_such_game);
    REQUIRE(open_game(host, "../etc").refused == RefuseReason::bad_name);
}

TEST_CASE("host: what cannot be made is refused by name and number", "[ipc][host]") {
    HostOptions options;
    options.games_max = 2;
    LocalHost host = start_host(options);
    OpenRequest request{.name = "a", .type = "chess", .config = {}, .known_ended = {}};
    REQUIRE(host.open(request).refused == RefuseReason::unknown_type);
    request.type = "counter";
    request.config = {std::byte{9}};
    const OpenAnswer bad = host.open(request);
    REQUIRE(bad.refused == RefuseReason::bad_parameters);
    REQUIRE(bad.text.find("9 is outside 1 to 4") != std::string::npos);
    REQUIRE(open_game(host, "a").refused == RefuseReason::none);
    REQUIRE(open_game(host, "b").refused == RefuseReason::none);
    const OpenAnswer full = open_game(host, "c");
    REQUIRE(full.refused == RefuseReason::no_room);
    REQUIRE(full.text.find("--games-max") != std::string::npos);
}

TEST_CASE("game segment: an event ring is a power of two, within its limits", "[ipc]") {
    GameSegmentPlan plan{};
    plan.seats = 1;
    for (const std::uint32_t bytes : {event_ring_bytes_min, event_ring_bytes_limit}) {
        plan.event_ring_bytes = bytes;
        const auto laid_out = GameSegment::lay_out(plan);
        REQUIRE(laid_out.has_value());
        REQUIRE(laid_out->event_ring_stride >= event_ring_region_bytes(bytes));
    }
    for (const std::uint32_t bytes :
         {0u, event_ring_bytes_min / 2, 3 * event_ring_bytes_min, 2 * event_ring_bytes_limit}) {
        plan.event_ring_bytes = bytes;
        const auto refused = GameSegment::lay_out(plan);
        REQUIRE_FALSE(refused.has_value());
        REQUIRE(refused.error().text().find(std::to_string(bytes)) != std::string::npos);
    }
}

TEST_CASE("host: join, input and leave show in the snapshots", "[ipc][host]") {
    LocalHost host = start_host();
    Follower game(host, open_game(host, "alpha").game);
    game.send(EventKind::join, 1);
    game.until([&](const SnapshotParts&) { return game.entry(1) != nullptr; });
    for (std::uint32_t number = 1; number <= 5; ++number) {
        game.input(1, number, CounterInput::add_one);
    }
    game.until([&](const SnapshotParts&) { return game.applied(1, 5); });
    REQUIRE(game.view().sum == 5);
    game.send(EventKind::join, 2, 0, {0xff});
    game.until([&](const SnapshotParts& parts) { return parts.answers.size() == 1; });
    REQUIRE(game.parts().answers[0].reason ==
            static_cast<std::uint8_t>(RefuseReason::bad_parameters));
    game.link().acknowledge(game.parts().answers[0].number);
    game.send(EventKind::leave, 1);
    game.until(
        [](const SnapshotParts& parts) { return (parts.header.flags & snapshot_ended) != 0; });
    REQUIRE(game.parts().answers.size() == 1);  // the refusal is forgotten, the leave is not
    REQUIRE(game.parts().answers[0].kind == static_cast<std::uint8_t>(AnswerKind::left));
}

TEST_CASE("host: a running game counts how late each of its ticks was", "[ipc][host]") {
    LocalHost host = start_host();
    Follower game(host, open_game(host, "alpha").game);
    game.send(EventKind::join, 1);
    game.input(1, 1, CounterInput::run);
    game.until([&](const SnapshotParts& parts) { return parts.header.tick >= 5; });
    const std::uint64_t ticks = game.parts().header.tick;
    std::uint64_t counted = 0;
    for (const auto& bucket : game.link().lateness().ticks) {
        counted += bucket.load(std::memory_order_relaxed);
    }
    REQUIRE(counted >= ticks);
}

TEST_CASE("host: an input counts once, in order, from its own link", "[ipc][host]") {
    LocalHost host = start_host();
    Follower game(host, open_game(host, "alpha").game);
    game.send(EventKind::join, 1);
    game.input(1, 1, CounterInput::add_one);
    game.input(1, 1, CounterInput::add_one);  // resent
    game.input(1, 3, CounterInput::add_one);  // a gap
    game.input(2, 1, CounterInput::add_one);  // nobody we know
    game.input(1, 2, CounterInput::add_one);
    game.until([&](const SnapshotParts&) { return game.applied(1, 2); });
    REQUIRE(game.view().sum == 2);
}

TEST_CASE("host: a session goes on from another link, and its old one counts no more",
          "[ipc][host]") {
    HostOptions options;
    options.resume_grace = std::chrono::hours(1);
    LocalHost host = start_host(options);
    Follower game(host, open_game(host, "alpha").game);
    const auto answered = [&](std::uint32_t session, AnswerKind kind, auto reason) {
        return std::ranges::any_of(game.parts().answers, [&](const RosterAnswer& answer) {
            return answer.session == value(Follower::id_of(session)) &&
                   answer.kind == static_cast<std::uint8_t>(kind) &&
                   answer.reason == static_cast<std::uint8_t>(reason);
        });
    };
    game.send(EventKind::join, 1);
    game.input(1, 1, CounterInput::add_one);
    game.until([&](const SnapshotParts&) { return game.applied(1, 1); });
    const std::uint8_t seat = game.entry(1)->seat;

    game.send(EventKind::detach, 1);
    game.until([&](const SnapshotParts&) { return game.entry(1)->detached(); });
    game.resume(2, 1, Follower::key_of(9));  // somebody else's
    game.until([&](const SnapshotParts&) {
        return answered(2, AnswerKind::refused, RefuseReason::no_such_session);
    });
    REQUIRE(game.entry(1)->detached());

    game.resume(3, 1, Follower::key_of(1));
    game.input(1, 2, CounterInput::add_one);  // the old link's last word, too late
    game.input(3, 1, CounterInput::add_one);  // sent again: applied before
    game.input(3, 2, CounterInput::add_one);
    game.until([&](const SnapshotParts&) { return game.applied(3, 2); });
    REQUIRE(game.view().sum == 2);
    REQUIRE(game.entry(1) == nullptr);
    REQUIRE(game.entry(3)->seat == seat);
    REQUIRE_FALSE(game.entry(3)->detached());
    REQUIRE_FALSE(answered(1, AnswerKind::left, LeaveReason::moved));

    game.resume(4, 3, Follower::key_of(3));  // from a link that lives
    game.until([&](const SnapshotParts&) { return game.entry(4) != nullptr; });
    REQUIRE(answered(3, AnswerKind::left, LeaveReason::moved));
    game.resume(5, 1, Follower::key_of(1));  // a token is good for one connection
    game.until([&](const SnapshotParts&) {
        return answered(5, AnswerKind::refused, RefuseReason::no_such_session);
    });
    REQUIRE(game.entry(4) != nullptr);
    REQUIRE(game.view().sum == 2);
}

// Its client had asked to join through a front that died, and came back through another one before
// the game has read either: it must not be taken for a stranger, join again and hold two seats.
TEST_CASE("host: a session is found though another front's ring has its join", "[ipc][host]") {
    HostOptions options;
    options.instance = unique_instance();
    options.games_max = 64;
    auto started = LocalHost::start(options, types);
    REQUIRE(started.has_value());
    LocalHost host = std::move(*started);
    const GameId id = open_game(host, "alpha").game;
    Follower game(host, id);
    game.send(EventKind::join, 1);
    game.until([&](const SnapshotParts&) { return game.entry(1) != nullptr; });
    auto other_front = FrontLink::attach({.instance_path = "/dev/shm/ringside-" + options.instance,
                                          .slot = 1,
                                          .epoch = 1,
                                          .control_fd = -1,
                                          .wake_fd = -1});
    REQUIRE(other_front.has_value());
    auto other = other_front->open_game(id);
    REQUIRE(other.has_value());
    const ResumeCandidate lost{.session = value(make_session_id(1, 1, 7)),
                               .key = Follower::key_of(7)};

    const pid_t pid = pid_of(host, id);
    kill(pid, SIGSTOP);
    test::wait_until_stopped(pid);
    game.write(EventKind::resume, 2, 0, resume_body(Follower::key_of(2), {&lost, 1}));
    REQUIRE(other->try_write(EventKind::join,
                             {.session = lost.session, .input_number = 0, .body_bytes = 0},
                             join_body({.key = lost.key, .nickname = {}}, {})));
    other->publish();
    kill(pid, SIGCONT);
    game.until([&](const SnapshotParts&) { return game.entry(2) != nullptr; });
    REQUIRE(game.parts().roster.size() == 2);
    REQUIRE(game.parts().answers.size() == 1);
    REQUIRE(game.parts().answers[0].kind == static_cast<std::uint8_t>(AnswerKind::left));
    REQUIRE(game.parts().answers[0].session == lost.session);  // not refused: moved
    REQUIRE(game.entry(2)->seat != game.entry(1)->seat);
}

TEST_CASE("host: a detached session keeps its seat through its game's death, not for ever",
          "[ipc][host][crash]") {
    HostOptions options;
    options.resume_grace = std::chrono::milliseconds(500);
    LocalHost host = start_host(options);
    const GameId id = open_game(host, "alpha").game;
    Follower game(host, id);
    game.send(EventKind::join, 1);
    game.send(EventKind::join, 2);
    game.until([&](const SnapshotParts&) { return game.entry(2) != nullptr; });
    game.send(EventKind::detach, 1);
    game.until([&](const SnapshotParts&) { return game.entry(1)->detached(); });
    kill(pid_of(host, id), SIGKILL);
    game.input(2, 1, CounterInput::add_one);
    game.until([&](const SnapshotParts&) { return game.applied(2, 1); });
    // Parked all the while: it wakes for this alone.
    game.until([&](const SnapshotParts&) { return game.entry(1) == nullptr; });
    REQUIRE(game.entry(2) != nullptr);
    REQUIRE(game.parts().header.players == 1);
}

TEST_CASE("host: answers wait for their acknowledgement and hold back further joins",
          "[ipc][host]") {
    LocalHost host = start_host();
    Follower game(host, open_game(host, "alpha").game);
    game.send(EventKind::join, 1);
    for (std::uint32_t session = 2; session < 2 + answers_max; ++session) {
        game.send(EventKind::join, session, 0, {0xff});
    }
    game.until([](const SnapshotParts& parts) { return parts.answers.size() == answers_max; });
    game.send(EventKind::join, 500);
    game.link().acknowledge(10);
    game.until([&](const SnapshotParts&) { return game.entry(500) != nullptr; });
    REQUIRE(game.parts().answers.size() == answers_max - 10);
    REQUIRE(game.parts().answers.front().number == 11);
}

TEST_CASE("host: a killed game goes on from its last snapshot", "[ipc][host][crash]") {
    LocalHost host = start_host();
    const GameId id = open_game(host, "alpha").game;
    Follower game(host, id);
    game.send(EventKind::join, 1);
    game.input(1, 1, CounterInput::run);
    std::uint32_t number = 1;
    for (int round = 0; round < 20; ++round) {
        const std::uint32_t sent = number + 10;
        game.until([&](const SnapshotParts&) { return game.applied(1, number); });
        const pid_t killed = pid_of(host, id);
        for (; number < sent; ++number) {
            game.input(1, number + 1, CounterInput::add_one);
        }
        kill(killed, SIGKILL);
        const std::uint64_t ticks = game.view().ticks;
        game.until([&](const SnapshotParts&) {
            return game.applied(1, number) && game.view().ticks > ticks;
        });
        REQUIRE(game.view().sum == 100 + number - 1);
        REQUIRE(game.view().joins == 1);
    }
}

TEST_CASE("host: an event that kills its game three times is skipped, the rest is not",
          "[ipc][host][crash]") {
    LocalHost host = start_host();
    Follower game(host, open_game(host, "alpha").game);
    game.send(EventKind::join, 1);
    game.until([&](const SnapshotParts&) { return game.entry(1) != nullptr; });
    game.input(1, 1, CounterInput::add_one);
    game.input(1, 2, CounterInput::crash);
    game.input(1, 3, CounterInput::add_one);
    game.until([&](const SnapshotParts&) { return game.applied(1, 3); });
    REQUIRE(game.view().sum == 2);
    REQUIRE(game.parts().answers.size() == 1);  // its session is told
    REQUIRE(game.parts().answers[0].kind == static_cast<std::uint8_t>(AnswerKind::input_dropped));
    REQUIRE(game.parts().answers[0].session == value(Follower::id_of(1)));
}

TEST_CASE("host: games that crash too often are restored one after the other",
          "[ipc][host][crash]") {
    HostOptions options;
    options.restores_per_second = 1;  // 20 at once
    LocalHost host = start_host(options);
    const GameId id = open_game(host, "alpha").game;
    Follower game(host, id);
    game.send(EventKind::join, 1);
    game.until([&](const SnapshotParts&) { return game.entry(1) != nullptr; });
    const std::int64_t began_ns = monotonic_ns();
    for (std::uint32_t number = 1; number <= 22; ++number) {
        kill(pid_of(host, id), SIGKILL);
        game.input(1, number, CounterInput::add_one);
        game.until([&](const SnapshotParts&) { return game.applied(1, number); });
    }
    REQUIRE(game.view().sum == 22);
    REQUIRE(monotonic_ns() - began_ns >= 2'000'000'000);  // the last two have waited
}

// It has nothing to do, so no death of it comes after progress; none of them is its own either.
TEST_CASE("host: a game that others kill again and again is restored each time",
          "[ipc][host][crash]") {
    HostOptions options;
    options.restores_per_second = 0;
    LocalHost host = start_host(options);
    const GameId id = open_game(host, "alpha").game;
    Follower game(host, id);
    game.send(EventKind::join, 1);
    game.until([&](const SnapshotParts&) { return game.entry(1) != nullptr; });
    for (int deaths = 0; deaths < 20; ++deaths) {
        const pid_t pid = pid_of(host, id);
        kill(pid, SIGKILL);
        test::wait_until_gone(pid);
        while (pid_of(host, id) == pid) {
            sched_yield();
        }
    }
    game.input(1, 1, CounterInput::add_one);
    game.until([&](const SnapshotParts&) { return game.applied(1, 1); });
    REQUIRE(game.view().sum == 1);
}

TEST_CASE("host: a game that hangs is killed; an event it hangs on is skipped",
          "[ipc][host][crash]") {
    LocalHost host = start_host();
    const GameId id = open_game(host, "alpha").game;
    Follower game(host, id);
    game.send(EventKind::join, 1);
    game.until([&](const SnapshotParts&) { return game.entry(1) != nullptr; });
    kill(pid_of(host, id), SIGSTOP);
    game.input(1, 1, CounterInput::add_one);  // waits for it
    game.until([&](const SnapshotParts&) { return game.applied(1, 1); });
    game.input(1, 2, CounterInput::hang);
    game.input(1, 3, CounterInput::add_one);
    game.until([&](const SnapshotParts&) { return game.applied(1, 3); });
    REQUIRE(game.view().sum == 2);
    REQUIRE(game.link().status().dropped_events.load() == 1);
    game.input(1, 4, CounterInput::run);
    game.until([&](const SnapshotParts& parts) { return parts.header.tick > 3; });
    const pid_t racing = pid_of(host, id);
    kill(racing, SIGSTOP);  // nobody asks it anything: its tick is late
    test::wait_until_gone(racing);
    const std::uint64_t tick = game.parts().header.tick;
    game.until([&](const SnapshotParts& parts) { return parts.header.tick > tick + 3; });
    REQUIRE(game.view().sum == 2 + static_cast<int>(CounterInput::run));
}

TEST_CASE("host: a table of bans holds 256 addresses until their time is over", "[ipc][host]") {
    const std::string path = "/dev/shm/ringside-" + unique_instance() + "-bans";
    auto host = HostSegment::create(path, 1);
    std::filesystem::remove(path);
    REQUIRE(host.has_value());
    HostSegmentLayout& layout = host->layout();
    CHECK_FALSE(is_banned(layout, 0, 1));  // a Unix socket
    for (std::uint64_t address = 1; address <= bans_max; ++address) {
        REQUIRE(ban(layout, address, 100, 1));
        REQUIRE(ban(layout, address, 200, 1));  // for longer
    }
    CHECK_FALSE(ban(layout, 1000, 100, 1));
    CHECK(is_banned(layout, 7, 199));
    CHECK_FALSE(is_banned(layout, 7, 200));
    CHECK_FALSE(is_banned(layout, 1000, 1));
    CHECK(ban(layout, 7, 0, 1));  // lifted
    CHECK_FALSE(is_banned(layout, 7, 1));
    CHECK(ban(layout, 1000, 300, 1));  // in its place
    CHECK(is_banned(layout, 1000, 299));
    CHECK_FALSE(ban(layout, 7, 100, 1));
    CHECK(ban(layout, 7, 500, 250));  // the others are over
    CHECK(is_banned(layout, 1000, 250));
}

TEST_CASE("host: what games write to standard error comes out in safe lines, not in floods",
          "[ipc][host]") {
    const int log_fd = memfd_create("log", 0);
    const int stderr_fd = dup(STDERR_FILENO);
    REQUIRE(log_fd >= 0);
    REQUIRE(stderr_fd >= 0);
    dup2(log_fd, STDERR_FILENO);
    {
        LocalHost host = start_host();
        dup2(stderr_fd, STDERR_FILENO);
        Follower loud(host, open_game(host, "loud").game);
        Follower other(host, open_game(host, "other").game);
        loud.send(EventKind::join, 1);
        other.send(EventKind::join, 1);
        loud.input(1, 1, CounterInput::shout);
        loud.input(1, 2, CounterInput::babble);
        other.input(1, 1, CounterInput::add_one);
        other.until([&](const SnapshotParts&) { return other.applied(1, 1); });
        loud.until([&](const SnapshotParts&) { return loud.applied(1, 2); });
    }
    std::string log(static_cast<std::size_t>(lseek(log_fd, 0, SEEK_END)), '\0');
    REQUIRE(pread(log_fd, log.data(), log.size(), 0) == static_cast<ssize_t>(log.size()));
    close(log_fd);
    close(stderr_fd);
    CHECK(log.starts_with("game: ?[2J?here I am\ngame: and so on\n"));
    CHECK(log.size() < 1'000'000 / 10);  // of the million bytes, what the rate lets through
}

#ifndef RINGSIDE_SANITIZED  // there the attacks would succeed: sanitizers need these calls
TEST_CASE("host: whatever a hostile game tries ends that try alone", "[ipc][host][crash]") {
    LocalHost host = start_host();
    const GameId id = open_game(host, "hostile").game;
    Follower hostile(host, id);
    Follower other(host, open_game(host, "other").game);
    hostile.send(EventKind::join, 1);
    other.send(EventKind::join, 1);
    std::uint32_t number = 0;
    for (std::size_t attack = 0; attack < test::attack_count; ++attack) {
        INFO(test::attacks()[attack].what);
        hostile.send(
            EventKind::input, 1, ++number,
            {static_cast<std::uint8_t>(static_cast<std::size_t>(CounterInput::attack) + attack)});
        hostile.input(1, ++number, CounterInput::add_one);
        hostile.until([&](const SnapshotParts&) { return hostile.applied(1, number); });
        REQUIRE(hostile.view().sum == attack + 1);  // the event that killed it counts as skipped
        REQUIRE(hostile.link().status().dropped_events.load() == attack + 1);
        other.input(1, static_cast<std::uint32_t>(attack) + 1, CounterInput::add_one);
        other.until([&](const SnapshotParts&) {
            return other.applied(1, static_cast<std::uint32_t>(attack) + 1);
        });
        REQUIRE(other.view().sum == attack + 1);
    }
    DirectoryRecord record;
    REQUIRE(host.front().host().games()[1].read(record));
    REQUIRE(std::string(record.name) == "other");
    REQUIRE(record.restarts == 0);
}

TEST_CASE("host: a game is nobody, has no descriptors and no way to more", "[ipc][host]") {
    LocalHost host = start_host();
    const GameId id = open_game(host, "poor").game;
    Follower game(host, id);
    game.until([](const SnapshotParts&) { return true; });  // its own code runs
    const pid_t pid = pid_of(host, id);
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    std::map<std::string, std::string> status;
    for (std::string line; std::getline(file, line);) {
        const auto colon = line.find(':');
        status[line.substr(0, colon)] = line.substr(std::min(colon + 2, line.size()));
    }
    REQUIRE(status.at("Seccomp") == "2");
    REQUIRE(status.at("NoNewPrivs") == "1");
    if (geteuid() == 0) {
        REQUIRE(status.at("Groups").find_first_of("0123456789") == std::string::npos);
        REQUIRE(status.at("Uid") == "65534\t65534\t65534\t65534");
        REQUIRE(status.at("CapEff") == "0000000000000000");
        REQUIRE(status.at("CapPrm") == "0000000000000000");
    }
    std::size_t descriptors = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
        REQUIRE(entry.path().filename() == "2");
        ++descriptors;
    }
    REQUIRE(descriptors == 1);
}
#endif

TEST_CASE("watchdog: sleeping too long is hanging, waiting for a CPU is not", "[ipc]") {
    constexpr std::int64_t ms = 1'000'000;
    struct Sleeper {
        Sleeper() : pid(fork()) {
            if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;) {
                    pause();
                }
            }
            while (look_at_process(pid).value().state != 'S') {
            }
        }
        void end() {
            if (pid > 0) {
                kill(pid, SIGKILL);
                waitpid(std::exchange(pid, 0), nullptr, 0);
            }
        }
        ~Sleeper() { end(); }
        pid_t pid;
    } child;
    const pid_t sleeper = child.pid;
    std::int64_t now_ns = 0;
    Watchdog watchdog;
    const auto look = [&](pid_t pid, std::uint64_t sign, bool overdue) {
        now_ns += watch_period_ns;
        return watchdog.hangs(pid, sign, overdue, now_ns);
    };
    const auto looks_until_hangs = [&](pid_t pid) {
        int looks = 1;
        while (!look(pid, 7, true)) {
            ++looks;
        }
        return looks;
    };
    REQUIRE(looks_until_hangs(sleeper) == 1 + hang_after_ns / watch_period_ns);
    REQUIRE_FALSE(look(sleeper, 7, false));  // done in time after all
    for (std::uint64_t sign = 0; sign < 20; ++sign) {
        REQUIRE_FALSE(look(sleeper, sign, true));  // slow, but it gets somewhere
    }
    now_ns += 3'600'000 * ms;  // the machine slept: it has had no chance
    REQUIRE(looks_until_hangs(sleeper) == 1 + hang_after_ns / watch_period_ns);
    child.end();
    REQUIRE_FALSE(look(sleeper, 7, true));

    // This process runs, and by its clock has had next to nothing of the seconds that pass here.
    for (int looks = 0; looks < 20; ++looks) {
        REQUIRE_FALSE(look(getpid(), 7, true));
    }
}

TEST_CASE("host: a join into a game that has ended is seen as not seen, and asked again",
          "[ipc][host]") {
    LocalHost host = start_host();
    const GameId id = open_game(host, "alpha").game;
    Follower game(host, id);
    game.send(EventKind::join, 1);
    game.input(1, 1, CounterInput::end);
    game.until(
        [](const SnapshotParts& parts) { return (parts.header.flags & snapshot_ended) != 0; });
    game.send(EventKind::join, 2);
    REQUIRE(game.link().position() > game.parts().event_position(0));
    const OpenAnswer fresh =
        host.open({.request = 1, .name = "alpha", .type = "", .config = {}, .known_ended = id});
    REQUIRE(fresh.created);
    REQUIRE_FALSE(fresh.game == id);
    Follower next(host, fresh.game);
    next.send(EventKind::join, 2);
    next.until([&](const SnapshotParts&) { return next.entry(2) != nullptr; });
}

TEST_CASE("host: games outlive their nursery, and the next one is forked by another",
          "[ipc][host][crash]") {
    LocalHost host = start_host();
    Follower game(host, open_game(host, "alpha").game);
    game.send(EventKind::join, 1);
    game.until([&](const SnapshotParts&) { return game.entry(1) != nullptr; });
    const pid_t nursery = test::child_named(host.supervisor_pid(), "nursery/counter");
    REQUIRE(nursery > 0);
    kill(nursery, SIGKILL);
    Follower other(host, open_game(host, "beta").game);
    other.send(EventKind::join, 2);
    other.until([&](const SnapshotParts&) { return other.entry(2) != nullptr; });
    game.input(1, 1, CounterInput::add_one);
    game.until([&](const SnapshotParts&) { return game.applied(1, 1); });
}

TEST_CASE("host: an untouched game ends after its idle timeout", "[ipc][host]") {
    HostOptions options;
    options.idle_timeout = std::chrono::milliseconds(50);
    LocalHost host = start_host(options);
    const GameId id = open_game(host, "alpha").game;
    Follower game(host, id);
    game.send(EventKind::join, 1);
    game.until(
        [](const SnapshotParts& parts) { return (parts.header.flags & snapshot_ended) != 0; });
    REQUIRE(game.parts().header.end_reason == static_cast<std::uint32_t>(LeaveReason::idle));
}

TEST_CASE("host: a second host on one instance is refused, and nothing is left at the end",
          "[ipc][host]") {
    const std::string name = unique_instance();
    HostOptions options;
    options.instance = name;
    options.games_max = 8;
    {
        auto host = LocalHost::start(options, types);
        REQUIRE(host);
        const GameId id = open_game(*host, "alpha").game;
        REQUIRE(pid_of(*host, id) > 0);
        REQUIRE(instance_exists(name));
        const auto second = LocalHost::start(options, types);
        REQUIRE_FALSE(second);
        REQUIRE(second.error().text().find("--instance") != std::string::npos);
    }
    REQUIRE_FALSE(instance_exists(name));
}

// ---- after a supervisor's death
// ------------------------------------------------------------------

namespace {

/// A host that is killed with two games, and five inputs applied in 'alpha'.
struct DeadHost {
    DeadHost() {
        options.instance = unique_instance();
        options.games_max = 8;
        options.resume_grace = std::chrono::hours(1);
        auto host = LocalHost::start(options, types);
        REQUIRE(host);
        REQUIRE(open_game(*host, "untouched").created);
        id = open_game(*host, "alpha").game;
        path = "/dev/shm/ringside-" + options.instance + "/game-" + std::to_string(id.slot) + "-" +
               std::to_string(id.epoch);
        Follower game(*host, id);
        game.send(EventKind::join, 1);
        for (std::uint32_t number = 1; number <= 5; ++number) {
            game.input(1, number, CounterInput::add_one);
        }
        game.until([&](const SnapshotParts&) { return game.applied(1, 5); });
        game_pid = pid_of(*host, id);
        kill(host->supervisor_pid(), SIGKILL);
    }
    DeadHost(const DeadHost&) = delete;
    DeadHost& operator=(const DeadHost&) = delete;
    ~DeadHost() { std::filesystem::remove_all("/dev/shm/ringside-" + options.instance); }

    /// The next host's complaint; everything is as it was.
    std::string refusal(std::span<const GameType* const> with_types = types) const {
        const auto next = LocalHost::start(options, with_types);
        REQUIRE_FALSE(next);
        REQUIRE(std::filesystem::exists(path));
        return next.error().text();
    }

    HostOptions options;
    GameId id;
    std::string path;
    pid_t game_pid = 0;
};

}  // namespace

TEST_CASE("host: the next one goes on with the games of a killed one", "[ipc][host][crash]") {
    DeadHost dead;
    {
        auto next = LocalHost::start(dead.options, types);
        REQUIRE(next);
        test::wait_until_gone(dead.game_pid);  // its parent's death killed it
        const OpenAnswer opened = open_game(*next, "alpha");
        REQUIRE_FALSE(opened.created);
        REQUIRE(opened.game == dead.id);
        Follower game(*next, opened.game);
        // Its session may be gone on with by whoever has the key; what it did is there.
        game.until([&](const SnapshotParts&) {
            return game.entry(1) != nullptr && game.entry(1)->detached();
        });
        REQUIRE(game.view().sum == 5);
        game.resume(2, 1, Follower::key_of(1));
        game.input(2, 6, CounterInput::add_one);
        game.until([&](const SnapshotParts&) { return game.applied(2, 6); });
        REQUIRE(game.view().sum == 6);
        const OpenAnswer other = open_game(*next, "beta");
        REQUIRE(other.created);
        REQUIRE_FALSE(other.game == dead.id);
    }
    REQUIRE_FALSE(instance_exists(dead.options.instance));  // it was told to stop
}

TEST_CASE("host: a fresh one ends the games of a killed one", "[ipc][host][crash]") {
    DeadHost dead;
    dead.options.fresh = true;
    auto next = LocalHost::start(dead.options, types);
    REQUIRE(next);
    REQUIRE_FALSE(std::filesystem::exists(dead.path));
    REQUIRE(open_game(*next, "alpha").created);
}

TEST_CASE("host: a game that cannot be gone on with is not lost", "[ipc][host][crash]") {
    DeadHost dead;
    {
        INFO("fewer games");
        dead.options.games_max = dead.id.slot;
        REQUIRE(dead.refusal().find("--games-max to " + std::to_string(dead.id.slot + 1)) !=
                std::string::npos);
        dead.options.games_max = 8;
    }
    {
        INFO("another type");
        const std::array<const GameType*, 1> others{&relay::relay_type()};
        const std::string text = dead.refusal(others);
        REQUIRE(text.find("is a counter, a type this host does not have") != std::string::npos);
        REQUIRE(text.find("--fresh") != std::string::npos);
    }
    {
        INFO("another layout");
        constexpr std::uint32_t version = game_segment_layout_version + 1;
        std::fstream file(dead.path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(offsetof(GameSegmentHeader, layout_version));
        file.write(reinterpret_cast<const char*>(&version), sizeof version);
        file.close();
        REQUIRE(dead.refusal().find("layout version " + std::to_string(version)) !=
                std::string::npos);
    }
}

TEST_CASE("host: a game that the system does not open is not lost", "[ipc][host][crash]") {
    DeadHost dead;
    {
        INFO("a game too large to be mapped: no memory");
        const auto bytes = std::filesystem::file_size(dead.path);
        std::filesystem::resize_file(dead.path, std::uintmax_t{1} << 50);
        const std::string text = dead.refusal();
        REQUIRE(text.find(dead.path) != std::string::npos);
        REQUIRE(text.find("cannot be mapped") != std::string::npos);
        REQUIRE(text.find("games are kept") != std::string::npos);
        std::filesystem::resize_file(dead.path, bytes);
    }
    {
        INFO("the host's own segment, which knows whom to wait for");
        const auto host = std::filesystem::path(dead.path).parent_path() / "host";
        const auto bytes = std::filesystem::file_size(host);
        std::filesystem::resize_file(host, std::uintmax_t{1} << 50);
        REQUIRE(dead.refusal().find(host.string()) != std::string::npos);
        std::filesystem::resize_file(host, bytes);
    }
    auto next = LocalHost::start(dead.options, types);
    REQUIRE(next);
    REQUIRE(open_game(*next, "alpha").game == dead.id);
}

TEST_CASE("host: half-made and foreign files of a killed one are removed", "[ipc][host][crash]") {
    DeadHost dead;
    const auto directory = std::filesystem::path(dead.path).parent_path();
    std::ofstream(directory / "game-7-1") << std::string(100, 'x');
    std::ofstream(directory / "game-6-1");
    std::ofstream(directory / "game-5-1") << std::string(1 << 20, '\0');
    std::ofstream(directory / "game-5-x") << "?";
    std::filesystem::copy_file(dead.path, directory / "game-4-9");  // of another slot
    const auto next = LocalHost::start(dead.options, types);
    REQUIRE(next);
    std::size_t games = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        games += entry.path().filename().string().starts_with("game-") ? 1u : 0u;
    }
    REQUIRE(games == 2);
}
