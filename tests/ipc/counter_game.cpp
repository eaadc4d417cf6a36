#include "counter_game.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "attacks.hpp"
#include "scribbles.hpp"

namespace ringside::test {
namespace {

class CounterGame final : public Game {
public:
    explicit CounterGame(std::uint8_t seats, CounterView view = {}) : seats_(seats), view_(view) {}

    JoinAnswer on_join(Bytes parameters) override {
        if (!parameters.empty() && parameters[0] == std::byte{0xff}) {
            return {RefuseReason::bad_parameters, {}};
        }
        for (std::uint8_t seat = 0; seat < seats_; ++seat) {
            if (view_.seat_taken[seat] == 0) {
                view_.seat_taken[seat] = 1;
                ++view_.players;
                ++view_.joins;
                return {RefuseReason::none, Seat{seat}};
            }
        }
        return {RefuseReason::full, {}};
    }

    void on_leave(Seat seat) override {
        view_.seat_taken[value(seat)] = 0;
        --view_.players;
    }

    void on_input(Seat, Bytes input) override {
        if (input.empty()) {
            return;
        }
        const auto byte = static_cast<std::uint8_t>(input[0]);
        view_.sum += byte;
        constexpr auto first_attack = static_cast<std::uint8_t>(CounterInput::attack);
        if (byte >= first_attack && byte < first_attack + attack_count) {
            attacks()[byte - first_attack].run();
        }
        constexpr auto first_scribble = static_cast<std::uint8_t>(CounterInput::scribble);
        if (byte >= first_scribble && byte < first_scribble + scribble_count &&
            !scribble(byte - first_scribble)) {
            std::abort();
        }
        switch (static_cast<CounterInput>(byte)) {
            case CounterInput::run: view_.running = 1; break;
            case CounterInput::park: view_.running = 0; break;
            case CounterInput::crash: std::abort();
            case CounterInput::end: view_.ended = 1; break;
            case CounterInput::hang:
                for (volatile bool hangs = true; hangs;) {
                }
                break;
            case CounterInput::shout:
                std::fputs(
                    "\x1b[2J\x9b"
                    "here I am\n",
                    stderr);
                break;
            case CounterInput::babble:
                for (int line = 0; line < 100'000; ++line) {
                    std::fputs("and so on\n", stderr);
                }
                break;
            case CounterInput::add_one:
            case CounterInput::attack:
            case CounterInput::scribble: break;
        }
    }

    void tick(Tick) override { ++view_.ticks; }
    bool idle() const override { return view_.running == 0; }
    bool ended() const override { return view_.ended != 0; }

    GameStatus status() const override {
        return {view_.running != 0 ? Phase::running : Phase::waiting,
                static_cast<std::uint8_t>(view_.players), seats_};
    }

    std::size_t save(MutableBytes out) const override {
        out[0] = std::byte{seats_};
        return 1;
    }

    std::size_t view(MutableBytes out) override {
        std::memcpy(out.data(), &view_, sizeof(view_));
        before_ = std::exchange(shown_, view_);
        return sizeof(view_);
    }

    std::size_t delta(MutableBytes out) override {
        if (!before_ || before_->joins != shown_->joins || before_->players != shown_->players ||
            before_->running != shown_->running || before_->ended != shown_->ended) {
            return 0;
        }
        const CounterDelta delta{.sum_added = shown_->sum - before_->sum,
                                 .ticks_added = shown_->ticks - before_->ticks};
        std::memcpy(out.data(), &delta, sizeof(delta));
        return sizeof(delta);
    }

private:
    std::uint8_t seats_;
    CounterView view_;
    std::optional<CounterView> shown_;   // by the newest view()
    std::optional<CounterView> before_;  // and the one before
};

class CounterType final : public GameType {
public:
    std::string_view name() const override { return "counter"; }

    Result<GameShape> shape(Bytes config) const override {
        const int seats = seats_of(config);
        if (seats < 1 || seats > 4) {
            return failure(std::errc::invalid_argument,
                           "seats " + std::to_string(seats) + " is outside 1 to 4");
        }
        return GameShape{.seats = static_cast<std::uint32_t>(seats),
                         .state_bytes_max = 1,
                         .view_bytes_max = sizeof(CounterView),
                         .delta_bytes_max = sizeof(CounterDelta),
                         .tick = std::chrono::milliseconds(10),
                         .size_label = "1"};
    }

    std::unique_ptr<Game> create(Bytes config, std::uint64_t) const override {
        return std::make_unique<CounterGame>(static_cast<std::uint8_t>(seats_of(config)));
    }

    Result<std::unique_ptr<Game>> restore(Bytes config, Bytes, Bytes view) const override {
        if (view.size() != sizeof(CounterView)) {
            return failure(std::errc::bad_message, "not a counter's view");
        }
        CounterView restored;
        std::memcpy(&restored, view.data(), sizeof(restored));
        return std::make_unique<CounterGame>(static_cast<std::uint8_t>(seats_of(config)), restored);
    }

private:
    static int seats_of(Bytes config) { return config.empty() ? 4 : static_cast<int>(config[0]); }
};

}  // namespace

const GameType& counter_type() {
    static const CounterType type;
    return type;
}

}  // namespace ringside::test
