#include "web_socket_frames.hpp"

#include <array>
#include <cstddef>

#include <catch2/catch.hpp>

namespace ringside::test {

std::string client_frame(Opcode opcode, std::string_view payload, FrameOptions options) {
    constexpr std::array<char, 4> mask{0x12, 0x5a, 0x7f, 0x21};
    std::string frame;
    frame += static_cast<char>((options.final ? 0x80u : 0u) | options.reserved_bits << 4u |
                               static_cast<unsigned>(opcode));
    const unsigned mask_bit = options.masked ? 0x80 : 0;
    const std::size_t length_bytes = payload.size() < 126 ? 0 : payload.size() <= 0xffff ? 2 : 8;
    frame += static_cast<char>(mask_bit | (length_bytes == 0   ? payload.size()
                                           : length_bytes == 2 ? 126u
                                                               : 127u));
    for (std::size_t i = length_bytes; i-- > 0;) {
        frame += static_cast<char>(payload.size() >> 8 * i);
    }
    if (!options.masked) {
        return frame + std::string(payload);
    }
    frame.append(mask.data(), mask.size());
    for (std::size_t i = 0; i < payload.size(); ++i) {
        frame += static_cast<char>(payload[i] ^ mask[i % mask.size()]);
    }
    return frame;
}

std::string close_payload(unsigned code, std::string_view reason) {
    return std::string{static_cast<char>(code >> 8), static_cast<char>(code)} + std::string(reason);
}

std::optional<HostFrame> take_host_frame(std::string& bytes) {
    const auto octet = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
    if (bytes.size() < 2) {
        return std::nullopt;
    }
    REQUIRE((octet(1) & 0x80) == 0);  // hosts do not mask
    const std::size_t length_bytes = octet(1) < 126 ? 0 : octet(1) == 126 ? 2 : 8;
    if (bytes.size() < 2 + length_bytes) {
        return std::nullopt;
    }
    std::size_t length = length_bytes == 0 ? octet(1) : 0;
    for (std::size_t i = 0; i < length_bytes; ++i) {
        length = length << 8 | octet(2 + i);
    }
    REQUIRE((length_bytes == 0 || length >= (length_bytes == 2 ? 126u : 0x10000u)));
    if (bytes.size() < 2 + length_bytes + length) {
        return std::nullopt;
    }
    REQUIRE((octet(0) & 0x70) == 0);
    HostFrame frame{.opcode = static_cast<Opcode>(octet(0) & 0x0f),
                    .final = (octet(0) & 0x80) != 0,
                    .payload = bytes.substr(2 + length_bytes, length)};
    bytes.erase(0, 2 + length_bytes + length);
    return frame;
}

}  // namespace ringside::test
