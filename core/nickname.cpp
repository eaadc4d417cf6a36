#include "ringside/core/nickname.hpp"

#include <algorithm>

#include "ringside/core/printable.hpp"

namespace ringside {

Nickname nickname_of(std::string_view text) {
    std::string name;
    for (const char32_t character : code_points(printable(text))) {
        const bool space = character == U' ' || character == U'\u00a0' || character == U'\u3000';
        if (space && (name.empty() || name.back() == ' ')) {
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
