#pragma once
// BotPlayer: one bot's connection and seat, from Hello to the end of its match.

#include <cstdint>
#include <string>

#include "view_follower.hpp"

#include "ringside/net/client.hpp"
#include "ringside/tron/bot.hpp"
#include "ringside/tron/types.hpp"

namespace ringside {

class BotPlayer {
public:
    enum class State { greeting, joining, playing, reconnecting, leaving, gone, failed };

    BotPlayer(Client client, JoinRequest join, std::uint64_t seed);

    /// Takes what the host has sent and answers each view. Sends what waits.
    void serve(bool rematch);

    /// Requires `reconnecting`: one attempt, after which fd() is another one if it serves again.
    void reconnect();

    /// Gives the seat back; the player is gone when the host has said so.
    void leave();

    [[nodiscard]] State state() const noexcept { return state_; }
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }  // of failed
    [[nodiscard]] const std::string& game() const noexcept { return join_.game; }
    [[nodiscard]] int fd() const noexcept { return client_.fd(); }
    [[nodiscard]] bool wants_write() const noexcept { return client_.wants_write(); }

    [[nodiscard]] std::uint64_t races_finished() const noexcept { return races_finished_; }
    [[nodiscard]] std::uint64_t views() const noexcept { return views_; }
    [[nodiscard]] std::uint64_t inputs() const noexcept { return inputs_; }
    [[nodiscard]] const tron::View& view() const noexcept { return follower_.view(); }

    /// Of the last message, or of the start, on the monotonic clock.
    [[nodiscard]] std::int64_t heard_ns() const noexcept { return heard_ns_; }

    void fail(std::string reason);

private:
    void take(const wire::FromHost& message, bool rematch);
    void lose(const Error& error);
    void answer_view(bool rematch);
    void note_phase(tron::MatchPhase phase);

    Client client_;
    JoinRequest join_;
    tron::Bot bot_;
    ViewFollower follower_;
    State state_ = State::greeting;
    std::string reason_;
    std::uint8_t number_ = 0;
    bool racing_ = false;
    std::uint64_t races_finished_ = 0;
    std::uint64_t views_ = 0;
    std::uint64_t inputs_ = 0;
    std::int64_t heard_ns_ = 0;
};

}  // namespace ringside
