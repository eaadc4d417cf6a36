#pragma once
// LocalGames: a host without a network and many games on it, each with one session of ours.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "ringside/core/game.hpp"
#include "ringside/ipc/local_host.hpp"
#include "ringside/ipc/snapshot.hpp"

namespace ringside::bench {

struct LocalGame {
    GameLink link;
    std::uint64_t session;
    std::uint32_t inputs = 0;  // number of the last one sent
    bool joined = false;       // a snapshot has shown the session
};

class LocalGames {
public:
    [[nodiscard]] static Result<LocalGames> start(const GameType& type, std::uint32_t games_max);

    /// Asks for `count` games of new names, all at once, joins each as soon as there is an answer,
    /// and returns when snapshots have shown every join.
    [[nodiscard]] Result<void> open(std::uint32_t count, const std::vector<std::byte>& config);

    [[nodiscard]] std::vector<LocalGame>& games() noexcept { return games_; }
    [[nodiscard]] FrontLink& front() noexcept { return host_.front(); }

    /// Sends a game of ours one more input; fails under back-pressure.
    [[nodiscard]] static Result<void> input(LocalGame& game, Bytes body);

    /// The newest snapshot, unless it was read already. Valid until the next call.
    [[nodiscard]] std::optional<SnapshotParts> read(LocalGame& game);

    /// Of a game whose process has started.
    [[nodiscard]] pid_t pid_of(const LocalGame& game);

    /// Whether every input that was sent has been applied once and in order: what each game's
    /// newest snapshot says. Waits for the last ones.
    [[nodiscard]] Result<void> check_inputs();

private:
    explicit LocalGames(LocalHost host) noexcept : host_(std::move(host)) {}

    void request(std::uint32_t& requested, std::uint32_t wanted,
                 const std::vector<std::byte>& config);
    [[nodiscard]] Result<void> take_answers();
    [[nodiscard]] Result<void> join(GameId id);
    void look_for_joins();
    [[nodiscard]] bool shows_all_inputs(LocalGame& game);

    LocalHost host_;
    std::vector<LocalGame> games_;
    std::vector<std::uint32_t> index_by_slot_;
    std::vector<std::uint64_t> copy_;
    std::uint32_t joined_ = 0;
};

}  // namespace ringside::bench
