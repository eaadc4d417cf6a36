#include "bot_matches.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <random>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/epoll.h>
#include <unistd.h>

#include "bot_player.hpp"
#include "bot_process.hpp"
#include "names.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/printable.hpp"
#include "ringside/core/random.hpp"
#include "ringside/tron/config.hpp"

namespace ringside {
namespace {

// Between two looks at the sockets: bots that already play are kept waiting for some ms at most.
constexpr std::size_t connects_per_turn = 16;

// A match of bots only is never silent for longer than its countdown's ticks; a host that hangs
// must not hang whoever waits for this program.
constexpr std::int64_t silence_ns_max = 60'000'000'000;

constexpr int turn_ms_max = 1000;
constexpr int reconnect_every_ms = 100;

constexpr std::size_t reasons_shown_max = 10;

/// One game and the bots of this process in it.
struct Match {
    enum class State { playing, leaving, finished, failed };
    std::string game;
    std::vector<std::size_t> players{};  // places in BotMatches::players_
    State state = State::playing;
    std::string reason{};
};

class BotMatches {
public:
    BotMatches(const BotOptions& options, std::uint64_t seed);
    BotMatches(const BotMatches&) = delete;
    BotMatches& operator=(const BotMatches&) = delete;
    ~BotMatches() { close(epoll_fd_); }

    [[nodiscard]] Result<void> run();
    [[nodiscard]] int report(std::int64_t elapsed_ns) const;

private:
    void plan_matches();
    [[nodiscard]] JoinRequest join_request(const std::string& game) const;
    void open_some();
    void open_one(std::size_t match);
    void poll();
    void serve(std::size_t player);
    void watch(std::size_t player);
    void reconnect_lost();
    void settle(Match& match);
    void end(Match& match, Match::State state);
    void leave_all(Match& match);
    void check_silence();
    void stop_matches();
    [[nodiscard]] bool over() const;

    const BotOptions& options_;
    std::uint32_t players_per_match_;
    Random random_;
    int epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
    std::vector<Match> matches_;
    std::vector<std::optional<BotPlayer>> players_;  // empty: its connection is closed
    std::vector<std::size_t> match_of_;              // by player
    std::vector<bool> polls_write_;                  // by player
    std::vector<std::size_t> lost_;                  // players that are to reconnect
    std::int64_t next_reconnect_ns_ = 0;
    std::uint64_t planned_ = 0;  // players there will be
    std::size_t ended_ = 0;      // matches
    std::uint64_t races_ = 0;
    std::uint64_t views_ = 0;
    std::uint64_t inputs_ = 0;
};

BotMatches::BotMatches(const BotOptions& options, std::uint64_t seed)
    : options_(options),
      players_per_match_(options.players != 0   ? options.players
                         : options.game.empty() ? 2
                                                : 1),
      random_(seed) {
    plan_matches();
    players_.reserve(planned_);
}

void BotMatches::plan_matches() {
    if (!options_.game.empty()) {
        matches_.push_back({.game = options_.game});
    }
    // Words alone would repeat among thousands of names, and two matches of one name would meet.
    const auto run = random_.next() & 0xff'ffff;
    for (std::uint32_t i = 0; options_.game.empty() && i < options_.games; ++i) {
        matches_.push_back({.game = fmt::format("{}-{:06x}-{}", made_up_name(), run, i + 1)});
    }
    planned_ = matches_.size() * players_per_match_;
}

Result<void> BotMatches::run() {
    if (const auto room = allow_connections(planned_); !room) {
        return room;
    }
    while (!over()) {
        open_some();
        poll();
        reconnect_lost();
        check_silence();
        if (stop_asked()) {
            stop_matches();
        }
    }
    return {};
}

bool BotMatches::over() const {
    return ended_ == matches_.size();
}

// ---- connections -------------------------------------------------------------------------------

void BotMatches::open_some() {
    for (std::size_t i = 0; i < connects_per_turn && players_.size() < planned_; ++i) {
        open_one(players_.size() / players_per_match_);
    }
}

JoinRequest BotMatches::join_request(const std::string& game) const {
    JoinRequest join;
    join.game = game;
    join.password = options_.password;
    if (!options_.game.empty()) {
        join.mode = wire::JoinMode::join_only;
        return join;
    }
    // All of a match ask the same: whoever is first makes it.
    join.type = "tron";
    join.config = tron::encode_config({.width = options_.width,
                                       .height = options_.height,
                                       .seats = static_cast<std::uint8_t>(players_per_match_),
                                       .tick_ms = options_.tick_ms});
    return join;
}

void BotMatches::open_one(std::size_t match_index) {
    Match& match = matches_[match_index];
    const std::size_t place = players_.size();
    players_.emplace_back();
    match_of_.push_back(match_index);
    polls_write_.push_back(false);
    if (match.state != Match::State::playing) {
        return;  // failed already: it needs no more players
    }
    match.players.push_back(place);
    auto client = Client::connect(options_.endpoint, Deltas::yes);
    if (!client) {
        match.reason = printable(client.error().text());
        end(match, Match::State::failed);
        return;
    }
    players_[place].emplace(std::move(*client), join_request(match.game), random_.next());
    watch(place);
}

void BotMatches::watch(std::size_t place) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = place}};
    polls_write_[place] = false;
    if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, players_[place]->fd(), &event) != 0) {
        Match& match = matches_[match_of_[place]];
        match.reason = errno_failure("epoll_ctl refused a connection").error().text();
        end(match, Match::State::failed);
    }
}

