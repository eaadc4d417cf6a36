// FrontServer: what a published snapshot means for the sessions of its game.

#include <algorithm>
#include <span>
#include <utility>

#include "front_server.hpp"

#include "ringside/ipc/happenings.hpp"

namespace ringside {

/// The wakes travel with the sends of this turn: a system call for each costs as much as the rest
/// of a message.
void FrontServer::publish() {
    games_.publish([this](BellWord& bell) {
        if (futexes_) {
            loop_.futex_wake(bell);
        } else {
            wake(bell);
        }
    });
}

void FrontServer::take_news() {
    link_.ringing().drain([this](std::uint32_t slot) { games_.note_news(slot); });
    // The bitmap is a hint that any game can scribble on: the sweep bounds the delay.
    if (now_ns_ >= next_sweep_ns_) {
        games_.sweep();
    }
    games_.take_news([this](FollowedGame& game) { read_news(game); });
}

void FrontServer::read_news(FollowedGame& game) {
    SnapshotReader& reader = game.link.snapshots();
    snapshot_.resize(std::max(snapshot_.size(), (reader.payload_bytes_max() + std::size_t{7}) / 8));
    const MutableBytes copy = std::as_writable_bytes(std::span(snapshot_));
    std::size_t bytes = 0;
    switch (reader.read_newest(copy, bytes)) {
        case SnapshotRead::nothing: return;
        case SnapshotRead::lapped:  // the next ring or sweep comes back here
            happened::drop(0, reader.sequence(), static_cast<std::uint32_t>(DropReason::lapped));
            statistics_.add(FrontStatistic::drops_lapped);
            return;
        case SnapshotRead::record: break;
        case SnapshotRead::damaged: bytes = 0; break;
    }
    const auto parts = parse_snapshot(copy.first(bytes));
    if (!parts || std::max(parts->view.size(), parts->delta.size()) > view_bytes_limit) {
        statistics_.add(FrontStatistic::drops_damaged);
        statistics_.note_error("a game published something that cannot be right");
        happened::drop(0, reader.sequence(), static_cast<std::uint32_t>(DropReason::damaged));
        give_up(game, "the game published something that cannot be right");
        return;
    }
    statistics_.add(FrontStatistic::snapshots_read);
    happened::snapshot_read(game_key(game.link.id()), reader.sequence(),
                            static_cast<std::uint32_t>(bytes));
    retry_due_ = true;  // it has read events: there may be room
    games_.note_maybe_unused(game);
    apply_snapshot(game, *parts);
}

void FrontServer::apply_snapshot(FollowedGame& game, const SnapshotParts& parts) {
    note_nicknames(game, parts);
    const std::uint64_t position = parts.event_position(link_.slot());
    if (std::exchange(game.applied_position, position) != position) {
        settle_joins(game, parts);  // first Joined …
    }
    broadcast(game, parts);       // … then the snapshot it is in …
    settle_answers(game, parts);  // … then Left
    if ((parts.header.flags & snapshot_ended) != 0) {
        const auto reason = static_cast<LeaveReason>(parts.header.end_reason & 0xff);
        finish(game, reason == LeaveReason::none ? LeaveReason::game_ended : reason);
    }
}

/// To those who are in it; newcomers are told when they are let in.
void FrontServer::note_nicknames(FollowedGame& game, const SnapshotParts& parts) {
    nicknames_.assign(game.nicknames.size(), {});
    for (const RosterEntry& entry : parts.roster) {
        if (entry.seat < nicknames_.size()) {
            nicknames_[entry.seat] = entry.nickname;
        }
    }
    if (nicknames_ == game.nicknames) {
        return;
    }
    game.nicknames = nicknames_;
    std::ranges::transform(nicknames_, nicknames_.begin(), [](const Nickname& nickname) {
        return nickname_of(text_of(nickname));  // foreign
    });
    game.players = messages_.players(nicknames_);
    for (const std::uint32_t index : copy_of(game.members)) {
        if (connections_.at(index).session.membership == Membership::seated) {
            tell_players(connections_.at(index), game);
        }
    }
    for (const std::uint32_t index : copy_of(game.watchers)) {
        tell_players(connections_.at(index), game);
    }
}

void FrontServer::tell_players(Connection& connection, const FollowedGame& game) {
    if (game.players) {
        say(connection, game.players);
    }
}

void FrontServer::settle_joins(FollowedGame& game, const SnapshotParts& parts) {
    for (const std::uint32_t index : copy_of(game.members)) {
        Connection& connection = connections_.at(index);
        Session& session = connection.session;
        if (session.membership != Membership::joining ||
            parts.event_position(link_.slot()) < session.join_end_position) {
            continue;  // an entry in there would be of an earlier membership
        }
        const auto entry = std::ranges::find_if(parts.roster, [&](const RosterEntry& each) {
            return each.session == value(session.id) && each.front_slot == link_.slot();
        });
        if (entry != parts.roster.end()) {
            session.membership = Membership::seated;
            session.last_input = std::max(session.last_input, entry->last_input);
            session.nickname = nickname_of(text_of(entry->nickname));  // foreign
            session.wish.reset();
            show(connection);
            say(connection, messages_.joined(game.link.plan(), *entry));
            tell_players(connection, game);
        }
    }
}

/// Believes only answers to sessions that are in this game here.
void FrontServer::settle_answers(FollowedGame& game, const SnapshotParts& parts) {
    std::uint64_t highest = game.answers_seen;
    for (const RosterAnswer& answer : parts.answers) {
        if (answer.front_slot != link_.slot() || answer.number <= game.answers_seen) {
            continue;
        }
        highest = std::max(highest, answer.number);
        const auto member = std::ranges::find_if(game.members, [&](std::uint32_t index) {
            return value(connections_.at(index).session.id) == answer.session;
        });
        if (member == game.members.end()) {
            continue;  // disconnected meanwhile
        }
        Connection& connection = connections_.at(*member);
        if (answer.kind == static_cast<std::uint8_t>(AnswerKind::left)) {
            leave(connection, static_cast<LeaveReason>(answer.reason), "");
        } else if (answer.kind == static_cast<std::uint8_t>(AnswerKind::input_dropped)) {
            say(connection, messages_.notice(wire::NoticeCode::input_dropped,
                                             "what you did last made the game crash; it goes on "
                                             "without it"));
        } else {
            refuse(connection, static_cast<RefuseReason>(answer.reason), "");
        }
    }
    if (highest > game.answers_seen) {
        game.answers_seen = highest;
        game.link.acknowledge(highest);
    }
}

/// Deltas to those that have the view before, whole views to the others; each is encoded once, and
/// only if somebody gets it.
void FrontServer::broadcast(FollowedGame& game, const SnapshotParts& parts) {
    const std::uint64_t sequence = game.link.snapshots().sequence();
    const bool again = sequence == game.sequence;  // for a newcomer: the others have it
    const bool next = sequence == game.sequence + 1;
    BufferRef delta;
    if (next && !parts.delta.empty()) {
        delta = messages_.delta(parts, changed_inputs(game, parts.roster));
    }
    note_inputs(game, parts.roster);
    game.sequence = sequence;
    game.newest.reset();
    const auto send = [&](Connection& connection) {
        if (again && connection.view_sequence == sequence) {
            return;
        }
        if (delta && connection.session.deltas &&
            connections_.send_delta(connection, delta, sequence, now_ns_)) {
            return;
        }
        if (!game.newest) {
            game.newest = messages_.snapshot(parts);
        }
        connections_.send_snapshot(connection, game.newest, sequence, now_ns_);
    };
    for (const std::uint32_t index : game.members) {
        Connection& connection = connections_.at(index);
        const Membership membership = connection.session.membership;
        if (membership == Membership::seated || membership == Membership::leaving) {
            send(connection);
        }
    }
    for (const std::uint32_t index : game.watchers) {
        send(connections_.at(index));
    }
}

std::span<const RosterEntry> FrontServer::changed_inputs(const FollowedGame& game,
                                                         std::span<const RosterEntry> roster) {
    changed_inputs_.clear();
    std::ranges::copy_if(
        roster, std::back_inserter(changed_inputs_), [&](const RosterEntry& entry) {
            return entry.seat < game.inputs.size() && game.inputs[entry.seat] != entry.last_input;
        });
    return changed_inputs_;
}

void FrontServer::note_inputs(FollowedGame& game, std::span<const RosterEntry> roster) {
    for (const RosterEntry& entry : roster) {
        if (entry.seat < game.inputs.size()) {
            game.inputs[entry.seat] = entry.last_input;
        }
    }
}

/// The last snapshot is broadcast. Its sessions get it, however slow they are, and then Left.
void FrontServer::finish(FollowedGame& game, LeaveReason reason) {
    game.over = true;
    for (const std::uint32_t index : copy_of(game.watchers)) {
        connections_.keep_snapshot(connections_.at(index));
        leave(connections_.at(index), reason, "");
    }
    for (const std::uint32_t index : copy_of(game.members)) {
        Connection& connection = connections_.at(index);
        if (connection.session.membership == Membership::seated ||
            connection.session.membership == Membership::leaving) {
            connections_.keep_snapshot(connection);
            leave(connection, reason, "");
        } else {
            ask_again(connection, game.link.id());
        }
    }
}

/// The game cannot be used any more: it failed, or what it publishes is damaged.
void FrontServer::give_up(FollowedGame& game, const std::string& why) {
    game.over = true;
    game.failed = true;
    for (const std::uint32_t index : copy_of(game.watchers)) {
        leave(connections_.at(index), LeaveReason::game_failed, why);
    }
    for (const std::uint32_t index : copy_of(game.members)) {
        Connection& connection = connections_.at(index);
        const Membership membership = connection.session.membership;
        if (membership != Membership::entering) {  // should it go on, without them
            games_.depart(game, connection.session.id, EventKind::detach);
        }
        if (membership == Membership::seated || membership == Membership::leaving) {
            leave(connection, LeaveReason::game_failed, why);
        } else {
            refuse(connection, RefuseReason::no_room, why);
        }
    }
    game.link.publish();
    games_.note_maybe_unused(game);
}

/// For loops whose body may take a connection out of the list it walks.
const std::vector<std::uint32_t>& FrontServer::copy_of(
    const std::vector<std::uint32_t>& connections) {
    visited_ = connections;
    return visited_;
}

}  // namespace ringside
