// Bytes that players and hosts send and only a game type understands: configs, join parameters and
// inputs on one side, views and deltas on the other; and the texts that name places and addresses.
// The first byte says which.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ringside/core/game.hpp"
#include "ringside/core/limits.hpp"
#include "ringside/core/printable.hpp"
#include "ringside/net/endpoint.hpp"
#include "ringside/net/peer_address.hpp"
#include "ringside/relay/relay.hpp"
#include "ringside/tron/config.hpp"
#include "ringside/tron/rules.hpp"
#include "ringside/tron/view.hpp"

namespace {

using namespace ringside;

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

/// Takes pieces off the front: a length byte, then so many bytes.
class Pieces {
public:
    explicit Pieces(Bytes rest) : rest_(rest) {}
    [[nodiscard]] bool more() const { return !rest_.empty(); }
    [[nodiscard]] std::uint8_t byte() {
        const auto value = rest_.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(rest_[0]);
        rest_ = rest_.subspan(rest_.empty() ? 0 : 1);
        return value;
    }
    [[nodiscard]] Bytes piece() {
        const std::size_t wanted = byte();
        const Bytes taken = rest_.first(std::min(wanted, rest_.size()));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }

private:
    Bytes rest_;
};

struct Saved {
    std::vector<std::byte> state;
    std::vector<std::byte> view;
};

Saved saved(Game& game, const GameShape& shape) {
    Saved bytes{.state = std::vector<std::byte>(shape.state_bytes_max),
                .view = std::vector<std::byte>(shape.view_bytes_max)};
    bytes.state.resize(game.save(bytes.state));
    bytes.view.resize(game.view(bytes.view));
    return bytes;
}

/// What clients of tron make of what is published: the delta of a view is the way to the next one.
class TronWatcher {
public:
    void look(const std::vector<std::byte>& view, Bytes delta) {
        const auto whole = tron::decode_view(view);
        require(whole.has_value());
        if (seen_ && !delta.empty()) {
            require(tron::apply_delta(delta, *seen_));
            require(*seen_ == *whole);
        }
        seen_ = whole;
    }
    /// A host may send any bytes as a delta.
    void be_lied_to(Bytes delta) const {
        auto copy = seen_;
        if (copy && tron::apply_delta(delta, *copy)) {
            require(copy->cycles.size() <= tron::seats_limit);
        }
    }

private:
    std::optional<tron::View> seen_;
};

/// Whatever players do, the game stays within its shape, and a restored one goes on as it would.
void play(const GameType& type, Pieces pieces) {
    const Bytes config = pieces.piece();
    const auto shape =
        type.shape(config.first(std::min<std::size_t>(config.size(), config_bytes_max)));
    if (!shape) {
        return;
    }
    auto game = type.create(config, 1);
    std::vector<Seat> seats;
    TronWatcher watcher;
    for (int turns = 0; turns < 64 && pieces.more() && !game->ended(); ++turns) {
        switch (pieces.byte() % 6) {
            case 0: {
                const JoinAnswer joined = game->on_join(pieces.piece());
                if (joined.reason == RefuseReason::none) {
                    require(value(joined.seat) < shape->seats);
                    require(std::ranges::find(seats, joined.seat) == seats.end());
                    seats.push_back(joined.seat);
                }
                break;
            }
            case 1:
                if (!seats.empty()) {
                    game->on_leave(seats.back());
                    seats.pop_back();
                }
                break;
            case 2:
                if (!seats.empty()) {
                    game->on_input(seats[pieces.byte() % seats.size()], pieces.piece());
                }
                break;
            case 3: game->tick(Tick{static_cast<std::uint64_t>(turns)}); break;
            case 5: watcher.be_lied_to(pieces.piece()); break;
            default: {
                const Saved before = saved(*game, *shape);
                auto restored = type.restore(config, before.state, before.view);
                require(restored.has_value());
                game = std::move(*restored);
                const Saved after = saved(*game, *shape);
                require(after.state == before.state && after.view == before.view);
            }
        }
        const Saved now = saved(*game, *shape);
        if (&type == &tron::tron_type()) {
            std::vector<std::byte> delta(shape->delta_bytes_max);
            delta.resize(game->delta(delta));
            watcher.look(now.view, delta);
        }
        const GameStatus status = game->status();
        require(status.seats == shape->seats && status.players == seats.size());
        (void)game->idle();
    }
}

/// A game that some other host has left: its state may say anything.
void restore(const GameType& type, Pieces pieces) {
    const Bytes config = pieces.piece();
    const Bytes state = pieces.piece();
    const Bytes view = pieces.piece();
    if (const auto shape = type.shape(config)) {
        if (auto game = type.restore(config, state, view)) {
            (*game)->tick(Tick{1});
            (void)saved(**game, *shape);
        }
    }
}

void show(Pieces pieces) {
    const Bytes whole = pieces.piece();
    tron::View view;
    if (tron::decode_view(whole, view)) {
        require(view.cycles.size() <= tron::seats_limit);
        require(!tron::apply_delta(pieces.piece(), view) ||
                view.cycles.size() <= tron::seats_limit);
    }
    (void)relay::decode_view(whole);
}

void name_places(const std::string& text) {
    if (const auto endpoint = Endpoint::parse(text)) {
        const auto again = Endpoint::parse(endpoint->text());
        require(again.has_value() && again->text() == endpoint->text());
    }
    const std::string safe = printable(text);
    require(std::ranges::none_of(safe, [](char c) { return c == 0x7f || (c >= 0 && c < 0x20); }));
    require(printable(safe) == safe);
    if (const auto address = parse_peer_address(text)) {
        require(parse_peer_address(text_of(*address)) == address);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
    Pieces pieces(std::as_bytes(std::span(data, bytes)));
    switch (pieces.byte() % 6) {
        case 0: play(tron::tron_type(), pieces); break;
        case 1: play(relay::relay_type(), pieces); break;
        case 2: restore(tron::tron_type(), pieces); break;
        case 3: restore(relay::relay_type(), pieces); break;
        case 4: show(pieces); break;
        default: name_places(std::string(reinterpret_cast<const char*>(data), bytes).substr(1));
    }
    return 0;
}
