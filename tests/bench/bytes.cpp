// bytes: what a tick of tron costs on the wire for each client, as a whole view and as a delta.

#include <memory>
#include <vector>

#include <fmt/format.h>

#include "benches.hpp"
#include "net/host_messages.hpp"

#include "ringside/net/frame.hpp"
#include "ringside/tron/bot.hpp"
#include "ringside/tron/config.hpp"
#include "ringside/tron/rules.hpp"
#include "ringside/tron/view.hpp"

namespace ringside::bench {
namespace {

/// Of one racing tick.
struct Sizes {
    std::vector<double> snapshot;
    std::vector<double> delta;
    std::vector<double> view_bytes;    // the game's own, in a Snapshot
    std::vector<double> delta_bytes;   // in a Delta
    std::vector<double> inputs_bytes;  // the seats whose input the Delta acknowledges
    std::size_t whole = 0;             // racing ticks that no delta could tell
};

/// One race of bots, as its front would send it.
class Race {
public:
    Race(std::uint8_t seats, std::uint64_t seed)
        : config_(tron::encode_config({.seats = seats})),
          shape_(tron::tron_type().shape(config_).value()),
          game_(tron::tron_type().create(config_, seed)),
          view_(shape_.view_bytes_max),
          delta_(shape_.delta_bytes_max) {
        for (std::uint8_t seat = 0; seat < seats; ++seat) {
            (void)game_->on_join({});
            roster_.push_back({.session = seat,
                               .grace_until_ns = 0,
                               .key = {},
                               .last_input = 0,
                               .seat = seat,
                               .front_slot = 0,
                               .reserved = {}});
            bots_.emplace_back(seed * 16 + seat);
        }
    }

    void run(Sizes& sizes) {
        bool raced = false;
        for (std::uint64_t tick = 1; tick <= 5'000; ++tick) {
            press_keys();
            game_->tick(Tick{tick});
            const std::size_t view_bytes = game_->view(view_);
            const std::size_t delta_bytes = game_->delta(delta_);
            seen_ = tron::decode_view(Bytes(view_).first(view_bytes)).value();
            const bool racing = seen_.phase == tron::MatchPhase::started;
            if (racing && raced) {
                note(sizes, tick, view_bytes, delta_bytes);
            }
            if (raced && !racing) {
                return;
            }
            raced = racing;
        }
    }

private:
    void press_keys() {
        changed_.clear();
        for (std::size_t i = 0; i < bots_.size(); ++i) {
            const auto keys = bots_[i].decide(seen_, static_cast<std::uint8_t>(i + 1));
            for (const std::byte& key : keys.bytes()) {
                game_->on_input(Seat{roster_[i].seat}, {&key, 1});
                ++roster_[i].last_input;
            }
            if (!keys.empty()) {
                changed_.push_back(roster_[i]);
            }
        }
    }

    void note(Sizes& sizes, std::uint64_t tick, std::size_t view_bytes, std::size_t delta_bytes) {
        SnapshotParts parts{};
        parts.header.tick = tick;
        parts.roster = roster_;
        parts.view = Bytes(view_).first(view_bytes);
        parts.delta = Bytes(delta_).first(delta_bytes);
        const auto snapshot = static_cast<double>(messages_.snapshot(parts).bytes().size());
        sizes.snapshot.push_back(snapshot);
        sizes.view_bytes.push_back(static_cast<double>(view_bytes));
        if (delta_bytes == 0) {
            ++sizes.whole;
            sizes.delta.push_back(snapshot);
            return;
        }
        const auto whole = static_cast<double>(messages_.delta(parts, changed_).bytes().size());
        const auto bare = static_cast<double>(messages_.delta(parts, {}).bytes().size());
        sizes.delta.push_back(whole);
        sizes.delta_bytes.push_back(static_cast<double>(delta_bytes));
        sizes.inputs_bytes.push_back(whole - bare);
    }

    std::vector<std::byte> config_;
    GameShape shape_;
    std::unique_ptr<Game> game_;
    std::vector<std::byte> view_;
    std::vector<std::byte> delta_;
    std::vector<RosterEntry> roster_;
    std::vector<RosterEntry> changed_;
    std::vector<tron::Bot> bots_;
    tron::View seen_;
    HostMessages messages_;
};

double mean(const std::vector<double>& samples) {
    double sum = 0;
    for (const double sample : samples) {
        sum += sample;
    }
    return samples.empty() ? 0 : sum / static_cast<double>(samples.size());
}

/// The mean stands for the median: bytes add up.
Measured mean_of(std::vector<double>& samples) {
    return {.median = mean(samples), .p99 = measured(samples).p99};
}

void add_figures(Report& report, std::uint8_t seats, double goal_bytes, const Options& options) {
    Sizes sizes;
    const std::uint64_t races = options.smoke ? 2 : 50;
    for (std::uint64_t race = 0; race < races; ++race) {
        Race(seats, options.seed + race).run(sizes);
    }
    const double own = mean(sizes.delta_bytes);
    const double inputs = mean(sizes.inputs_bytes);
    const double bytes = mean(sizes.delta);
    report.figures.push_back(
        {.name = fmt::format("{} players, delta: mean a tick", seats),
         .unit = "B",
         .value = mean_of(sizes.delta),
         .floor = {},
         .rival = {},
         .goal = Goal{.bound = Bound::at_most, .factor = goal_bytes},
         .note = fmt::format("{:.1f} of the game, {:.1f} inputs acknowledged, {} length prefix, "
                             "{:.1f} tables of FlatBuffers",
                             own, inputs, frame_prefix_bytes,
                             bytes - own - inputs - frame_prefix_bytes)});
    report.figures.push_back({.name = fmt::format("{} players, whole view: mean a tick", seats),
                              .unit = "B",
                              .value = mean_of(sizes.snapshot),
                              .floor = {},
                              .rival = {},
                              .goal = {},
                              .note = fmt::format("{:.0f} of the game", mean(sizes.view_bytes))});
    report.notes.push_back(
        fmt::format("{} players: {} racing ticks of {} races, {} of them told by a whole view",
                    seats, sizes.delta.size(), races, sizes.whole));
}

}  // namespace

Result<Report> run_bytes(const Options& options) {
    Report report{.bench = "bytes", .figures = {}, .charts = {}, .notes = {}};
    add_figures(report, 2, 64, options);
    add_figures(report, 6, 76, options);
    report.notes.push_back("Colyseus 0.16 sends patches of 29 and 76 bytes for the same game");
    return report;
}

}  // namespace ringside::bench
