#include "bot_player.hpp"

#include <fmt/format.h>

#include "reasons.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/printable.hpp"

namespace ringside {
BotPlayer::BotPlayer(Client client, JoinRequest join, std::uint64_t seed)
    : client_(std::move(client)), join_(std::move(join)), bot_(seed), heard_ns_(monotonic_ns()) {}

void BotPlayer::serve(bool rematch) {
    while (state_ != State::gone && state_ != State::failed) {
        const auto message = client_.try_receive();
        if (!message) {
            lose(message.error());
            return;
        }
        if (*message == nullptr) {
            client_.flush();
            return;
        }
        heard_ns_ = monotonic_ns();
        take(**message, rematch);
    }
}

void BotPlayer::lose(const Error& error) {
    const bool in_game = state_ == State::joining || state_ == State::playing;
    if (in_game && client_.can_reconnect()) {
        state_ = State::reconnecting;
    } else {
        fail(error.text());
    }
}

void BotPlayer::reconnect() {
    if (!client_.can_reconnect()) {
        fail("the connection was lost, and the host did not come back in time");
    } else if (client_.reconnect()) {
        state_ = State::playing;  // or Refused is on its way
    }
}

void BotPlayer::leave() {
    if (state_ == State::playing || state_ == State::joining) {
        state_ = State::leaving;
        client_.leave();
    }
}

void BotPlayer::fail(std::string reason) {
    state_ = State::failed;
    reason_ = printable(reason);
}

void BotPlayer::take(const wire::FromHost& message, bool rematch) {
    if (state_ == State::greeting && message.message_as_Welcome() != nullptr) {
        client_.join(join_);
        state_ = State::joining;
    } else if (const auto* joined = message.message_as_Joined()) {
        number_ = static_cast<std::uint8_t>(joined->seat() + 1);
        state_ = state_ == State::joining ? State::playing : state_;
    } else if (const auto* refused = message.message_as_Refused()) {
        fail(fmt::format("not let in: {}", refusal(*refused)));
    } else if (const auto* left = message.message_as_Left()) {
        // A game may end by itself between our Leave and the host's reading it: gone all the same.
        if (state_ == State::leaving) {
            state_ = State::gone;
        } else {
            fail(fmt::format("put out of the game: {}", farewell(*left)));
        }
    } else {
        const auto took = follower_.take(message);
        if (took == ViewFollower::Took::damaged) {
            fail("the host sent a view that is none");
        } else if (took == ViewFollower::Took::view && state_ == State::playing) {
            answer_view(rematch);
        }
    }
}

void BotPlayer::answer_view(bool rematch) {
    ++views_;
    note_phase(view().phase);
    if (races_finished_ > 0 && !rematch) {
        return;  // pressing `i` now would ask for another race
    }
    const auto keys =
        bot_.decide(view(), number_);  // g++ 12 would not keep it for the loop's range
    for (const std::byte& key : keys.bytes()) {
        client_.input({&key, 1});
        ++inputs_;
    }
}

// One finish is seen in many views, or only as `restarting` when a rematch was asked for at once.
void BotPlayer::note_phase(tron::MatchPhase phase) {
    using enum tron::MatchPhase;
    if (phase == countdown || phase == started) {
        racing_ = true;
    } else if (racing_) {
        racing_ = false;
        ++races_finished_;
    }
}

}  // namespace ringside
