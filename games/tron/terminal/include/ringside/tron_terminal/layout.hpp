#pragma once
// Layout: what a player sees of a game of tron, as a grid of characters. Pure: no terminal here, so
// that tests can look at it.
//
// The arena stands at the top left, one character a cell, its outermost ring drawn as the border
// that kills; below it one status line. What a player has to know now (ready screen, countdown,
// result) is laid over the middle. A small arena has room beside and below it for that.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ringside/tron/types.hpp"

namespace ringside::tron {

struct ScreenSize {
    int columns = 0;
    int rows = 0;
    friend bool operator==(const ScreenSize&, const ScreenSize&) = default;
};

/// 0: the terminal's own; 1 to seats_limit: a player's; then what is not a player.
enum class Colour : std::uint8_t { normal = 0, border = 7, notice = 8 };
inline constexpr std::uint8_t colour_count = 9;

[[nodiscard]] constexpr Colour player_colour(std::uint8_t number) noexcept {
    return static_cast<Colour>(number);
}
[[nodiscard]] std::string_view player_colour_name(std::uint8_t number) noexcept;

struct ScreenCell {
    char32_t glyph = U' ';
    Colour colour = Colour::normal;
    bool bold = false;
    bool reverse = false;
    friend bool operator==(const ScreenCell&, const ScreenCell&) = default;
};

class Canvas {
public:
    explicit Canvas(ScreenSize size);
    [[nodiscard]] ScreenSize size() const noexcept { return size_; }
    [[nodiscard]] const ScreenCell& at(int column, int row) const;

    /// Outside the screen nothing is drawn.
    void put(int column, int row, ScreenCell cell);

    /// Text of printable ASCII and the few signs used here, one column a character.
    void text(int column, int row, std::u32string_view text, ScreenCell style = {});

    /// One row as text, for tests and plain output.
    [[nodiscard]] std::u32string row(int row) const;

private:
    ScreenSize size_;
    std::vector<ScreenCell> cells_;
};

/// Everything that is drawn.
struct Scene {
    const View& view;
    std::string_view game;        // its name
    std::uint8_t seats = 1;       // players needed
    std::uint8_t own_number = 0;  // 0: a spectator
    std::string_view invitation;  // how friends join; may be empty
    bool reconnecting = false;    // the view is the last one before the connection was lost
    bool input_dropped = false;   // the own last key made the game crash
    std::span<const std::string> nicknames = {};  // by seat, UTF-8; empty, or beyond its end: none
    std::string_view replay = {};  // of a recorded match: where it is; empty: a live one
};

[[nodiscard]] ScreenSize size_needed(const View& view) noexcept;

/// The scene on a screen of this size, or a notice of the size it needs.
[[nodiscard]] Canvas lay_out(const Scene& scene, ScreenSize size);

}  // namespace ringside::tron
