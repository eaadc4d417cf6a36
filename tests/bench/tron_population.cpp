// Games of tron that race for as long as somebody steers: each cycle runs in a square, turned by
// one event every few ticks.

#include <algorithm>

#include <fmt/format.h>

#include "bare_processes.hpp"
#include "cpu_time.hpp"
#include "local_games.hpp"
#include "population.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/ipc/doorbell.hpp"
#include "ringside/tron/config.hpp"
#include "ringside/tron/rules.hpp"
#include "ringside/tron/view.hpp"

namespace ringside::bench {
namespace {

constexpr std::int64_t race_begins_ns = 12'000'000'000;  // twice the countdown

// Where a cycle is, counted along by its game's ticks: reading every view would cost more than
// steering does.
struct Steered {
    bool known = false;  // where it is
    int x = 0;
    int y = 0;
    tron::Direction direction{};
    std::uint64_t tick = 0;    // when it was there
    std::int64_t look_ns = 0;  // when to do something about it next
};

class TronPopulation final : public Population {
public:
    TronPopulation(LocalGames games, const Headcount& crowd, const tron::Config& config)
        : games_(std::move(games)), crowd_(crowd), config_(config) {}

    Result<void> start() {
        if (auto opened = games_.open(crowd_.processes, tron::encode_config(config_)); !opened) {
            return opened;
        }
        for (const LocalGame& game : games_.games()) {
            pids_.push_back(games_.pid_of(game));
        }
        return begin_race();
    }

    Result<void> run_for(std::chrono::milliseconds time) override {
        const GoesFirst goes_first;  // late steering ends races
        const std::int64_t end_ns = monotonic_ns() + std::chrono::nanoseconds(time).count();
        while (monotonic_ns() < end_ns) {
            if (auto steered = steer(); !steered) {
                return steered;
            }
            sleep_until(monotonic_ns() + steer_every_ns);
        }
        return {};
    }

    void add_ticks(Ticks& ticks, std::int64_t sign) override {
        for (std::uint32_t i = 0; i < crowd_.ticking; ++i) {
            const GameLink& link = games_.games()[i].link;
            add_lateness(ticks, link.lateness(), sign);
            ticks.missed += static_cast<std::uint64_t>(sign) *
                            link.status().missed_ticks.load(std::memory_order_relaxed);
        }
        for (const pid_t pid : pids_) {
            ticks.cpu_ns += sign * cpu_ns_of(pid);
        }
    }

    Result<void> check() override { return games_.check_inputs(); }

private:
    [[nodiscard]] Phase phase(std::uint32_t index) {
        const auto progress =
            games_.games()[index].link.status().progress.load(std::memory_order_relaxed);
        return static_cast<Phase>(progress & 3);
    }

    Result<void> press(std::uint32_t index, tron::Key key) {
        const auto byte = static_cast<std::byte>(key);
        return LocalGames::input(games_.games()[index], Bytes(&byte, 1));
    }

    // A host that drowns never gets all of them to race; they tick nevertheless.
    Result<void> begin_race() {
        steered_.resize(crowd_.ticking);
        const std::int64_t give_up_ns = monotonic_ns() + race_begins_ns;
        const auto racing = [](const Steered& cycle) { return cycle.known; };
        while (!std::ranges::all_of(steered_, racing) && monotonic_ns() < give_up_ns) {
            if (auto ran = run_for(std::chrono::milliseconds(20)); !ran) {
                return ran;
            }
        }
        return {};
    }

    Result<void> steer() {
        const std::int64_t now_ns = monotonic_ns();
        for (std::uint32_t i = 0; i < steered_.size(); ++i) {
            if (steered_[i].look_ns <= now_ns) {
                if (auto attended = attend(i, now_ns); !attended) {
                    return attended;
                }
            }
        }
        return {};
    }

    Result<void> attend(std::uint32_t index, std::int64_t now_ns) {
        Steered& cycle = steered_[index];
        const std::int64_t tick_ns = std::int64_t{config_.tick_ms} * 1'000'000;
        cycle.look_ns = now_ns + tick_ns;
        switch (phase(index)) {
            case Phase::countdown: return {};
            case Phase::waiting:
            case Phase::finished:  // steered too late: a rematch ticks as well
                cycle.known = false;
                cycle.look_ns = now_ns + 10 * tick_ns;
                return press(index, tron::Key::insert);
            case Phase::running: break;
        }
        if (!cycle.known) {
            cycle.known = find(index);
            return {};
        }
        cycle.look_ns = now_ns + side_ticks * tick_ns;
        return turn(index);
    }

    bool find(std::uint32_t index) {
        const auto parts = games_.read(games_.games()[index]);
        const auto view = parts ? tron::decode_view(parts->view) : std::nullopt;
        if (!view || view->phase != tron::MatchPhase::started || view->cycles.size() != 1) {
            return false;
        }
        const tron::Cycle& cycle = view->cycles[0];
        steered_[index] = {.known = true,
                           .x = cycle.x,
                           .y = cycle.y,
                           .direction = cycle.direction,
                           .tick = parts->header.tick,
                           .look_ns = 0};
        return true;
    }

    // To the side with more room.
    Result<void> turn(std::uint32_t index) {
        using enum tron::Direction;
        Steered& cycle = steered_[index];
        const auto tick = games_.games()[index].link.status().tick.load(std::memory_order_relaxed);
        const auto cells = static_cast<int>(tick - cycle.tick);
        cycle.tick = tick;
        switch (cycle.direction) {
            case up: cycle.y -= cells; break;
            case right: cycle.x += cells; break;
            case down: cycle.y += cells; break;
            case left: cycle.x -= cells; break;
        }
        const bool vertical = cycle.direction == up || cycle.direction == down;
        cycle.direction = vertical ? (cycle.x < config_.width / 2 ? right : left)
                                   : (cycle.y < config_.height / 2 ? down : up);
        return press(index, tron::key_of(cycle.direction));
    }

    LocalGames games_;
    Headcount crowd_;
    tron::Config config_;
    std::vector<pid_t> pids_;
    std::vector<Steered> steered_;
};

}  // namespace

Result<std::unique_ptr<Population>> start_tron(const Headcount& crowd, bool smoke) {
    tron::Config config;
    config.tick_ms = static_cast<std::uint16_t>(crowd.tick_ms);
    config.replay = smoke;  // counts 6 s down in 60 ticks
    auto games = LocalGames::start(tron::tron_type(), crowd.processes);
    if (!games) {
        return std::unexpected(std::move(games.error()));
    }
    auto tron = std::make_unique<TronPopulation>(std::move(*games), crowd, config);
    if (auto started = tron->start(); !started) {
        return std::unexpected(std::move(started.error()));
    }
    return tron;
}

}  // namespace ringside::bench
