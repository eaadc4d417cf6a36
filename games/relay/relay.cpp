#include "ringside/relay/relay.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include <fmt/format.h>

#include "ringside/core/invariant.hpp"
#include "ringside/core/limits.hpp"

namespace ringside::relay {
namespace {

static_assert(seats_max <= 64, "the seats taken are one word");

struct EventHead {
    std::uint8_t seat;
    std::uint8_t reserved;  // zero
    std::uint16_t bytes;
};
static_assert(sizeof(EventHead) == 4);

// Config and state are a few bytes that copy as they are.
template <class Value>
std::optional<Value> value_of(Bytes bytes) {
    Value value;
    if (bytes.size() != sizeof(value)) {
        return std::nullopt;
    }
    std::memcpy(&value, bytes.data(), sizeof(value));
    return value;
}

Result<Config> decode_config(Bytes bytes) {
    const auto config = bytes.empty() ? Config{} : value_of<Config>(bytes);
    if (!config) {
        return failure(std::errc::invalid_argument,
                       fmt::format("relay: a config has 2 bytes, not {}", bytes.size()));
    }
    if (config->seats < 1 || config->seats > seats_max || config->history < 1 ||
        config->history > history_limit) {
        return failure(std::errc::invalid_argument,
                       fmt::format("relay: seats {} and history {} are outside 1 to {} and 1 to {}",
                                   config->seats, config->history, seats_max, history_limit));
    }
    return *config;
}

class RelayGame final : public Game {
public:
    explicit RelayGame(Config config) : config_(config), events_(config.history) {}

    JoinAnswer on_join(Bytes /*parameters*/) override {
        const auto seat = static_cast<std::uint8_t>(std::countr_one(taken_));
        if (seat >= config_.seats) {
            return {.reason = RefuseReason::full};
        }
        taken_ |= bit_of(Seat{seat});
        return {.seat = Seat{seat}};
    }

    void on_leave(Seat seat) override { taken_ &= ~bit_of(seat); }

    void on_input(Seat seat, Bytes input) override {
        Kept& kept = events_[count_++ % config_.history];
        kept.head = {
            .seat = value(seat), .reserved = 0, .bytes = static_cast<std::uint16_t>(input.size())};
        std::ranges::copy(input, kept.bytes.begin());
    }

    void tick(Tick) override {}  // all happens in on_input
    bool idle() const override { return true; }
    bool ended() const override { return false; }

    GameStatus status() const override {
        return {.phase = taken_ != 0 ? Phase::running : Phase::waiting,
                .players = static_cast<std::uint8_t>(std::popcount(taken_)),
                .seats = config_.seats};
    }

    std::size_t save(MutableBytes out) const override {
        std::memcpy(out.data(), &taken_, sizeof(taken_));
        return sizeof(taken_);
    }

    std::size_t view(MutableBytes out) override {
        std::memcpy(out.data(), &count_, sizeof(count_));
        std::size_t at = sizeof(count_);
        for (std::uint64_t i = count_ - kept_count(); i < count_; ++i) {
            const Kept& kept = events_[i % config_.history];
            const std::size_t bytes = sizeof(kept.head) + kept.head.bytes;
            std::memcpy(out.data() + at, &kept, bytes);
            at += bytes;
        }
        return at;
    }

    /// False when these are not a relay's.
    bool restore(Bytes state, Bytes view_bytes) {
        const auto taken = value_of<std::uint64_t>(state);
        const auto view = decode_view(view_bytes);
        if (!taken || !view ||
            view->events.size() != std::min<std::uint64_t>(view->count, config_.history)) {
            return false;
        }
        count_ = view->count - view->events.size();
        for (const Event& event : view->events) {
            on_input(Seat{event.seat}, event.bytes);
        }
        taken_ = *taken;
        return true;
    }

private:
    struct Kept {
        EventHead head{};
        std::array<std::byte, input_bytes_max> bytes{};
    };

    static std::uint64_t bit_of(Seat seat) noexcept { return std::uint64_t{1} << value(seat); }

    std::uint64_t kept_count() const noexcept {
        return std::min<std::uint64_t>(count_, config_.history);
    }

    Config config_;
    std::vector<Kept> events_;  // event n lies at n % history
    std::uint64_t count_ = 0;
    std::uint64_t taken_ = 0;  // a bit per seat
};

class RelayType final : public GameType {
public:
    std::string_view name() const override { return "relay"; }

    Result<GameShape> shape(Bytes config_bytes) const override {
        const auto config = decode_config(config_bytes);
        if (!config) {
            return std::unexpected(config.error());
        }
        constexpr std::uint32_t event_bytes = sizeof(EventHead) + input_bytes_max;
        return GameShape{.seats = config->seats,
                         .state_bytes_max = sizeof(std::uint64_t),
                         .view_bytes_max = static_cast<std::uint32_t>(sizeof(std::uint64_t)) +
                                           config->history * event_bytes,
                         .reactive = true,
                         .tick = std::chrono::seconds(1),  // it has nothing to do by itself
                         .size_label = fmt::format("{} seats", config->seats)};
    }

    std::unique_ptr<Game> create(Bytes config_bytes, std::uint64_t /*seed*/) const override {
        const auto config = decode_config(config_bytes);
        invariant(config.has_value(), "relay: create() is given a config that shape() accepted");
        return std::make_unique<RelayGame>(*config);
    }

    Result<std::unique_ptr<Game>> restore(Bytes config_bytes, Bytes state,
                                          Bytes view) const override {
        const auto config = decode_config(config_bytes);
        if (!config) {
            return std::unexpected(config.error());
        }
        auto game = std::make_unique<RelayGame>(*config);
        if (!game->restore(state, view)) {
            return failure(std::errc::bad_message, "relay: its saved state does not add up");
        }
        return game;
    }
};

}  // namespace

const GameType& relay_type() noexcept {
    static const RelayType type;
    return type;
}

std::vector<std::byte> encode_config(const Config& config) {
    return {std::byte{config.seats}, std::byte{config.history}};
}

std::optional<View> decode_view(Bytes bytes) {
    View view;
    if (bytes.size() < sizeof(view.count)) {
        return std::nullopt;
    }
    std::memcpy(&view.count, bytes.data(), sizeof(view.count));
    bytes = bytes.subspan(sizeof(view.count));
    while (!bytes.empty()) {
        const auto head =
            value_of<EventHead>(bytes.first(std::min(bytes.size(), sizeof(EventHead))));
        if (!head || head->bytes > input_bytes_max || head->seat >= seats_max ||
            head->bytes > bytes.size() - sizeof(EventHead)) {
            return std::nullopt;
        }
        view.events.push_back(
            {.seat = head->seat, .bytes = bytes.subspan(sizeof(EventHead), head->bytes)});
        bytes = bytes.subspan(sizeof(EventHead) + head->bytes);
    }
    return view.events.size() > history_limit ? std::nullopt : std::optional(std::move(view));
}

}  // namespace ringside::relay
