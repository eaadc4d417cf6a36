#include "player.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include <catch2/catch.hpp>

#include "program.hpp"

#include "ringside/tron/view.hpp"

namespace ringside::test {
namespace {

Client connected(const Endpoint& endpoint) {
    auto client = Client::connect(endpoint, Deltas::no, patience);
    INFO((client ? std::string() : client.error().text()));
    REQUIRE(client.has_value());
    return std::move(*client);
}

}  // namespace

Player::Player(const Endpoint& endpoint, std::string nickname)
    : client_(connected(endpoint)), nickname_(std::move(nickname)) {
    REQUIRE(next()->message_as_Welcome() != nullptr);
}

const wire::FromHost* Player::next() {
    for (;;) {
        const auto message = client_.receive(patience);
        INFO((message ? std::string("nothing came") : message.error().text()));
        REQUIRE(message.has_value());
        REQUIRE(*message != nullptr);
        if ((*message)->message_as_Players() == nullptr) {  // others' names, at any time
            return *message;
        }
    }
}

void Player::ask(const std::string& game, const tron::Config& config, wire::JoinMode mode) {
    pressed_ = applied_ = 0;
    client_.join({.game = game,
                  .type = "tron",
                  .mode = mode,
                  .config = tron::encode_config(config),
                  .parameters = {},
                  .nickname = nickname_});
}

void Player::come_back() {
    REQUIRE(client_.can_reconnect());
    REQUIRE(eventually([&] { return client_.reconnect().has_value(); }));
    REQUIRE(next()->message_as_Welcome() != nullptr);
    const unsigned seat_before = seat_;
    const Answer again = answer();
    REQUIRE(again.seat == seat_before);
}

Player::Answer Player::answer() {
    for (;;) {
        const wire::FromHost* message = next();
        if (const auto* joined = message->message_as_Joined()) {
            seat_ = joined->seat();
            return {.seat = seat_};
        }
        if (const auto* refused = message->message_as_Refused()) {
            return {.seat = std::nullopt,
                    .reason = static_cast<RefuseReason>(refused->reason()),
                    .text = refused->text() == nullptr ? "" : refused->text()->str()};
        }
        INFO(wire::EnumNameHostMessage(message->message_type()));
        REQUIRE(message->message_as_Snapshot() != nullptr);  // of the game before
    }
}

Player::Answer Player::join(const std::string& game, const tron::Config& config,
                            wire::JoinMode mode) {
    ask(game, config, mode);
    return answer();
}

void Player::press(tron::Key key) {
    client_.input(std::as_bytes(std::span(&key, 1)));
    ++pressed_;
}

void Player::leave() {
    client_.leave();
}

std::optional<LeaveReason> Player::left() {
    for (;;) {
        const auto message = client_.receive(patience);
        if (!message) {
            return std::nullopt;
        }
        REQUIRE(*message != nullptr);
        if (const auto* left = (*message)->message_as_Left()) {
            return static_cast<LeaveReason>(left->reason());
        }
    }
}

const tron::View& Player::next_view() {
    const auto* snapshot = next()->message_as_Snapshot();
    REQUIRE(snapshot != nullptr);
    take(*snapshot);
    return view_;
}

void Player::take(const wire::Snapshot& snapshot) {
    const auto bytes = std::span(snapshot.view()->data(), snapshot.view()->size());
    REQUIRE(tron::decode_view(std::as_bytes(bytes), view_));
    REQUIRE(snapshot.tick() >= tick_);
    tick_ = snapshot.tick();
    if (snapshot.seats() != nullptr) {
        for (const auto* seat : *snapshot.seats()) {
            applied_ = seat->seat() == seat_ ? seat->number() : applied_;
        }
    }
}

const tron::Cycle& Player::cycle() const {
    const auto own = std::ranges::find(view_.cycles, seat_ + 1, &tron::Cycle::number);
    REQUIRE(own != view_.cycles.end());
    return *own;
}

}  // namespace ringside::test
