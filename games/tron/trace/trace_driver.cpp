#include "ringside/tron/trace_driver.hpp"

#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "ringside/tron/rules.hpp"
#include "ringside/tron/view.hpp"

namespace ringside::tron {
namespace {

class DirectDriver final : public TraceDriver {
public:
    DirectDriver(const Config& config, GameShape shape, DirectDriverOptions options)
        : config_(encode_config(config)),
          options_(options),
          state_(shape.state_bytes_max),
          view_(shape.view_bytes_max),
          game_(tron_type().create(config_, seed)) {}

    void join(JoinerId joiner, Screen screen) override {
        const JoinAnswer answer = game_->on_join(encode_join_parameters(screen));
        if (answer.reason == RefuseReason::none) {
            seats_[joiner] = answer.seat;
            joins_.push_back({joiner, static_cast<std::uint8_t>(value(answer.seat) + 1)});
        } else {
            joins_.push_back({joiner, std::nullopt});
        }
    }

    void leave(JoinerId joiner) override {
        if (const auto seat = seats_.find(joiner); seat != seats_.end()) {
            game_->on_leave(seat->second);
            seats_.erase(seat);
        }
    }

    void input(JoinerId joiner, Bytes bytes) override {
        if (const auto seat = seats_.find(joiner); seat != seats_.end()) {
            game_->on_input(seat->second, bytes);
        }
    }

    Result<TraceStep> step() override {
        if (!game_->ended()) {
            game_->tick(Tick{tick_++});
        }
        const Bytes view = Bytes(view_).first(game_->view(view_));
        if (options_.restore_every != 0 && tick_ % options_.restore_every == 0) {
            const Bytes state = Bytes(state_).first(game_->save(state_));
            auto restored = tron_type().restore(config_, state, view);
            if (!restored) {
                return std::unexpected(std::move(restored.error()));
            }
            game_ = std::move(*restored);
        }
        auto decoded = decode_view(view);
        if (!decoded) {
            return failure(std::errc::bad_message, "the game's view does not verify");
        }
        return TraceStep{.view = std::move(*decoded),
                         .joins = std::exchange(joins_, {}),
                         .stopped = game_->ended()};
    }

private:
    static constexpr std::uint64_t seed = 0;  // a trace gives every pick

    std::vector<std::byte> config_;
    DirectDriverOptions options_;
    std::vector<std::byte> state_;
    std::vector<std::byte> view_;
    std::unique_ptr<Game> game_;
    std::map<JoinerId, Seat> seats_;
    std::vector<TraceJoin> joins_;
    std::uint64_t tick_ = 0;
};

/// One trace being played: who has which number by the trace, and what was due to be answered.
class Replay {
public:
    Replay(const Trace& trace, TraceDriver& driver) : trace_(trace), driver_(driver) {}

    Result<std::optional<Mismatch>> run();

private:
    void send(const TraceEvent& event);
    void send_picks(const Placement& placement);
    [[nodiscard]] std::string compare(TraceStep step, const TraceState& expected);

    const Trace& trace_;
    TraceDriver& driver_;
    std::size_t next_event_ = 0;
    std::size_t next_placement_ = 0;
    bool stopped_ = false;
    std::vector<TraceJoin> joins_expected_;
    std::array<JoinerId, seats_limit + 1> joiner_of_{};  // by number
    StateDigest digest_;
};

Result<std::optional<Mismatch>> Replay::run() {
    ExpectedStates expected(trace_.rows);
    std::uint32_t tick = 0;
    for (; expected.next(); ++tick) {
        joins_expected_.clear();
        for (; next_event_ < trace_.events.size() && trace_.events[next_event_].tick == tick;
             ++next_event_) {
            send(trace_.events[next_event_]);
        }
        for (; next_placement_ < trace_.placements.size() &&
               trace_.placements[next_placement_].tick == tick;
             ++next_placement_) {
            send_picks(trace_.placements[next_placement_]);
        }
        auto step = driver_.step();
        if (!step) {
            return std::unexpected(std::move(step.error()));
        }
        if (auto what = compare(std::move(*step), expected.state()); !what.empty()) {
            return Mismatch{tick, std::move(what)};
        }
    }
    if (digest_.value() != trace_.digest) {
        return Mismatch{tick - 1, fmt::format("the digest of all states is {}, expected {}",
                                              digest_.value(), trace_.digest)};
    }
    return std::nullopt;
}

void Replay::send(const TraceEvent& event) {
    switch (event.kind) {
        case TraceEvent::Kind::join:
            driver_.join(event.joiner, {.width = event.width, .height = event.height});
            joins_expected_.push_back({event.joiner, event.number});
            if (event.number) {
                joiner_of_[*event.number] = event.joiner;
            }
            return;
        case TraceEvent::Kind::key: {
            const std::byte key{event.key};
            driver_.input(event.joiner, {&key, 1});
            return;
        }
        case TraceEvent::Kind::leave:
            driver_.leave(event.joiner);
            stopped_ = event.stopped;
            return;
    }
}

// Any seated player may bring the picks; the first cycle placed is surely in the game.
void Replay::send_picks(const Placement& placement) {
    std::vector<std::byte> bytes{start_picks_marker};
    for (const std::uint8_t pick : placement.picks) {
        bytes.push_back(std::byte{pick});
    }
    driver_.input(placement.joiner, bytes);
}

std::string Replay::compare(TraceStep step, const TraceState& expected) {
    if (step.joins.size() != joins_expected_.size()) {
        return fmt::format("{} joins are answered, expected {}", step.joins.size(),
                           joins_expected_.size());
    }
    const auto shown = [](const TraceJoin& join) {
        return join.number ? fmt::format("given number {}", *join.number) : std::string("refused");
    };
    for (std::size_t i = 0; i < step.joins.size(); ++i) {
        if (step.joins[i] != joins_expected_[i]) {
            return fmt::format("player {} is {}, expected player {} {}", step.joins[i].joiner,
                               shown(step.joins[i]), joins_expected_[i].joiner,
                               shown(joins_expected_[i]));
        }
    }
    if (step.stopped != stopped_) {
        return stopped_ ? "the game is not stopped, expected stopped"
                        : "the game is stopped, expected to go on";
    }
    TraceState actual{.view = std::move(step.view), .joiners = {}};
    for (const Cycle& cycle : actual.view.cycles) {
        actual.joiners.push_back(joiner_of_[cycle.number]);
    }
    digest_.add(actual);
    return difference(actual, expected);
}

}  // namespace

TraceDriverFactory direct_driver_factory(DirectDriverOptions options) {
    return [options](const Config& config) -> Result<std::unique_ptr<TraceDriver>> {
        auto shape = tron_type().shape(encode_config(config));
        if (!shape) {
            return std::unexpected(std::move(shape.error()));
        }
        return std::make_unique<DirectDriver>(config, std::move(*shape), options);
    };
}

Config config_of(const Trace& trace) {
    return {.width = trace.width, .height = trace.height, .seats = trace.seats, .replay = true};
}

Result<std::optional<Mismatch>> replay_trace(const Trace& trace, TraceDriver& driver) {
    return Replay(trace, driver).run();
}

}  // namespace ringside::tron
