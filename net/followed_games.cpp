#include "followed_games.hpp"

#include <algorithm>
#include <utility>

#include "ringside/core/invariant.hpp"
#include "ringside/ipc/happenings.hpp"

namespace ringside {

bool FollowedGame::settled() const noexcept {
    return members.empty() && watchers.empty() && departures.empty() && !unpublished &&
           applied_position >= link.position();
}

// ---- the table ---------------------------------------------------------------------------------

FollowedGame* FollowedGames::find(GameId id) noexcept {
    FollowedGame* game = in_slot(id.slot);
    return game != nullptr && game->link.id() == id ? game : nullptr;
}

FollowedGame& FollowedGames::add(GameLink link) {
    const std::uint32_t slot = link.id().slot;
    invariant(slot < by_slot_.size() && by_slot_[slot] == nullptr, "two games in one slot");
    by_slot_[slot] = std::make_unique<FollowedGame>(std::move(link));
    slots_.push_back(slot);
    by_slot_[slot]->link.set_following(true);
    note_maybe_unused(*by_slot_[slot]);  // whoever wanted it may have gone meanwhile
    return *by_slot_[slot];
}

void FollowedGames::close(std::uint32_t slot) noexcept {
    if (in_slot(slot) != nullptr) {
        by_slot_[slot]->link.set_watchers(0);
        by_slot_[slot]->link.set_following(false);
        by_slot_[slot].reset();
        std::erase(slots_, slot);
    }
}

void FollowedGames::note(Slots& list, bool& listed, const FollowedGame& game) {
    if (!std::exchange(listed, true)) {
        list.push_back(game.link.id().slot);
    }
}

// ---- events ------------------------------------------------------------------------------------

bool FollowedGames::write(FollowedGame& game, EventKind kind, SessionId session,
                          std::uint32_t input_number, Bytes body) {
    const EventHeader header{.session = value(session),
                             .input_number = input_number,
                             .body_bytes = static_cast<std::uint32_t>(body.size())};
    const bool written = game.link.try_write(kind, header, body);
    if (written) {
        note(unpublished_, game.unpublished, game);
    } else {
        happened::back_pressure(header.session, game_key(game.link.id()),
                                static_cast<std::uint32_t>(kind));
    }
    return written;
}

void FollowedGames::depart(FollowedGame& game, SessionId session, EventKind kind) {
    game.departures.push_back({session, kind});  // by way of a list: a full ring cannot lose it
    write_departures(game);
}

void FollowedGames::write_departures(FollowedGame& game) {
    while (!game.departures.empty() &&
           write(game, game.departures.back().kind, game.departures.back().session, 0, {})) {
        game.departures.pop_back();
    }
    if (!game.departures.empty()) {
        note(departing_, game.departing, game);
    }
}

void FollowedGames::retry_departures() {
    taken_.swap(departing_);
    for (const std::uint32_t slot : taken_) {
        FollowedGame* game = in_slot(slot);
        if (game != nullptr && std::exchange(game->departing, false)) {
            write_departures(*game);
        }
    }
    taken_.clear();
}

// ---- news --------------------------------------------------------------------------------------

void FollowedGames::note_news(std::uint32_t slot) {
    if (FollowedGame* game = in_slot(slot)) {
        note(news_, game->news, *game);
    }
}

void FollowedGames::sweep() {
    for (const std::uint32_t slot : slots_) {
        if (by_slot_[slot]->link.snapshots().has_news()) {
            note_news(slot);
        }
    }
}

// ---- unused ------------------------------------------------------------------------------------

void FollowedGames::note_maybe_unused(FollowedGame& game) {
    note(maybe_unused_, game.maybe_unused, game);
}

void FollowedGames::close_unused() noexcept {
    for (const std::uint32_t slot : maybe_unused_) {
        FollowedGame* game = in_slot(slot);
        if (game != nullptr && std::exchange(game->maybe_unused, false) &&
            (game->over || game->settled())) {
            close(slot);
        }
    }
    maybe_unused_.clear();
}

}  // namespace ringside
