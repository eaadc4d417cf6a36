// A real host without a network: supervisor, nursery and game processes, driven through the rings.

#include <algorithm>
#include <array>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "counter_host.hpp"
#include "process_watch.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/ipc/game_segment.hpp"
#include "ringside/ipc/host_segment.hpp"
#include "ringside/relay/relay.hpp"

using namespace ringside;
using namespace ringside::test;

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
    REQUIRE(game.link().lateness().read().count() >= ticks);
}

TEST_CASE("host: a game that was stopped skips the ticks it slept through, and counts them",
          "[ipc][host]") {
    constexpr std::uint64_t ticks_stopped = 20;
    LocalHost host = start_host();
    const GameId id = open_game(host, "alpha").game;
    Follower game(host, id);
    game.send(EventKind::join, 1);
    game.input(1, 1, CounterInput::run);
    game.until([&](const SnapshotParts&) { return game.view().ticks > 0; });
    const GameStatusLine& status = game.link().status();
    for (pid_t pid = 0; pid == 0 || pid_of(host, id) != pid;) {  // again if it was stopped too long
        pid = pid_of(host, id);
        const std::uint64_t missed_before = status.missed_ticks.load();
        kill(pid, SIGSTOP);
        test::wait_until_stopped(pid);
        const std::int64_t tick_ns = game.link().plan().tick_ns;
        // One more: it may have been stopped before it told its next deadline.
        sleep_until(status.deadline_ns.load() + std::int64_t{ticks_stopped + 1} * tick_ns);
        kill(pid, SIGCONT);
        game.until([&](const SnapshotParts&) {
            return status.missed_ticks.load() >= missed_before + ticks_stopped ||
                   pid_of(host, id) != pid;
        });
    }
}

TEST_CASE("host: of its games only reactive ones run before everything else", "[ipc][host]") {
    if (!may_run_first()) {
        WARN("not allowed to run anything first here: CAP_SYS_NICE is missing");
        return;
    }
    const std::array<const GameType*, 2> both{&test::counter_type(), &relay::relay_type()};
    const auto start = [&both](bool realtime) {
        HostOptions options;
        options.instance = unique_instance();
        options.games_max = 64;
        options.realtime = realtime;
        return LocalHost::start(options, both).value();
    };
    for (const bool realtime : {false, true}) {
        LocalHost host = start(realtime);
        const auto policy_of = [&host](const char* name, const char* type) {
            const GameId id =
                host.open(
                        {.request = 7, .name = name, .type = type, .config = {}, .known_ended = {}})
                    .game;
            Follower(host, id).until([](const SnapshotParts&) { return true; });
            return sched_getscheduler(pid_of(host, id));
        };
        CHECK(policy_of("counter", "counter") == SCHED_OTHER);
        CHECK(policy_of("relay", "relay") == (realtime ? SCHED_FIFO : SCHED_OTHER));
    }
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
    wait_until_stopped(pid);
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
