// probes: what a line that says what happens costs, while nobody looks.
//
// Floor: the same loop with nothing in it, whose time is subtracted; so these are costs on top.

#include <array>
#include <vector>

#include "benches.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/ipc/happenings.hpp"

namespace ringside::bench {
namespace {

// The loop counter passes through here, so that the compiler leaves each round in its place.
void keep(std::uint64_t& value) noexcept {
    __asm__ __volatile__("" : "+r"(value));
}

template <class Work>
double ns_per_round(std::uint64_t rounds, Work work) {
    const std::int64_t began_ns = monotonic_ns();
    for (std::uint64_t i = 0; i < rounds; ++i) {
        keep(i);
        work(i);
    }
    return static_cast<double>(monotonic_ns() - began_ns) / static_cast<double>(rounds);
}

/// Of one kind of work, on top of the empty loop beside it.
template <class Work>
Measured cost_of(const Options& options, Work work) {
    const std::uint64_t rounds = options.smoke ? 10'000 : 2'000'000;
    const int repeats = options.smoke ? 3 : 101;
    std::vector<double> samples;
    for (int i = 0; i < repeats; ++i) {
        const double empty = ns_per_round(rounds, [](std::uint64_t) {});
        samples.push_back(ns_per_round(rounds, work) - empty);
    }
    return measured(samples);
}

}  // namespace

Result<Report> run_probes(const Options& options) {
    Report report{.bench = "probes", .figures = {}, .charts = {}, .notes = {}};
    report.figures.push_back(
        {.name = "a probe that nobody traces",
         .unit = "ns",
         .value = cost_of(options, [](std::uint64_t i) { RINGSIDE_PROBE(measured, i, i, 0u); }),
         .floor = {},
         .rival = {},
         .goal = Goal{.against = Against::number, .bound = Bound::at_most, .factor = 1},
         .note = {}});
    constexpr std::uint32_t capacity = flight_records_of_process;
    alignas(cache_line_bytes) static std::array<std::byte, flight_bytes(capacity)> memory;
    create_flight_recorder(memory, capacity);
    flight_recorder = FlightRecorder(memory, capacity);
    report.figures.push_back(
        {.name = "probe and record",
         .unit = "ns",
         .value = cost_of(options, [](std::uint64_t i) { happened::send(i, i, 0); }),
         .floor = {},
         .rival = Yardstick{.name = "CLOCK_MONOTONIC alone",
                            .value = cost_of(options,
                                             [](std::uint64_t) {
                                                 auto now =
                                                     static_cast<std::uint64_t>(monotonic_ns());
                                                 keep(now);
                                             })},
         .goal = Goal{.against = Against::number, .bound = Bound::at_most, .factor = 20},
         .note = {}});
    flight_recorder = FlightRecorder();
    return report;
}

}  // namespace ringside::bench
