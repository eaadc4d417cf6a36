// What a host sends a client (it may be any host): whatever passes the gate can be read in full,
// and written again as a message that passes too.

#include <algorithm>
#include <vector>

#include "tests/core/wire_copy.hpp"

#include "ringside/core/invariant.hpp"
#include "ringside/core/limits.hpp"
#include "ringside/core/wire.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ringside;
    // Aligned, as a front or client keeps what it judges.
    std::vector<std::uint64_t> memory((size + 7) / 8);
    std::copy_n(data, size, reinterpret_cast<std::uint8_t*>(memory.data()));
    const Bytes frame = std::as_bytes(std::span(memory)).first(size);
    if (size > host_message_bytes_max) {
        return 0;  // a client never gets that far
    }
    if (const wire::FromHost* message = wire::verified_from_host(frame)) {
        const auto once = wire::copy_of(*message);
        const auto* again = wire::verified_from_host(std::as_bytes(std::span(once)));
        invariant(again != nullptr, "a copy of a verified message verifies");
        invariant(wire::copy_of(*again) == once, "a copy says what the original said");
    }
    return 0;
}
