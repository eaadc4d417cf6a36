#include "ringside/core/nickname.hpp"

#include <algorithm>

#include "ringside/core/printable.hpp"

namespace ringside {
namespace {

// Unicode's White_Space that is no control character, and the pattern of Braille without a dot.
bool is_space(char32_t character) noexcept {
    return character == U' ' || character == U'\u00a0' || character == U'\u1680' ||
           (character >= U'\u2000' && character <= U'\u200a') || character == U'\u202f' ||
           character == U'\u205f' || character == U'\u2800' || character == U'\u3000';
}

// Unicode's Default_Ignorable_Code_Point: with them two names that differ would look alike, or one
// like none. What turns the direction of writing is among them, and printable() has marked it.
bool is_invisible(char32_t character) noexcept {
    constexpr std::array<std::array<char32_t, 2>, 13> ranges{{{0xad, 0xad},
                                                              {0x34f, 0x34f},
                                                              {0x115f, 0x1160},
                                                              {0x17b4, 0x17b5},
                                                              {0x180b, 0x180f},
                                                              {0x200b, 0x200d},
                                                              {0x2060, 0x206f},
                                                              {0x3164, 0x3164},
                                                              {0xfe00, 0xfe0f},
                                                              {0xfeff, 0xfeff},
                                                              {0xffa0, 0xffa0},
                                                              {0xfff0, 0xfff8},
                                                              {0xe0000, 0xe0fff}}};
    return std::ranges::any_of(ranges, [character](const auto& range) {
        return character >= range[0] && character <= range[1];
    });
}

}  // namespace

Nickname nickname_of(std::string_view text) {
    std::string name;
    for (const char32_t character : code_points(printable(text))) {
        const bool space = is_space(character);
        if (is_invisible(character) || (space && (name.empty() || name.back() == ' '))) {
            continue;
        }
        const std::string bytes = space ? " " : utf8_of(character);
        if (name.size() + bytes.size() > nickname_bytes_max) {
            break;
        }
        name += bytes;
    }
    while (name.ends_with(' ')) {
        name.pop_back();
    }
    Nickname nickname{};
    std::ranges::copy(name, nickname.begin());
    return nickname;
}

std::string_view text_of(const Nickname& nickname) noexcept {
    const auto end = std::ranges::find(nickname, '\0');
    return {nickname.data(), static_cast<std::size_t>(end - nickname.begin())};
}

}  // namespace ringside
