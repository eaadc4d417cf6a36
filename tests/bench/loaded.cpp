#include "loaded.hpp"

#include <fmt/format.h>

#include "served.hpp"

namespace ringside::bench {

Result<void> Loaded::start(const load::Options& options, Place place) {
    return process_.start<load::Outcome>(place, [&options] {
        allow_descriptors();
        return load::run_load(options);
    });
}

Result<void> check_outcome(const load::Outcome& outcome) {
    if (outcome.lost != 0 || outcome.doubled != 0 || outcome.failed != 0) {
        return failure(
            std::errc::protocol_error,
            fmt::format("{} of {} sessions failed{}{}, {} inputs lost, {} doubled", outcome.failed,
                        outcome.sessions, outcome.failed != 0 ? ", most often: " : "",
                        outcome.reason.data(), outcome.lost, outcome.doubled));
    }
    return {};
}

Result<load::Outcome> run_loaded(const load::Options& options, Place place) {
    Loaded loaded;
    if (auto started = loaded.start(options, place); !started) {
        return std::unexpected(std::move(started.error()));
    }
    auto outcome = loaded.outcome();
    if (outcome) {
        if (auto checked = check_outcome(*outcome); !checked) {
            return std::unexpected(std::move(checked.error()));
        }
    }
    return outcome;
}

Measured measured_us(const Histogram& latency_ns) {
    return {.median = static_cast<double>(latency_ns.quantile(0.5)) / 1e3,
            .p99 = static_cast<double>(latency_ns.quantile(0.99)) / 1e3};
}

}  // namespace ringside::bench