void BotMatches::reconnect_lost() {
    const std::int64_t now_ns = monotonic_ns();
    if (lost_.empty() || now_ns < next_reconnect_ns_) {
        return;
    }
    next_reconnect_ns_ = now_ns + std::int64_t{reconnect_every_ms} * 1'000'000;
    for (const std::size_t place : std::exchange(lost_, {})) {
        auto& player = players_[place];
        if (!player) {
            continue;  // its match has ended meanwhile
        }
        player->reconnect();
        if (player->state() == BotPlayer::State::reconnecting) {
            lost_.push_back(place);
        } else if (player->state() == BotPlayer::State::playing) {
            watch(place);
        }
        settle(matches_[match_of_[place]]);
    }
}

void BotMatches::poll() {
    std::array<epoll_event, 256> events{};
    const int timeout_ms = players_.size() < planned_ ? 0
                           : lost_.empty()            ? turn_ms_max
                                                      : reconnect_every_ms;
    const int count = epoll_wait(epoll_fd_, events.data(), events.size(), timeout_ms);
    for (int i = 0; i < count; ++i) {  // -1 is EINTR: a signal, seen by run()
        serve(events[static_cast<std::size_t>(i)].data.u64);
    }
}

void BotMatches::serve(std::size_t place) {
    auto& player = players_[place];
    if (!player) {
        return;  // closed by an event before this one, in the same turn
    }
    const std::uint64_t views_before = player->views();
    player->serve(options_.forever);
    if (place == 0 && options_.on_view && player->views() != views_before) {
        options_.on_view(player->view(), player->game());
    }
    if (player->state() == BotPlayer::State::reconnecting) {
        epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, player->fd(), nullptr);
        lost_.push_back(place);
        return;
    }
    if (player->wants_write() != polls_write_[place]) {
        polls_write_[place] = player->wants_write();
        epoll_event event{.events = EPOLLIN | (polls_write_[place] ? EPOLLOUT : 0u),
                          .data = {.u64 = place}};
        epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, player->fd(), &event);
    }
    settle(matches_[match_of_[place]]);
}

// ---- the end of a match ------------------------------------------------------------------------

