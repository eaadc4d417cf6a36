#include "game_statistics.hpp"

#include <algorithm>
#include <utility>

#include <sys/resource.h>

#include "ringside/core/clock.hpp"
#include "ringside/core/statistics.hpp"

namespace ringside {
namespace {

constexpr std::int64_t look_every_ns = 1'000'000'000;  // a look is a system call

std::int64_t ns_of(const timeval& time) noexcept {
    return time.tv_sec * 1'000'000'000LL + time.tv_usec * 1'000LL;
}

// All stores here are relaxed: of one writer, and each number is right by itself.
template <class T>
void raise_to(std::atomic<T>& high, std::size_t value) noexcept {
    if (value > high.load(std::memory_order_relaxed)) {
        high.store(static_cast<T>(value), std::memory_order_relaxed);
    }
}

}  // namespace

GameStatistics::GameStatistics(GameSegmentLayout& layout) noexcept
    : layout_(&layout),
      events_applied_(layout.counters.events_applied.load(std::memory_order_relaxed)),
      cpu_ns_before_(layout.counters.cpu_ns.load(std::memory_order_relaxed)),
      waits_before_(layout.counters.waits.load(std::memory_order_relaxed)),
      preemptions_before_(layout.counters.preemptions.load(std::memory_order_relaxed)) {}

void GameStatistics::tick_begins(std::int64_t now_ns, const Ticker::Lateness& lateness) noexcept {
    if (lateness.missed_ticks != 0) {
        layout_->status.missed_ticks.fetch_add(lateness.missed_ticks, std::memory_order_relaxed);
    }
    layout_->lateness.record(lateness.late_ns, lateness_unit_bits);
    if constexpr (statistics_enabled) {
        tick_began_ns_ = now_ns;
    }
}

void GameStatistics::published(const Published& published) noexcept {
    if constexpr (!statistics_enabled) {
        return;
    }
    GameCounters& counters = layout_->counters;
    counters.events_applied.store(events_applied_, std::memory_order_relaxed);
    counters.snapshot_bytes.store(static_cast<std::uint32_t>(published.snapshot_bytes),
                                  std::memory_order_relaxed);
    raise_to(counters.snapshot_bytes_high, published.snapshot_bytes);
    raise_to(counters.event_ring_bytes_high, published.event_ring_bytes);
    std::int64_t now_ns = published.now_ns;
    if (const std::int64_t began_ns = std::exchange(tick_began_ns_, 0); began_ns != 0) {
        now_ns = monotonic_ns();
        layout_->tick_time.record(now_ns - began_ns, tick_time_unit_bits);
    }
    if (now_ns >= next_look_ns_) {
        look_at_usage(now_ns);
    }
}

void GameStatistics::look_at_usage(std::int64_t now_ns) noexcept {
    next_look_ns_ = now_ns + look_every_ns;
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);  // fails only for arguments other than these
    GameCounters& counters = layout_->counters;
    counters.cpu_ns.store(cpu_ns_before_ + ns_of(usage.ru_utime) + ns_of(usage.ru_stime),
                          std::memory_order_relaxed);
    counters.waits.store(waits_before_ + static_cast<std::uint64_t>(usage.ru_nvcsw),
                         std::memory_order_relaxed);
    counters.preemptions.store(preemptions_before_ + static_cast<std::uint64_t>(usage.ru_nivcsw),
                               std::memory_order_relaxed);
    raise_to(counters.memory_kib_high, static_cast<std::size_t>(usage.ru_maxrss));
    counters.usage_looked_at_ns.store(now_ns, std::memory_order_relaxed);
}

}  // namespace ringside
