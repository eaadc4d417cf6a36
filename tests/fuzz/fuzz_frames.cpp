// Any bytes from a client, split anywhere: the parser neither reads beyond them nor loses its way.
// The first byte chooses how the rest is split.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "ringside/core/limits.hpp"
#include "ringside/core/wire.hpp"
#include "ringside/net/frame.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
    using namespace ringside;
    if (bytes == 0) {
        return 0;
    }
    const std::size_t step = 1 + data[0];
    FrameParser parser(client_message_bytes_max);
    Bytes rest = std::as_bytes(std::span(data + 1, bytes - 1));
    while (!rest.empty()) {
        const Bytes piece = rest.first(std::min(step, rest.size()));
        rest = rest.subspan(piece.size());
        const std::vector<std::byte> copy(piece.begin(), piece.end());
        Bytes left(copy);
        Bytes frame;
        FrameStatus status = parser.next(left, frame);
        for (; status == FrameStatus::frame; status = parser.next(left, frame)) {
            if (frame.size() <= frame_prefix_bytes ||
                frame.size() > frame_prefix_bytes + client_message_bytes_max) {
                std::abort();
            }
            (void)wire::verified_from_client(frame);
        }
        if (status != FrameStatus::more) {
            return 0;
        }
        if (!left.empty()) {
            std::abort();
        }
    }
    return 0;
}
