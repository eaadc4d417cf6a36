#include "qr_code.hpp"

#include <memory>

#include <qrencode.h>

namespace ringside {
namespace {

constexpr int quiet_zone = 2;  // of light cells around it; readers ask for some

struct FreeCode {
    void operator()(QRcode* code) const noexcept { QRcode_free(code); }
};

bool is_dark(const QRcode& code, int x, int y) noexcept {
    const bool inside = x >= 0 && y >= 0 && x < code.width && y < code.width;
    return inside && (code.data[y * code.width + x] & 1) != 0;
}

}  // namespace

std::string qr_code(std::string_view text) {
    const std::unique_ptr<QRcode, FreeCode> code(
        QRcode_encodeString8bit(std::string(text).c_str(), 0, QR_ECLEVEL_L));
    if (!code) {
        return {};
    }
    std::string lines;
    // One character is two cells, one above the other.
    for (int y = -quiet_zone; y < code->width + quiet_zone; y += 2) {
        lines += "\x1b[30;107m";
        for (int x = -quiet_zone; x < code->width + quiet_zone; ++x) {
            const bool upper = is_dark(*code, x, y);
            const bool lower = is_dark(*code, x, y + 1);
            lines += upper && lower ? "█" : upper ? "▀" : lower ? "▄" : " ";
        }
        lines += "\x1b[0m\n";
    }
    return lines;
}

}  // namespace ringside
