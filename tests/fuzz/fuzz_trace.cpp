// A line of a recorded match, as somebody hands it to `ringside replay`: it is refused, or
// replayed, whatever it says.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "ringside/tron/trace.hpp"
#include "ringside/tron/trace_driver.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
    using namespace ringside::tron;
    const auto trace = parse_trace({reinterpret_cast<const char*>(data), bytes});
    if (!trace) {
        if (trace.error().message.empty()) {
            std::abort();  // a refusal says why
        }
        return 0;
    }
    // Whether its states are the rules' own is its own business.
    for (const std::uint32_t restore_every : {0u, 3u}) {
        const auto driver =
            direct_driver_factory({.restore_every = restore_every})(config_of(*trace));
        if (driver) {
            (void)replay_trace(*trace, **driver);
        }
    }
    return 0;
}
