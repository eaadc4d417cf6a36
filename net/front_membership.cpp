// FrontServer: how a session gets into a game and out of it.

#include <algorithm>
#include <system_error>
#include <utility>

#include "front_server.hpp"

#include "ringside/ipc/happenings.hpp"

namespace ringside {
namespace {

// A game may end while it is joined; that its successors under that name all do, is not believed.
constexpr std::uint32_t asked_count_max = 8;

}  // namespace

void FrontServer::take_control() {
    if (!std::exchange(control_ready_, false)) {
        return;
    }
    while (auto message = link_.receive()) {
        retry_due_ = true;
        if (const auto* answer = std::get_if<OpenAnswer>(&*message)) {
            opened(*answer);
        } else if (const auto* failed = std::get_if<GameFailed>(&*message)) {
            if (FollowedGame* game = games_.find(failed->game)) {
                give_up(*game, failed->text);
            }
        } else if (std::holds_alternative<DirectorySwept>(*message)) {
            sweep_requested_ = false;
            answer_lists();
        } else if (std::holds_alternative<HostStopping>(*message)) {
            stop();
        } else if (const auto* kicked = std::get_if<SessionKicked>(&*message)) {
            kick(kicked->session);
        } else if (std::holds_alternative<AddressBanned>(*message)) {
            close_banned();
        } else {
            supervisor_gone_ = true;
            return;
        }
    }
}

// ---- in ----------------------------------------------------------------------------------------

void FrontServer::begin(Connection& connection, JoinWish wish) {
    Session& session = connection.session;
    session.wish = std::make_unique<JoinWish>(std::move(wish));
    session.wish->open.creator =
        is_limited(connection.peer) ? static_cast<std::uint64_t>(connection.peer) : 0;
    session.was_in_game = true;
    session.last_input = 0;
    session.membership = Membership::asking;
    ask(connection);
}

void FrontServer::ask(Connection& connection) {
    JoinWish& wish = *connection.session.wish;
    wish.open.request = ++requests_ << 32 | connection.index;
    if (link_.request_open(wish.open)) {
        ++wish.asked_count;
        connection.session.membership = Membership::opening;
    } else {
        retry_later(connection);
    }
}

/// The game ended before it had seen the join.
void FrontServer::ask_again(Connection& connection, GameId ended) {
    detach(connection);
    if (connection.session.wish->asked_count >= asked_count_max) {
        refuse(connection, RefuseReason::no_such_game, "this game keeps ending; try again");
        return;
    }
    connection.session.wish->open.known_ended = ended;
    connection.session.membership = Membership::asking;
    ask(connection);
}

void FrontServer::opened(const OpenAnswer& answer) {
    const auto index = static_cast<std::uint32_t>(answer.request);
    if (!connections_.has(index)) {
        return;
    }
    Connection& connection = connections_.at(index);
    Session& session = connection.session;
    if (session.membership != Membership::opening || session.wish->open.request != answer.request) {
        return;  // who asked has gone
    }
    if (answer.refused != RefuseReason::none) {
        refuse(connection, answer.refused, answer.text);
        return;
    }
    FollowedGame* game = follow(answer.game, connection);
    if (game == nullptr) {
        return;
    }
    session.game_slot = answer.game.slot;
    if (session.wish->watch) {
        watch(connection, *game);
        return;
    }
    game->members.push_back(connection.index);
    session.membership = Membership::entering;
    enter(connection);
}

/// The game, opened if need be; nullptr when the connection has been answered otherwise.
FollowedGame* FrontServer::follow(GameId id, Connection& connection) {
    if (FollowedGame* game = games_.in_slot(id.slot)) {
        if (game->link.id() == id && !game->over) {
            return game;
        }
        if (game->link.id() == id) {
            ask_again(connection, id);
            return nullptr;
        }
        // The slot has been given to another, so this one has ended: its last words are there.
        read_news(*game);
        if (!game->over) {
            give_up(*game, "the game is gone");
        }
        games_.close(id.slot);
    }
    auto link = link_.open_game(id);
    if (!link && link.error().code == std::errc::no_such_file_or_directory) {
        ask_again(connection, id);  // it ended while the answer was on its way
        return nullptr;
    }
    if (!link) {
        refuse(connection, RefuseReason::no_room, link.error().text());
        return nullptr;
    }
    FollowedGame& game = games_.add(std::move(*link));
    // What is there before our first event cannot be about a session that comes now, even if that
    // has been in this game before: its old entry or `left` must not be taken for a new answer.
    read_news(game);
    if (game.failed) {
        refuse(connection, RefuseReason::no_room, "the game has failed");
        return nullptr;
    }
    if (game.over) {
        ask_again(connection, id);
        return nullptr;
    }
    return &game;
}

void FrontServer::watch(Connection& connection, FollowedGame& game) {
    connection.session.membership = Membership::watching;
    connection.session.wish.reset();
    game.watchers.push_back(connection.index);
    show(connection);
    game.link.set_watchers(static_cast<std::uint32_t>(game.watchers.size()));
    say(connection, messages_.watching(game.link.plan()));
    tell_players(connection, game);
    if (!game.newest) {  // the others needed only deltas
        game.link.snapshots().read_again();
        read_news(game);
    } else {
        connections_.send_snapshot(connection, game.newest, game.sequence, now_ns_);
    }
}

void FrontServer::enter(Connection& connection) {
    Session& session = connection.session;
    FollowedGame& game = *game_of(connection);
    const auto& resume = session.wish->resume;
    const bool written =
        resume.empty()
            ? games_.write(game, EventKind::join, session.id, 0,
                           join_body({.key = session.key, .nickname = session.wish->nickname},
                                     session.wish->parameters))
            : games_.write(game, EventKind::resume, session.id, 0,
                           resume_body(session.key, resume));
    if (!written) {
        retry_later(connection);
        return;
    }
    session.join_end_position = game.link.position();
    session.membership = Membership::joining;
}

// ---- out ---------------------------------------------------------------------------------------

FollowedGame* FrontServer::game_of(const Connection& connection) noexcept {
    return games_.in_slot(connection.session.game_slot);
}

void FrontServer::refuse(Connection& connection, RefuseReason reason, const std::string& text) {
    detach(connection);
    connection.session.membership = Membership::none;
    connection.session.wish.reset();
    connection.session.was_in_game = true;
    say(connection, messages_.refused(reason, text));
}

/// Tells it Left. After that it is sent no more snapshots.
void FrontServer::leave(Connection& connection, LeaveReason reason, const std::string& text) {
    detach(connection);
    connection.session.membership = Membership::none;
    connection.session.wish.reset();
    connections_.drop_snapshot(connection);
    show(connection);
    say(connection, messages_.left(reason, text));
}

/// Takes it out of its game's lists here; tells nobody.
void FrontServer::detach(Connection& connection) {
    FollowedGame* game = game_of(connection);
    connection.session.game_slot = no_index;
    connection.session.nickname = {};
    connection.view_sequence = 0;
    if (game == nullptr) {
        return;
    }
    games_.note_maybe_unused(*game);
    std::erase(game->members, connection.index);
    if (std::erase(game->watchers, connection.index) != 0) {
        game->link.set_watchers(static_cast<std::uint32_t>(game->watchers.size()));
    }
}

/// For observers: who it is, and where.
void FrontServer::show(const Connection& connection) noexcept {
    if (!sessions_) {
        return;
    }
    const Session& session = connection.session;
    const FollowedGame* game = games_.in_slot(session.game_slot);
    sessions_->write(connection.index,
                     {.session = value(session.id),
                      .address = static_cast<std::uint64_t>(connection.peer),
                      .since_ns = session.since_ns,
                      .in_game = game != nullptr ? 1u : 0u,
                      .watching = session.membership == Membership::watching ? 1u : 0u,
                      .game = game != nullptr ? game->link.id() : GameId{},
                      .nickname = session.nickname});
}

// ---- the operator ------------------------------------------------------------------------------

void FrontServer::kick(SessionId session) {
    connections_.for_each([&](Connection& connection) {
        if (connection.open() && connection.session.id == session) {
            throw_out(connection, wire::ErrorCode::kicked, "the host's operator has removed you");
        }
    });
}

void FrontServer::close_banned() {
    connections_.for_each([this](Connection& connection) {
        const auto address = static_cast<std::uint64_t>(connection.peer);
        if (connection.open() && is_banned(link_.host().layout(), address, now_ns_)) {
            throw_out(connection, wire::ErrorCode::banned, banned_text);
        }
    });
}

/// Its seat is not kept: it has not lost its connection.
void FrontServer::throw_out(Connection& connection, wire::ErrorCode code, const std::string& text) {
    const Membership membership = connection.session.membership;
    FollowedGame* game = game_of(connection);
    if (game != nullptr &&
        (membership == Membership::joining || membership == Membership::seated)) {
        games_.depart(*game, connection.session.id, EventKind::leave);
        connection.session.membership = Membership::leaving;
    }
    fail(connection, code, text);
}

/// The client is gone, or will be: its seat is kept for a while.
void FrontServer::end_session(Connection& connection) {
    Session& session = connection.session;
    const bool in_game =
        session.membership == Membership::joining || session.membership == Membership::seated;
    if (FollowedGame* game = game_of(connection); in_game && game != nullptr) {
        games_.depart(*game, session.id, EventKind::detach);
    }
    detach(connection);
    session.membership = Membership::none;
    session.wish.reset();
    session.list.reset();
    if (const SessionId ended = std::exchange(session.id, SessionId{}); ended != SessionId{}) {
        happened::session_close(value(ended),
                                static_cast<std::uint64_t>(now_ns_ - session.since_ns),
                                static_cast<std::uint32_t>(connection.error));
        show(connection);
        statistics_.set(FrontStatistic::sessions, --sessions_open_);
    }
}

}  // namespace ringside
