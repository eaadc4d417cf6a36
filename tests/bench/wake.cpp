// wake: from the waker's call to the sleeper's first instruction, by how long it slept, across CPUs
// and on one; and what the call costs the waker.
//
// Floor   spinning, which needs a CPU of its own and so exists across CPUs only.
// Rival   the fastest of the other ways to sleep. All take turns.

#include <algorithm>
#include <ctime>

#include <fmt/format.h>

#include "benches.hpp"
#include "pinned_roles.hpp"
#include "wake_ways.hpp"

#include "ringside/core/clock.hpp"

namespace ringside::bench {
namespace {

constexpr std::uint32_t wakes_max = 128;  // of one slice

struct Scale {
    int rounds;
    std::int64_t slept_ns;  // of one slice in all
};
constexpr Scale full_scale{5, 60'000'000};
constexpr Scale smoke_scale{1, 400'000};

// What sleeper and waker share: a wake has a number, each side says which it is at.
struct Wakes {
    alignas(cache_line_bytes) std::atomic<std::uint32_t> going_to_sleep;
    alignas(cache_line_bytes) std::atomic<std::int64_t> rung_ns;
    alignas(cache_line_bytes) std::array<std::int64_t, wakes_max> latency_ns;
    std::array<std::int64_t, wakes_max> call_ns;
};

struct Samples {
    std::vector<double> latency_us;
    std::vector<double> call_us;
};

void pause_for(std::int64_t ns) {
    const timespec duration{0, ns};
    ::clock_nanosleep(CLOCK_MONOTONIC, 0, &duration, nullptr);
}

Result<void> measure(const WakeKind& kind, Cpus cpus, std::int64_t asleep_ns, std::uint32_t count,
                     Samples& samples) {
    const auto way = kind.make();
    const SharedMemory memory(sizeof(Wakes));
    auto& wakes = *new (memory.bytes().data()) Wakes{};
    const Role sleep = [&] {
        for (std::uint32_t at = 0; at < count; ++at) {
            way->announce();
            wakes.going_to_sleep.store(at + 1, std::memory_order_release);
            if (!way->wait()) {
                return false;
            }
            wakes.latency_ns[at] = monotonic_ns() - wakes.rung_ns.load(std::memory_order_acquire);
        }
        return true;
    };
    const Role wake = [&] {
        for (std::uint32_t at = 0; at < count; ++at) {
            while (wakes.going_to_sleep.load(std::memory_order_acquire) != at + 1) {
                pause_for(10'000);
            }
            pause_for(asleep_ns);
            const std::int64_t start_ns = monotonic_ns();
            wakes.rung_ns.store(start_ns, std::memory_order_release);
            if (!way->wake()) {
                return false;
            }
            wakes.call_ns[at] = monotonic_ns() - start_ns;
        }
        return true;
    };
    if (const auto ran = run_roles(kind.name, std::array{sleep, wake}, cpus); !ran) {
        return ran;
    }
    for (std::uint32_t at = 0; at < count; ++at) {
        samples.latency_us.push_back(static_cast<double>(wakes.latency_ns[at]) / 1e3);
        samples.call_us.push_back(static_cast<double>(wakes.call_ns[at]) / 1e3);
    }
    return {};
}

std::string duration_text(std::int64_t ns) {
    return ns < 1'000'000 ? fmt::format("{} us", ns / 1000) : fmt::format("{} ms", ns / 1'000'000);
}

/// The first is the doorbell; one that spins is the floor, the fastest of the others the rival.
Figure compare(std::string name, const std::vector<WakeKind>& kinds,
               const std::vector<Measured>& values) {
    Figure figure{.name = std::move(name), .unit = "us", .value = values[0]};
    for (std::size_t at = 1; at < kinds.size(); ++at) {
        const Yardstick other{std::string(kinds[at].name), values[at]};
        figure.note +=
            fmt::format("{}{} {:.3g}", at == 1 ? "" : ", ", other.name, other.value.median);
        if (kinds[at].spins) {
            figure.floor = other;
        } else if (!figure.rival || other.value.median < figure.rival->value.median) {
            figure.rival = other;
        }
    }
    return figure;
}

Result<void> add_cpus(Report& report, const std::vector<WakeKind>& all, Cpus cpus,
                      const Options& options, const Scale& scale) {
    const char* where = cpus == Cpus::two ? "across CPUs" : "on one CPU";
    std::vector<WakeKind> kinds;
    Chart chart{.title = fmt::format("Waking {}", where),
                .x_label = "asleep, us",
                .y_label = "median latency, us",
                .log_x = true,
                .log_y = true,
                .lines = {}};
    for (const WakeKind& kind : all) {
        if (cpus == Cpus::two || !kind.spins) {
            kinds.push_back(kind);
            chart.lines.push_back({std::string(kind.name), {}});
        }
    }
    for (const std::int64_t asleep_ns : {100'000, 1'000'000, 5'000'000}) {
        const std::string shape = fmt::format("asleep {}, {}", duration_text(asleep_ns), where);
        const std::string wake = "wake, " + shape;
        const std::string call = "waker's call, " + shape;
        if (!options.wants(wake) && !options.wants(call)) {
            continue;
        }
        const auto count = static_cast<std::uint32_t>(
            std::clamp<std::int64_t>(scale.slept_ns / asleep_ns, 2, wakes_max));
        std::vector<Samples> samples(kinds.size());
        for (int round = 0; round < scale.rounds; ++round) {
            for (std::size_t at = 0; at < kinds.size(); ++at) {
                const auto ran = measure(kinds[at], cpus, asleep_ns, count, samples[at]);
                if (!ran) {
                    return ran;
                }
            }
        }
        std::vector<Measured> latencies;
        std::vector<Measured> calls;
        for (std::size_t at = 0; at < kinds.size(); ++at) {
            latencies.push_back(measured(samples[at].latency_us));
            calls.push_back(measured(samples[at].call_us));
            chart.lines[at].points.emplace_back(static_cast<double>(asleep_ns) / 1e3,
                                                latencies[at].median);
        }
        report.figures.push_back(compare(wake, kinds, latencies));
        report.figures.push_back(compare(call, kinds, calls));
    }
    report.charts.push_back(std::move(chart));
    return {};
}

}  // namespace

Result<Report> run_wake(const Options& options) {
    const Scale scale = options.smoke ? smoke_scale : full_scale;
    Report report{.bench = "wake"};
    const auto kinds = wake_kinds();
    for (const Cpus cpus : {Cpus::two, Cpus::same}) {
        if (const auto ran = add_cpus(report, kinds, cpus, options, scale); !ran) {
            return std::unexpected(ran.error());
        }
    }
    report.notes.emplace_back(
        "On one CPU the latency holds what is left of the waker's call, for it goes on running.");
    return report;
}

}  // namespace ringside::bench
