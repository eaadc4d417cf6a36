#include "ringside/tron/rules.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "crew.hpp"
#include "delta.hpp"
#include "match.hpp"
#include "match_bytes.hpp"

#include "ringside/core/invariant.hpp"
#include "ringside/core/limits.hpp"
#include "ringside/tron/config.hpp"

namespace ringside::tron {
namespace {

static_assert(seats_limit <= seats_max, "a roster has a place for every seat");
static_assert(1 + picks_max <= input_bytes_max, "all picks fit one input");

constexpr std::int32_t replay_step_ms = 100;
constexpr std::uint64_t fill_after_ms = 10'000;

std::size_t copy_out(Bytes from, MutableBytes out) {
    invariant(from.size() <= out.size(), "tron: saved bytes within what shape() promised");
    std::memcpy(out.data(), from.data(), from.size());
    return from.size();
}

class TronGame final : public Game {
public:
    TronGame(const Config& config, SavedMatch saved)
        : config_(config),
          match_(std::move(saved.match)),
          crew_(std::move(saved.crew)),
          filling_(saved.filling),
          view_builder_(view_bytes_max(config)),
          state_builder_(state_bytes_max()) {}

    JoinAnswer on_join(Bytes parameters) override {
        if (config_.replay && !ended()) {
            match_.shrink(decode_join_parameters(parameters));  // before the join is decided
        }
        if (ended() || match_.in_progress()) {
            return {.reason = RefuseReason::in_progress};
        }
        if (match_.full()) {
            crew_.remove_one(match_);  // players go first
        }
        if (match_.full()) {
            return {.reason = RefuseReason::full};
        }
        filling_.waited_ticks = 0;
        return {.seat = Seat(static_cast<std::uint8_t>(match_.join() - 1))};
    }

    void on_leave(Seat seat) override {
        const std::uint8_t number = number_of(seat);
        const auto& racers = match_.state().racers;
        const bool plays =
            std::ranges::find(racers, number, &Racer::number) != racers.end() && !crew_.has(number);
        if (ended() || !plays) {
            return;
        }
        while (player_count() == 1 && crew_.count() > 0) {
            crew_.remove_one(match_);  // bots do not play among themselves
        }
        match_.leave(number);
    }

    void on_input(Seat seat, Bytes input) override {
        if (ended() || input.empty()) {
            return;
        }
        if (config_.replay && input.front() == start_picks_marker) {
            match_.add_picks(input.subspan(1));
        } else if (input.size() == 2 && input.front() == bot_marker && !config_.replay) {
            change_crew(input.back());
        } else if (input.size() == 1) {
            match_.press(number_of(seat), static_cast<Key>(input.front()));
        }
    }

    [[gnu::hot]] void tick(Tick) override {
        if (ended()) {
            return;
        }
        if (waits_to_fill() &&
            ++filling_.waited_ticks * std::uint64_t{config_.tick_ms} >= fill_after_ms) {
            while (!match_.full()) {
                crew_.add(match_);
            }
        }
        crew_.act(match_);
        match_.step(config_.replay ? replay_step_ms : config_.tick_ms);
    }

    [[gnu::hot]] bool idle() const override {
        return ended() || (match_.idle() && crew_.idle(match_) && !waits_to_fill());
    }
    bool ended() const override { return match_.state().stopped; }

    [[gnu::hot]] GameStatus status() const override {
        return {.phase = shown_phase(),
                .players = static_cast<std::uint8_t>(player_count()),
                .seats = config_.seats};
    }

    [[gnu::hot]] std::size_t save(MutableBytes out) const override {
        return copy_out(write_state(state_builder_, match_, crew_, filling_), out);
    }

    [[gnu::hot]] std::size_t view(MutableBytes out) override {
        before_ = std::exchange(shown_, Outline(match_, crew_.numbers()));
        return copy_out(write_view(view_builder_, config_, match_, crew_), out);
    }

    [[gnu::hot]] std::size_t delta(MutableBytes out) override {
        return before_ ? write_delta(config_, *before_, *shown_, out) : 0;
    }

private:
    static std::uint8_t number_of(Seat seat) { return static_cast<std::uint8_t>(value(seat) + 1); }

    std::uint32_t player_count() const noexcept {
        return static_cast<std::uint32_t>(match_.state().racers.size()) - crew_.count();
    }

    bool waits_to_fill() const noexcept {
        return filling_.with_bots && !match_.in_progress() && !match_.full() && player_count() > 0;
    }

    void change_crew(std::byte wish) {
        if (match_.in_progress()) {
            return;
        }
        if (wish == std::byte{0}) {
            crew_.remove_one(match_);
        } else if (wish == std::byte{1} && !match_.full()) {
            crew_.add(match_);
        }
    }

    Phase shown_phase() const {
        switch (match_.state().phase) {
            case MatchPhase::waiting:
            case MatchPhase::restarting: break;
            case MatchPhase::countdown: return Phase::countdown;
            case MatchPhase::started: return Phase::running;
            case MatchPhase::finished: return Phase::finished;
        }
        return Phase::waiting;
    }

    Config config_;
    Match match_;
    Crew crew_;
    Filling filling_;
    std::optional<Outline> shown_;   // by the newest view
    std::optional<Outline> before_;  // and the one before; neither is there after a restore
    flatbuffers::FlatBufferBuilder view_builder_;
    // Scratch of save(), which says nothing about the game: its buffer is kept so that no tick
    // allocates.
    mutable flatbuffers::FlatBufferBuilder state_builder_;
};

// Fifty keys between two ticks; with the ring's header in one page.
constexpr std::uint32_t event_ring_bytes = 2048;

class TronType final : public GameType {
public:
    explicit TronType(bool fills_with_bots) noexcept : fills_with_bots_(fills_with_bots) {}

    std::string_view name() const override { return "tron"; }

    Result<GameShape> shape(Bytes config_bytes) const override {
        const auto config = decode_config(config_bytes);
        if (!config) {
            return std::unexpected(config.error());
        }
        return GameShape{.seats = config->seats,
                         .state_bytes_max = state_bytes_max(),
                         .view_bytes_max = view_bytes_max(*config),
                         .delta_bytes_max = delta_bytes_max,
                         .event_ring_bytes = event_ring_bytes,
                         .tick = std::chrono::milliseconds(config->tick_ms),
                         .size_label = fmt::format("{}x{}", config->width, config->height)};
    }

    std::unique_ptr<Game> create(Bytes config_bytes, std::uint64_t seed) const override {
        const auto config = decode_config(config_bytes);
        invariant(config.has_value(), "tron: create() is given a config that shape() accepted");
        return std::make_unique<TronGame>(
            *config, SavedMatch{.match = Match(*config, seed),
                                .crew = {},
                                .filling = {.with_bots = fills_with_bots_ && !config->replay}});
    }

    Result<std::unique_ptr<Game>> restore(Bytes config_bytes, Bytes state,
                                          Bytes view) const override {
        const auto config = decode_config(config_bytes);
        if (!config) {
            return std::unexpected(config.error());
        }
        auto match = read_match(*config, state, view);
        if (!match) {
            return std::unexpected(std::move(match.error()));
        }
        return std::make_unique<TronGame>(*config, std::move(*match));
    }

private:
    bool fills_with_bots_;
};

}  // namespace

const GameType& tron_type() noexcept {
    static const TronType type(false);
    return type;
}

const GameType& tron_type_with_bots() noexcept {
    static const TronType type(true);
    return type;
}

}  // namespace ringside::tron
