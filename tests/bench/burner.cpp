#include "burner.hpp"

#include <array>
#include <cstring>
#include <ctime>

#include "ringside/core/clock.hpp"

namespace ringside::bench {
namespace {

struct BurnerView {
    std::uint64_t intervals = 0;  // ever
    std::array<std::uint32_t, 128> interval_us{};
};

std::int64_t cpu_ns() {
    timespec used{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * 1'000'000'000 + used.tv_nsec;
}

class Burner final : public Game {
public:
    explicit Burner(std::chrono::microseconds burn) : burn_ns_(burn.count() * 1'000) {}

    JoinAnswer on_join(Bytes) override {
        ++players_;
        return {.reason = RefuseReason::none, .seat = Seat{0}};
    }
    void on_leave(Seat) override { --players_; }
    void on_input(Seat, Bytes) override {}

    void tick(Tick) override {
        const std::int64_t now_ns = monotonic_ns();
        if (began_ns_ != 0) {
            view_.interval_us[view_.intervals++ % view_.interval_us.size()] =
                static_cast<std::uint32_t>((now_ns - began_ns_) / 1'000);
        }
        began_ns_ = now_ns;
        const std::int64_t end_ns = cpu_ns() + burn_ns_;
        while (cpu_ns() < end_ns) {
        }
    }

    bool idle() const override { return players_ == 0; }
    bool ended() const override { return false; }
    GameStatus status() const override {
        return {.phase = Phase::running, .players = players_, .seats = 1};
    }
    std::size_t save(MutableBytes) const override { return 0; }
    std::size_t view(MutableBytes out) override {
        std::memcpy(out.data(), &view_, sizeof(view_));
        return sizeof(view_);
    }

private:
    std::int64_t burn_ns_;
    std::int64_t began_ns_ = 0;
    std::uint8_t players_ = 0;
    BurnerView view_;
};

class BurnerType final : public GameType {
public:
    std::string_view name() const override { return "burner"; }

    Result<GameShape> shape(Bytes config) const override {
        if (config.size() != sizeof(std::chrono::microseconds)) {
            return failure(std::errc::invalid_argument, "not a burner's config");
        }
        return GameShape{.seats = 1,
                         .state_bytes_max = 0,
                         .view_bytes_max = sizeof(BurnerView),
                         .tick = burner_tick,
                         .size_label = "1"};
    }

    std::unique_ptr<Game> create(Bytes config, std::uint64_t) const override {
        std::chrono::microseconds burn{};
        std::memcpy(&burn, config.data(), sizeof(burn));
        return std::make_unique<Burner>(burn);
    }

    Result<std::unique_ptr<Game>> restore(Bytes, Bytes, Bytes) const override {
        return failure(std::errc::not_supported, "a burner does not go on after a crash");
    }
};

}  // namespace

const GameType& burner_type() {
    static const BurnerType type;
    return type;
}

std::vector<std::byte> burner_config(std::chrono::microseconds burn) {
    std::vector<std::byte> config(sizeof(burn));
    std::memcpy(config.data(), &burn, sizeof(burn));
    return config;
}

std::vector<double> burner_intervals_ms(Bytes bytes) {
    BurnerView view;
    if (bytes.size() != sizeof(view)) {
        return {};
    }
    std::memcpy(&view, bytes.data(), sizeof(view));
    std::vector<double> intervals_ms;
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(view.intervals, view.interval_us.size());
         ++i) {
        intervals_ms.push_back(view.interval_us[i] / 1e3);
    }
    return intervals_ms;
}

}  // namespace ringside::bench
