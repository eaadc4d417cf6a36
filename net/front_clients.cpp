// FrontServer: what each message of a client asks.

#include <algorithm>
#include <string_view>
#include <utility>

#include "front_server.hpp"
#include "password_key.hpp"

#include "ringside/core/game_name.hpp"
#include "ringside/core/wire_generated.h"
#include "ringside/ipc/happenings.hpp"

namespace ringside {
namespace {

Bytes bytes_of(const flatbuffers::Vector<std::uint8_t>* vector) noexcept {
    return vector == nullptr ? Bytes{} : std::as_bytes(std::span(vector->data(), vector->size()));
}

std::string_view text_of(const flatbuffers::String* string) noexcept {
    return string == nullptr ? std::string_view{}
                             : std::string_view(string->data(), string->size());
}

std::string password_rule() {
    return "a password has at most " + std::to_string(password_bytes_max) + " bytes";
}

}  // namespace

// ---- messages ----------------------------------------------------------------------------------

bool FrontServer::within_rate(Connection& connection) noexcept {
    const TokenRate rate{.per_second = options_.messages_per_second_max,
                         .burst = options_.messages_per_second_max};
    return connection.messages.take(rate, now_ns_);
}

std::string FrontServer::rate_text() const {
    return "at most " + std::to_string(options_.messages_per_second_max) + " messages a second";
}

FrontServer::Handled FrontServer::take_message(Connection& connection, Bytes frame) {
    const auto* root = wire::verified_from_client(frame);
    if (root == nullptr) {
        fail(connection, wire::ErrorCode::malformed, "not a message of this protocol");
        return Handled::done;
    }
    connection.heard_ns = now_ns_;
    if (connection.refusal) {
        fail(connection, connection.refusal->code, connection.refusal->text);
        return Handled::done;
    }
    // A message that waited out back-pressure was counted when it came.
    const bool is_new = connection.stalled_since_ns == 0;
    statistics_.add(FrontStatistic::messages_in, is_new ? 1 : 0);
    if (is_new && !within_rate(connection)) {
        fail(connection, wire::ErrorCode::rate, rate_text());
        return Handled::done;
    }
    const auto type = root->message_type();
    happened::frame(value(connection.session.id), frame.size(), static_cast<std::uint32_t>(type));
    if ((connection.stage == Stage::greeting) != (type == wire::ClientMessage::Hello)) {
        fail(connection, wire::ErrorCode::out_of_order, "Hello comes first, and once");
        return Handled::done;
    }
    switch (type) {
        case wire::ClientMessage::Hello: return take_hello(connection, *root->message_as_Hello());
        case wire::ClientMessage::Join: return take_join(connection, *root->message_as_Join());
        case wire::ClientMessage::Watch: return take_watch(connection, *root->message_as_Watch());
        case wire::ClientMessage::Leave: return take_leave(connection);
        case wire::ClientMessage::Resume:
            return take_resume(connection, *root->message_as_Resume());
        case wire::ClientMessage::Input: return take_input(connection, *root->message_as_Input());
        case wire::ClientMessage::List: return take_list(connection, *root->message_as_List());
        case wire::ClientMessage::Ping:
            say(connection, messages_.pong(root->message_as_Ping()->nonce()));
            return Handled::done;
        case wire::ClientMessage::Seen: return take_seen(connection, *root->message_as_Seen());
        case wire::ClientMessage::NONE: break;
    }
    fail(connection, wire::ErrorCode::malformed, "a message this host does not know");
    return Handled::done;
}

FrontServer::Handled FrontServer::take_hello(Connection& connection, const wire::Hello& hello) {
    if (hello.protocol_version() != wire::protocol_version) {
        fail(connection, wire::ErrorCode::version,
             "you speak protocol version " + std::to_string(hello.protocol_version()) +
                 ", this host version " + std::to_string(wire::protocol_version));
        return Handled::done;
    }
    connection.session.id = make_session_id(link_.slot(), link_.epoch(), ++sessions_made_);
    connection.session.since_ns = now_ns_;
    connection.session.deltas = hello.deltas();
    connection.stage = Stage::serving;
    statistics_.set(FrontStatistic::sessions, ++sessions_open_);
    const ResumeToken token = make_resume_token();
    connection.session.key = resume_key_of(token);
    happened::session_open(value(connection.session.id),
                           static_cast<std::uint64_t>(connection.peer), connection.index);
    show(connection);
    say(connection, messages_.welcome({.session = connection.session.id,
                                       .token = token,
                                       .resume_grace = options_.resume_grace,
                                       .inputs_per_second_max = options_.messages_per_second_max,
                                       .trace_every = options_.trace_every}));
    return Handled::done;
}

FrontServer::Handled FrontServer::take_join(Connection& connection, const wire::Join& join) {
    Session& session = connection.session;
    if (session.membership == Membership::leaving) {
        return Handled::later;  // its Left is on the way
    }
    if (session.membership != Membership::none) {
        fail(connection, wire::ErrorCode::out_of_order, "a session is in one game at a time");
        return Handled::done;
    }
    const Bytes config = bytes_of(join.config());
    const Bytes parameters = bytes_of(join.parameters());
    const std::string_view type = text_of(join.game_type());
    if (!is_game_name(text_of(join.game()))) {
        refuse(connection, RefuseReason::bad_name, std::string(game_name_rule));
    } else if (type.size() > type_name_bytes_max) {
        refuse(connection, RefuseReason::unknown_type,
               "a game type's name has at most " + std::to_string(type_name_bytes_max) + " bytes");
    } else if (config.size() > config_bytes_max || parameters.size() > join_parameters_bytes_max) {
        refuse(connection, RefuseReason::bad_parameters,
               "config has at most " + std::to_string(config_bytes_max) +
                   " bytes, parameters at most " + std::to_string(join_parameters_bytes_max));
    } else if (text_of(join.password()).size() > password_bytes_max) {
        refuse(connection, RefuseReason::bad_parameters, password_rule());
    } else if (join.mode() > wire::JoinMode::MAX) {
        fail(connection, wire::ErrorCode::malformed, "a join mode this host does not know");
    } else {
        const OpenMode modes[] = {OpenMode::find_or_create, OpenMode::find, OpenMode::create};
        JoinWish wish;
        wish.open.name = text_of(join.game());
        wish.open.type = type;
        wish.open.mode = modes[static_cast<std::size_t>(join.mode())];
        wish.open.password = password_key_of(wish.open.name, text_of(join.password()));
        wish.open.unlisted = join.unlisted();
        wish.open.config.assign(config.begin(), config.end());
        wish.parameters.assign(parameters.begin(), parameters.end());
        wish.nickname = nickname_of(text_of(join.nickname()));
        begin(connection, std::move(wish));
    }
    return Handled::done;
}

FrontServer::Handled FrontServer::take_resume(Connection& connection, const wire::Resume& resume) {
    Session& session = connection.session;
    if (session.membership == Membership::leaving) {
        return Handled::later;
    }
    const auto& sessions = *resume.sessions();
    const Bytes tokens = bytes_of(resume.tokens());
    if (session.membership != Membership::none) {
        fail(connection, wire::ErrorCode::out_of_order, "a session is in one game at a time");
    } else if (!is_game_name(text_of(resume.game()))) {
        refuse(connection, RefuseReason::bad_name, std::string(game_name_rule));
    } else if (sessions.size() == 0 || sessions.size() > resume_candidates_max ||
               tokens.size() != sessions.size() * resume_token_bytes) {
        refuse(connection, RefuseReason::no_such_session,
               "resume 1 to " + std::to_string(resume_candidates_max) + " sessions, with " +
                   std::to_string(resume_token_bytes) + " bytes of token for each");
    } else {
        JoinWish wish;
        wish.open.name = text_of(resume.game());
        wish.open.mode = OpenMode::find;
        wish.open.resuming = true;
        for (std::uint32_t i = 0; i < sessions.size(); ++i) {
            wish.resume.push_back(
                {.session = sessions.Get(i),
                 .key = resume_key_of(tokens.subspan(i * resume_token_bytes, resume_token_bytes))});
        }
        begin(connection, std::move(wish));
    }
    return Handled::done;
}

FrontServer::Handled FrontServer::take_watch(Connection& connection, const wire::Watch& watch) {
    if (connection.session.membership == Membership::leaving) {
        return Handled::later;
    }
    if (connection.session.membership != Membership::none) {
        fail(connection, wire::ErrorCode::out_of_order, "a session is in one game at a time");
    } else if (!is_game_name(text_of(watch.game()))) {
        refuse(connection, RefuseReason::bad_name, std::string(game_name_rule));
    } else if (text_of(watch.password()).size() > password_bytes_max) {
        refuse(connection, RefuseReason::bad_parameters, password_rule());
    } else {
        JoinWish wish;
        wish.open.name = text_of(watch.game());
        wish.open.mode = OpenMode::find;
        wish.open.password = password_key_of(wish.open.name, text_of(watch.password()));
        wish.watch = true;
        begin(connection, std::move(wish));
    }
    return Handled::done;
}

FrontServer::Handled FrontServer::take_leave(Connection& connection) {
    Session& session = connection.session;
    switch (session.membership) {
        case Membership::none:
            if (!session.was_in_game) {  // else it crossed with our Left
                fail(connection, wire::ErrorCode::out_of_order, "there is no game to leave");
            }
            return Handled::done;
        case Membership::asking:
        case Membership::opening:
        case Membership::entering: return Handled::later;
        case Membership::joining:
        case Membership::seated:
            if (!games_.write(*game_of(connection), EventKind::leave, session.id, 0, {})) {
                return Handled::later;
            }
            session.membership = Membership::leaving;
            return Handled::done;
        case Membership::leaving: return Handled::done;
        case Membership::watching: leave(connection, LeaveReason::left, ""); return Handled::done;
    }
    return Handled::done;
}

FrontServer::Handled FrontServer::take_input(Connection& connection, const wire::Input& input) {
    Session& session = connection.session;
    const Bytes bytes = bytes_of(input.bytes());
    if (session.membership == Membership::asking || session.membership == Membership::opening ||
        session.membership == Membership::entering) {
        return Handled::later;  // behind the join event
    }
    if (session.membership == Membership::joining && !session.wish->resume.empty()) {
        return Handled::later;  // which number is the next, Joined says
    }
    if (session.membership != Membership::joining && session.membership != Membership::seated) {
        if (!session.was_in_game) {  // else it crossed with our Left
            fail(connection, wire::ErrorCode::out_of_order, "input needs a game");
        }
        return Handled::done;
    }
    if (bytes.size() > input_bytes_max) {
        fail(connection, wire::ErrorCode::message_too_large,
             "an input has at most " + std::to_string(input_bytes_max) + " bytes");
        return Handled::done;
    }
    if (input.number() <= session.last_input) {
        return Handled::done;  // sent again; it counted the first time
    }
    if (input.number() != session.last_input + 1) {
        fail(connection, wire::ErrorCode::out_of_order,
             "input " + std::to_string(input.number()) + " follows " +
                 std::to_string(session.last_input));
        return Handled::done;
    }
    FollowedGame& game = *game_of(connection);
    if (!games_.write(game, EventKind::input, session.id, input.number(), bytes)) {
        return Handled::later;
    }
    happened::input(value(session.id), game.link.position(), input.number());
    session.last_input = input.number();
    return Handled::done;
}

/// Foreign numbers, of a foreign clock: only shown.
FrontServer::Handled FrontServer::take_seen(const Connection& connection, const wire::Seen& seen) {
    const std::uint64_t session = value(connection.session.id);
    happened::client_sent(session, static_cast<std::uint64_t>(seen.sent_ns()), seen.number());
    happened::client_saw(session, static_cast<std::uint64_t>(seen.seen_ns()), seen.number());
    return Handled::done;
}

// ---- answers -----------------------------------------------------------------------------------

void FrontServer::say(Connection& connection, BufferRef message) {
    if (!connections_.queue(connection, std::move(message), now_ns_)) {
        fail(connection, wire::ErrorCode::too_slow, "you do not read the answers you asked for");
    }
}

void FrontServer::fail(Connection& connection, wire::ErrorCode code, const std::string& text) {
    connection.error = code;
    end_session(connection);
    if (connection.http) {
        respond(connection, {}, refusal_response(code, text));
    } else {
        connections_.fail(connection, closes_by(code), last_words(connection, code, text), now_ns_);
    }
}

BufferRef FrontServer::last_words(Connection& connection, wire::ErrorCode code,
                                  const std::string& text) {
    BufferRef error = messages_.error(code, text);
    if (!connection.web_socket) {
        return error;
    }
    static_cast<void>(connections_.queue(connection, std::move(error), now_ns_));
    return messages_.raw(web_socket_close(static_cast<std::uint16_t>(code), text));
}

/// Once a turn in which games have moved on, and every sweep.
void FrontServer::retry_later(Connection& connection) {
    if (!connection.in_retries) {
        connection.in_retries = true;
        retries_.push_back(connection.index);
    }
}

void FrontServer::retry() {
    if (!std::exchange(retry_due_, false)) {
        return;
    }
    games_.retry_departures();
    if (!lists_waiting_.empty()) {
        answer_lists();
    }
    retrying_.swap(retries_);
    retries_.clear();
    for (const std::uint32_t index : retrying_) {
        Connection& connection = connections_.at(index);
        connection.in_retries = false;
        if (connection.session.membership == Membership::asking) {
            ask(connection);
        } else if (connection.session.membership == Membership::entering) {
            enter(connection);
        }
        const bool answered = connection.http && !connection.request;
        if (connection.open() && (connection.stalled || answered)) {
            resume(connection);
        }
    }
}

}  // namespace ringside
