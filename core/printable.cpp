#include "ringside/core/printable.hpp"

#include <cstdint>

namespace ringside {
namespace {

struct Decoded {
    std::size_t bytes;  // 0: not well-formed
    std::uint32_t code_point;
};

// RFC 3629: no surrogates, nothing above U+10FFFF, no over-long forms.
Decoded decode(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) {
        return {1, first};
    }
    const std::size_t bytes = first >= 0xf0 ? 4u : first >= 0xe0 ? 3u : 2u;
    if (first < 0xc2 || first > 0xf4 || text.size() < bytes) {
        return {0, 0};
    }
    std::uint32_t code_point = first & (0x7fu >> bytes);
    for (std::size_t i = 1; i < bytes; ++i) {
        if ((byte(i) & 0xc0) != 0x80) {
            return {0, 0};
        }
        code_point = code_point << 6 | (byte(i) & 0x3fu);
    }
    constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
    return {surrogate || code_point < smallest[bytes] || code_point > 0x10ffff ? 0u : bytes,
            code_point};
}

// C0, DEL and C1 control characters, line and paragraph separators, and the marks that turn the
// direction of writing.
bool is_control(std::uint32_t code_point) {
    return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0) || code_point == 0x61c ||
           (code_point >= 0x200e && code_point <= 0x200f) ||
           (code_point >= 0x2028 && code_point <= 0x202e) ||
           (code_point >= 0x2066 && code_point <= 0x2069);
}

}  // namespace

std::string printable(std::string_view text) {
    std::string safe;
    while (!text.empty()) {
        const Decoded decoded = decode(text);
        if (decoded.bytes == 0 || is_control(decoded.code_point)) {
            safe += '?';
        } else {
            safe += text.substr(0, decoded.bytes);
        }
        text.remove_prefix(decoded.bytes == 0 ? 1 : decoded.bytes);
    }
    return safe;
}

std::u32string code_points(std::string_view text) {
    std::u32string characters;
    while (!text.empty()) {
        const Decoded decoded = decode(text);
        characters += decoded.bytes == 0 ? U'?' : static_cast<char32_t>(decoded.code_point);
        text.remove_prefix(decoded.bytes == 0 ? 1 : decoded.bytes);
    }
    return characters;
}

std::string utf8_of(char32_t character) {
    const auto lead = [&](unsigned mark, unsigned shift) {
        return static_cast<char>(mark | (character >> shift));
    };
    const auto rest = [&](unsigned shift) {
        return static_cast<char>(0x80u | ((character >> shift) & 0x3fu));
    };
    if (character < 0x80) {
        return {static_cast<char>(character)};
    }
    if (character < 0x800) {
        return {lead(0xc0, 6), rest(0)};
    }
    if (character < 0x10000) {
        const bool surrogate = character >= 0xd800 && character <= 0xdfff;
        return surrogate ? "?" : std::string{lead(0xe0, 12), rest(6), rest(0)};
    }
    return character > 0x10ffff ? "?" : std::string{lead(0xf0, 18), rest(12), rest(6), rest(0)};
}

bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t bytes = decode(text).bytes;
        if (bytes == 0) {
            return false;
        }
        text.remove_prefix(bytes);
    }
    return true;
}

}  // namespace ringside
