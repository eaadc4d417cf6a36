#include "followed_games.hpp"

#include <algorithm>
#include <utility>

#include "ringside/core/invariant.hpp"

namespace ringside {

bool FollowedGame::write(EventKind kind, SessionId session, std::uint32_t input_number,
                         Bytes body) noexcept {
    const EventHeader header{.session = value(session),
                             .link_epoch = 1,
                             .input_number = input_number,
                             .body_bytes = static_cast<std::uint32_t>(body.size()),
                             .reserved = 0};
    const bool written = link.try_write(kind, header, body);
    unpublished = unpublished || written;
    return written;
}

void FollowedGame::write_departures() noexcept {
    while (!departures.empty() && write(EventKind::leave, SessionId{departures.back()}, 0, {})) {
        departures.pop_back();
    }
}

bool FollowedGame::settled() const noexcept {
    return members.empty() && watchers.empty() && departures.empty() && !unpublished &&
           applied_position >= link.position();
}

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
    return *by_slot_[slot];
}

void FollowedGames::publish() noexcept {
    for_each([](FollowedGame& game) {
        if (game.unpublished) {
            game.link.publish();
            game.unpublished = false;
        }
    });
}

void FollowedGames::close(std::uint32_t slot) noexcept {
    if (in_slot(slot) != nullptr) {
        by_slot_[slot]->link.set_watchers(0);
        by_slot_[slot]->link.set_following(false);
        by_slot_[slot].reset();
        std::erase(slots_, slot);
    }
}

void FollowedGames::close_unused() noexcept {
    for (std::size_t i = slots_.size(); i-- > 0;) {
        const FollowedGame& game = *by_slot_[slots_[i]];
        if (game.over || game.settled()) {
            close(slots_[i]);
        }
    }
}

}  // namespace ringside