// Bots leave when all of them have seen the finish: the first to leave changes the game, and the
// finish might be lost on the others.
void BotMatches::settle(Match& match) {
    if (match.state == Match::State::finished || match.state == Match::State::failed) {
        return;
    }
    const auto all = [&](auto holds) {
        return match.players.size() == players_per_match_ &&
               std::ranges::all_of(match.players,
                                   [&](std::size_t place) { return holds(*players_[place]); });
    };
    for (const std::size_t place : match.players) {
        if (players_[place]->state() == BotPlayer::State::failed) {
            match.reason = players_[place]->reason();
            end(match, Match::State::failed);
            return;
        }
    }
    if (match.state == Match::State::playing && !options_.forever &&
        all([](const BotPlayer& player) { return player.races_finished() > 0; })) {
        leave_all(match);
    }
    if (all([](const BotPlayer& player) { return player.state() == BotPlayer::State::gone; })) {
        end(match, Match::State::finished);
    }
}

void BotMatches::leave_all(Match& match) {
    match.state = Match::State::leaving;
    for (const std::size_t place : match.players) {
        players_[place]->leave();
    }
}

void BotMatches::end(Match& match, Match::State state) {
    match.state = state;
    ++ended_;
    std::uint64_t races = 0;
    for (const std::size_t place : match.players) {
        if (auto& player = players_[place]) {
            races = std::max(races, player->races_finished());
            views_ += player->views();
            inputs_ += player->inputs();
            player.reset();  // closes, which also takes it out of the epoll set
        }
    }
    races_ += races;
}

// In somebody's game a seated bot waits for people as long as it takes.
void BotMatches::check_silence() {
    const bool people = !options_.game.empty();
    const std::int64_t now = monotonic_ns();
    for (auto& player : players_) {
        if (player && !(people && player->state() == BotPlayer::State::playing) &&
            now - player->heard_ns() > silence_ns_max) {
            player->fail("nothing came from the host for 60 s");
            settle(matches_[match_of_[static_cast<std::size_t>(&player - players_.data())]]);
        }
    }
}

void BotMatches::stop_matches() {
    planned_ = players_.size();
    for (Match& match : matches_) {
        if (match.state == Match::State::playing || match.state == Match::State::leaving) {
            const bool raced = std::ranges::any_of(match.players, [&](std::size_t place) {
                return players_[place] && players_[place]->races_finished() > 0;
            });
            match.reason = "stopped by a signal";
            end(match, raced ? Match::State::finished : Match::State::failed);
        }
    }
}

// ---- the summary -------------------------------------------------------------------------------

int BotMatches::report(std::int64_t elapsed_ns) const {
    const auto failed =
        static_cast<std::size_t>(std::ranges::count(matches_, Match::State::failed, &Match::state));
    auto failures = nlohmann::ordered_json::array();
    for (const Match& match : matches_) {
        if (match.state == Match::State::failed) {
            if (failures.size() < reasons_shown_max) {
                fmt::print(stderr, "ringside: {}: {}\n", match.game, match.reason);
            }
            failures.push_back({{"game", match.game}, {"reason", match.reason}});
        }
    }
    if (failed > reasons_shown_max) {
        fmt::print(stderr, "ringside: and {} more\n", failed - reasons_shown_max);
    }
    if (options_.json) {
        const nlohmann::ordered_json all{{"matches", matches_.size()},
                                         {"finished", matches_.size() - failed},
                                         {"failed", failed},
                                         {"races", races_},
                                         {"views", views_},
                                         {"inputs", inputs_},
                                         {"elapsed_ms", elapsed_ns / 1'000'000},
                                         {"failures", std::move(failures)}};
        fmt::print("{}\n", all.dump());
    } else if (!options_.quiet) {
        fmt::print("{} matches: {} finished, {} failed\n", matches_.size(),
                   matches_.size() - failed, failed);
    }
    return failed == 0 ? 0 : 1;
}

}  // namespace

int run_bots(const BotOptions& options) {
    const StopSignals signals;
    const std::uint64_t seed = options.seed != 0 ? options.seed : std::random_device{}();
    BotMatches matches(options, seed);
    const std::int64_t begin_ns = monotonic_ns();
    if (const auto ran = matches.run(); !ran) {
        fmt::print(stderr, "ringside: {}\n", ran.error().text());
        return 1;
    }
    return matches.report(monotonic_ns() - begin_ns);
}

}  // namespace ringside
