#include "population.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include <sys/mman.h>
#include <unistd.h>

#include "bare_processes.hpp"
#include "cpu_time.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/ticker.hpp"
#include "ringside/ipc/doorbell.hpp"
#include "ringside/ipc/game_segment.hpp"

namespace ringside::bench {
namespace {

constexpr std::size_t touched_bytes = 512;

// One page a process.
struct alignas(4096) BarePage {
    TimeCounts lateness;
    std::atomic<std::uint64_t> missed;
    alignas(64) std::atomic<std::uint64_t> key;  // written by whoever steers
    std::byte touched[touched_bytes];
};

class BarePopulation final : public Population {
public:
    explicit BarePopulation(const Headcount& crowd) : crowd_(crowd) {
        void* pages =
            mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        pages_ = pages == MAP_FAILED ? nullptr : static_cast<BarePage*>(pages);
    }
    BarePopulation(const BarePopulation&) = delete;
    BarePopulation& operator=(const BarePopulation&) = delete;
    ~BarePopulation() override {
        if (pages_ != nullptr) {
            munmap(pages_, bytes());
        }
    }

    Result<void> start() {
        if (pages_ == nullptr) {
            return errno_failure("no shared memory for bare processes");
        }
        // They begin together, at the end of this pipe: forking among thousands that tick already
        // would take minutes.
        int gate[2];
        if (pipe(gate) != 0) {
            return errno_failure("cannot make a pipe");
        }
        Result<void> forked;
        for (std::uint32_t i = 0; i < crowd_.processes && forked; ++i) {
            forked = processes_.fork_one([this, i, gate] {
                std::byte nothing{};
                close(gate[1]);
                static_cast<void>(!read(gate[0], &nothing, 1));
                be_one(i);
            });
        }
        close(gate[0]);
        close(gate[1]);
        return forked;
    }

    Result<void> run_for(std::chrono::milliseconds time) override {
        const GoesFirst goes_first;
        const std::int64_t end_ns = monotonic_ns() + std::chrono::nanoseconds(time).count();
        for (std::int64_t now_ns = monotonic_ns(); now_ns < end_ns; now_ns = monotonic_ns()) {
            // Each gets a key as often as a game does that is steered in a square.
            const std::uint32_t due =
                std::max(1u, static_cast<std::uint32_t>(crowd_.ticking * steer_every_ns /
                                                        (side_ticks * crowd_.tick_ms * 1'000'000)));
            for (std::uint32_t i = 0; i < due && crowd_.ticking > 0; ++i) {
                steered_ = (steered_ + 1) % crowd_.ticking;
                pages_[steered_].key.fetch_add(1, std::memory_order_relaxed);
            }
            sleep_until(std::min(end_ns, now_ns + steer_every_ns));
        }
        return {};
    }

    void add_ticks(Ticks& ticks, std::int64_t sign) override {
        for (std::uint32_t i = 0; i < crowd_.ticking; ++i) {
            add_lateness(ticks, pages_[i].lateness, sign);
            ticks.missed += static_cast<std::uint64_t>(sign) * pages_[i].missed.load();
        }
        for (const pid_t pid : processes_.pids()) {
            ticks.cpu_ns += sign * cpu_ns_of(pid);
        }
    }

    Result<void> check() override { return {}; }

private:
    [[nodiscard]] std::size_t bytes() const { return sizeof(BarePage) * crowd_.processes; }

    void be_one(std::uint32_t index) const {
        if (index >= crowd_.ticking) {
            for (;;) {
                pause();
            }
        }
        BarePage& page = *new (&pages_[index]) BarePage{};
        const std::int64_t period_ns = std::int64_t{crowd_.tick_ms} * 1'000'000;
        Ticker ticker(period_ns, staggered_phase_ns(index, period_ns));
        ticker.start(monotonic_ns());
        for (int round = 0;; ++round) {
            sleep_until(ticker.deadline_ns());
            const Ticker::Lateness late = ticker.take(monotonic_ns());
            page.lateness.record(late.late_ns, lateness_unit_bits);
            page.missed.fetch_add(late.missed_ticks, std::memory_order_relaxed);
            std::memset(page.touched, round + static_cast<int>(page.key.load()),
                        sizeof(page.touched));
        }
    }

    Headcount crowd_;
    BarePage* pages_;
    std::uint32_t steered_ = 0;
    BareProcesses processes_;
};

}  // namespace

void add_lateness(Ticks& ticks, const TimeCounts& counts, std::int64_t sign) {
    for (std::uint32_t bucket = 0; bucket < LatenessHistogram::bucket_count; ++bucket) {
        const std::uint64_t count = counts.counts[bucket].load(std::memory_order_relaxed);
        if (count != 0) {
            ticks.lateness.add(bucket, static_cast<std::uint64_t>(sign) * count);
        }
    }
}

Result<std::unique_ptr<Population>> start_bare(const Headcount& crowd) {
    auto bare = std::make_unique<BarePopulation>(crowd);
    if (auto started = bare->start(); !started) {
        return std::unexpected(std::move(started.error()));
    }
    return bare;
}

Result<Window> measure(Population& population, std::chrono::milliseconds time) {
    const GoesFirst goes_first;  // or it would not come back in time
    Ticks ticks;
    population.add_ticks(ticks, -1);
    if (auto ran = population.run_for(time); !ran) {
        return std::unexpected(std::move(ran.error()));
    }
    population.add_ticks(ticks, 1);
    const auto ms = [&](double share) {
        return static_cast<double>(ticks.lateness.quantile(share) << lateness_unit_bits) / 1e6;
    };
    const auto count = static_cast<double>(ticks.lateness.count());
    if (count == 0) {
        return failure(std::errc::timed_out, "nothing ticked");
    }
    const auto missed = static_cast<double>(ticks.missed);
    return Window{.lateness_ms_median = ms(0.5),
                  .lateness_ms_p99 = ms(0.99),
                  .missed_share = missed / (count + missed),
                  .cpu_us_per_tick = static_cast<double>(ticks.cpu_ns) / count / 1'000};
}

}  // namespace ringside::bench
