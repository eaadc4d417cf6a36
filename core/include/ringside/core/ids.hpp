#pragma once
// The strong integer types that several folders share.

#include <cstdint>

namespace ringside {

/// One client's membership, unique on a host: front slot (8 bits), that front's epoch (24 bits) and
/// a counter (32 bits), so no two fronts, dead ones included, can hand out the same.
enum class SessionId : std::uint64_t {};

[[nodiscard]] constexpr SessionId make_session_id(std::uint32_t front_slot,
                                                  std::uint32_t front_epoch,
                                                  std::uint32_t counter) noexcept {
    return SessionId{std::uint64_t{front_slot} << 56 |
                     (std::uint64_t{front_epoch} & 0xff'ffff) << 32 | counter};
}

/// The low 24 bits of the epoch of the front that made this session.
[[nodiscard]] constexpr std::uint32_t front_epoch_of(SessionId id) noexcept {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(id) >> 32) & 0xff'ffff;
}

/// A place in a game, from 0; what a player is called ("player 1") is the game type's business.
enum class Seat : std::uint8_t {};

/// Steps of a game since it was made. A parked game does not step, so this is not a clock.
enum class Tick : std::uint64_t {};

[[nodiscard]] constexpr std::uint64_t value(SessionId id) noexcept {
    return static_cast<std::uint64_t>(id);
}
[[nodiscard]] constexpr std::uint8_t value(Seat seat) noexcept {
    return static_cast<std::uint8_t>(seat);
}
[[nodiscard]] constexpr std::uint64_t value(Tick tick) noexcept {
    return static_cast<std::uint64_t>(tick);
}

/// A game's place in the directory, and which game that has been there is meant: a slot is reused,
/// a (slot, epoch) pair never.
struct GameId {
    std::uint32_t slot = 0;
    std::uint32_t epoch = 0;
    friend bool operator==(const GameId&, const GameId&) = default;
};

}  // namespace ringside
