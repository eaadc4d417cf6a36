// A recorded match, as somebody hands it to `ringside replay`: it is shown and verified, or
// refused, whatever it says.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "recorded_match.hpp"
#include "verify.hpp"

#include "ringside/core/journal.hpp"
#include "ringside/relay/relay.hpp"
#include "ringside/tron/rules.hpp"

namespace {

void tell(const ringside::GameType& type, ringside::Bytes journal) {
    ringside::Replica replica(type.create({}, 1), 0, {});
    (void)replica.tell(journal);  // what a damaged journal says makes no sense; that is all
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
    using namespace ringside;
    const Bytes file = std::as_bytes(std::span(data, bytes));
    const auto verdict = verify(file);
    if (!verdict && verdict.error().message.empty()) {
        std::abort();  // a refusal says why
    }
    auto match = RecordedMatch::open(file);
    if (!match && match.error().message.empty()) {
        std::abort();
    }
    while (match && match->next()) {
    }
    if (match) {
        match->restart();
    }
    tell(tron::tron_type(), file);
    tell(relay::relay_type(), file);
    return 0;
}
