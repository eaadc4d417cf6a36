#pragma once
// Bot: a player that sees only the view.
//
// It steers by free space: of the cells it can step to next it takes the one from which most can
// be reached, keeping away from where others may step. It lays walls in stretches that grow
// longer, and after a while without end, so the space fills and every race ends: at the latest
// after bot_walls_forever_ticks plus one tick for each cell.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ringside/core/random.hpp"
#include "ringside/tron/types.hpp"

namespace ringside::tron {

inline constexpr std::uint32_t bot_walls_forever_ticks = 400;

/// Up to three keys to be sent in order, each as an input of its own, before the next tick.
class Keys {
public:
    void add(Key key) noexcept { bytes_[count_++] = static_cast<std::byte>(key); }
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
        return std::span(bytes_).first(count_);
    }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }

private:
    std::array<std::byte, 3> bytes_{};
    std::size_t count_ = 0;
};

class Bot {
public:
    /// All that a bot carries from one view to the next.
    struct Memory {
        std::uint64_t random = 0;
        std::uint32_t race_ticks = 0;
        std::uint32_t stretch_ticks = 0;  // left of the present stretch with or without walls
        bool laying = false;
    };

    explicit Bot(std::uint64_t seed) noexcept : random_(seed) {}
    explicit Bot(const Memory& memory) noexcept
        : random_(memory.random),
          race_ticks_(memory.race_ticks),
          stretch_ticks_(memory.stretch_ticks),
          laying_(memory.laying) {}
    [[nodiscard]] Memory memory() const noexcept {
        return {.random = random_.state(),
                .race_ticks = race_ticks_,
                .stretch_ticks = stretch_ticks_,
                .laying = laying_};
    }

    /// Between races: the next one begins anew.
    void rest() noexcept;

    /// What to press on seeing this view, as the player of this number; call it once a view. No
    /// keys when the number is not in the game.
    [[nodiscard]] Keys decide(const View& view, std::uint8_t number);

private:
    struct Place {
        std::int32_t x = 0;
        std::int32_t y = 0;
    };

    [[nodiscard]] Keys race(const View& view, const Cycle& me);
    void map(const View& view, const Cycle& me);
    [[nodiscard]] bool free(Place place) const noexcept;
    [[nodiscard]] std::int32_t worth(Place place, Direction direction);
    [[nodiscard]] std::int32_t reachable_from(Place place);
    [[nodiscard]] Direction best_direction(const Cycle& me);
    [[nodiscard]] bool wants_walls();
    [[nodiscard]] std::size_t cell(Place place) const noexcept;

    Random random_;
    std::uint32_t race_ticks_ = 0;
    std::uint32_t stretch_ticks_ = 0;
    bool laying_ = false;
    std::int32_t width_ = 0;
    std::int32_t height_ = 0;
    std::vector<std::uint8_t> blocked_;    // by cell
    std::vector<std::uint8_t> contested_;  // by cell: another cycle may step there next
    std::vector<std::uint32_t> visited_;   // by cell: the search that reached it
    std::uint32_t search_ = 0;
    std::vector<Place> queue_;
};

}  // namespace ringside::tron
