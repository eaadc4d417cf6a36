#pragma once
// Config: what makes one game of tron differ from another, and the bytes it travels in.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ringside/core/game.hpp"

namespace ringside::tron {

struct Config {
    std::uint16_t width = 80;   // cells, from 10; from 1 in a replay
    std::uint16_t height = 22;  // cells, from 8; from 1 in a replay
    std::uint8_t seats = 1;     // [1, 6]; 1 is practice: the race ends when the one cycle is dead
    std::uint16_t tick_ms =
        100;              // [10, 1000]; a replay counts down 100 ms a tick, whatever this is
    bool replay = false;  // the ancestor's own rules: joins shrink the arena, starts given
    friend bool operator==(const Config&, const Config&) = default;
};

inline constexpr std::uint16_t width_min = 10;  // below, starts share cells or lie on the border
inline constexpr std::uint16_t height_min = 8;
inline constexpr std::uint32_t cells_max = 16384;  // width × height: a wall's cell has 14 bits
inline constexpr std::uint16_t tick_ms_min = 10;
inline constexpr std::uint16_t tick_ms_max = 1000;

[[nodiscard]] std::vector<std::byte> encode_config(const Config& config);

/// Judges foreign bytes; empty means the defaults. The Error names the value and its range.
[[nodiscard]] Result<Config> decode_config(Bytes bytes);

struct Screen {
    std::uint16_t width = 0;  // 0: not given
    std::uint16_t height = 0;
};

/// A joiner's screen, to which a replay cuts its arena down; live games ignore it.
[[nodiscard]] std::vector<std::byte> encode_join_parameters(Screen screen);

/// Judges foreign bytes; what is missing or malformed reads as a screen not given.
[[nodiscard]] Screen decode_join_parameters(Bytes bytes) noexcept;

}  // namespace ringside::tron
