// The C++ side of the web client's round trips. `round_trip views` plays a match of bots and
// prints, for each tick, a JSON line: the view's and delta's bytes, and what C++ reads from them.
// `round_trip messages` reads lines of hexadecimal, each a client's message or a config of tron
// behind "config ", and prints what they say.

#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "ringside/core/wire.hpp"
#include "ringside/core/wire_generated.h"
#include "ringside/tron/bot.hpp"
#include "ringside/tron/config.hpp"
#include "ringside/tron/rules.hpp"
#include "ringside/tron/view.hpp"

namespace {

using namespace ringside;
using Json = nlohmann::ordered_json;

std::string hex_of(Bytes bytes) {
    std::string text;
    for (const std::byte byte : bytes) {
        constexpr std::string_view digits = "0123456789abcdef";
        text += digits[static_cast<std::size_t>(byte) >> 4];
        text += digits[static_cast<std::size_t>(byte) & 15];
    }
    return text;
}

/// Aligned, as the gate wants it.
std::vector<std::byte> bytes_of(const std::string& hex) {
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        bytes.push_back(static_cast<std::byte>(std::stoul(hex.substr(i, 2), nullptr, 16)));
    }
    return bytes;
}

Json json_of(const tron::View& view) {
    Json cycles = Json::array();
    for (const tron::Cycle& cycle : view.cycles) {
        Json walls = Json::array();
        for (const tron::Wall& wall : cycle.walls) {
            walls.push_back({{"x", wall.x}, {"y", wall.y}});
        }
        cycles.push_back({{"number", cycle.number},
                          {"x", cycle.x},
                          {"y", cycle.y},
                          {"direction", cycle.direction},
                          {"state", cycle.state},
                          {"explosionFrame", cycle.explosion_frame},
                          {"ready", cycle.ready},
                          {"walls", walls}});
    }
    return {{"phase", view.phase},   {"count", view.count}, {"width", view.width},
            {"height", view.height}, {"cycles", cycles},    {"bots", view.bots}};
}

void print_views() {
    constexpr std::uint8_t seats = 4;
    constexpr int ticks = 400;
    const auto config = tron::encode_config({.width = 40, .height = 24, .seats = seats});
    const auto shape = tron::tron_type().shape(config);
    const auto game = tron::tron_type().create(config, 7);
    std::vector<tron::Bot> bots;
    for (std::uint8_t seat = 0; seat < seats; ++seat) {
        static_cast<void>(game->on_join({}));
        bots.emplace_back(seat);
    }
    std::vector<std::byte> view(shape->view_bytes_max);
    std::vector<std::byte> delta(shape->delta_bytes_max);
    for (int tick = 1; tick <= ticks; ++tick) {
        game->tick(Tick(static_cast<std::uint64_t>(tick)));
        const Bytes view_bytes = Bytes(view).first(game->view(view));
        const Bytes delta_bytes = Bytes(delta).first(game->delta(delta));
        const auto seen = tron::decode_view(view_bytes);
        std::cout << Json{{"view", hex_of(view_bytes)},
                          {"delta", hex_of(delta_bytes)},
                          {"seen", json_of(*seen)}}
                  << '\n';
        for (std::uint8_t seat = 0; seat < seats; ++seat) {
            const tron::Keys keys = bots[seat].decide(*seen, static_cast<std::uint8_t>(seat + 1));
            for (const std::byte& key : keys.bytes()) {
                game->on_input(Seat(seat), {&key, 1});
            }
        }
    }
}

template <class Vector>
Json numbers_of(const Vector* vector) {
    Json numbers = Json::array();
    if (vector != nullptr) {
        for (const auto number : *vector) {
            numbers.push_back(number);
        }
    }
    return numbers;
}

Json text_of(const flatbuffers::String* text) {
    return text == nullptr ? Json(nullptr) : Json(text->str());
}

Json json_of(const wire::FromClient& message) {
    using enum wire::ClientMessage;
    switch (message.message_type()) {
        case Hello: {
            const auto& hello = *message.message_as_Hello();
            return {{"type", "Hello"},
                    {"version", hello.protocol_version()},
                    {"deltas", hello.deltas()}};
        }
        case Join: {
            const auto& join = *message.message_as_Join();
            return {{"type", "Join"},
                    {"game", text_of(join.game())},
                    {"gameType", text_of(join.game_type())},
                    {"mode", join.mode()},
                    {"config", numbers_of(join.config())},
                    {"password", text_of(join.password())},
                    {"unlisted", join.unlisted()}};
        }
        case Watch: {
            const auto& watch = *message.message_as_Watch();
            return {{"type", "Watch"},
                    {"game", text_of(watch.game())},
                    {"password", text_of(watch.password())}};
        }
        case Leave: return {{"type", "Leave"}};
        case Input: {
            const auto& input = *message.message_as_Input();
            return {{"type", "Input"},
                    {"number", input.number()},
                    {"bytes", numbers_of(input.bytes())}};
        }
        case List: {
            const auto& list = *message.message_as_List();
            return {{"type", "List"},
                    {"prefix", text_of(list.prefix())},
                    {"after", text_of(list.after())}};
        }
        case Ping: return {{"type", "Ping"}, {"nonce", message.message_as_Ping()->nonce()}};
        case Resume: {
            const auto& resume = *message.message_as_Resume();
            Json sessions = Json::array();
            for (const std::uint64_t session : *resume.sessions()) {
                sessions.push_back(std::to_string(session));
            }
            return {{"type", "Resume"},
                    {"game", text_of(resume.game())},
                    {"sessions", sessions},
                    {"tokens", numbers_of(resume.tokens())}};
        }
        case Seen: {
            const auto& seen = *message.message_as_Seen();
            return {{"type", "Seen"},
                    {"number", seen.number()},
                    {"sentNs", std::to_string(seen.sent_ns())},
                    {"seenNs", std::to_string(seen.seen_ns())}};
        }
        case NONE: break;
    }
    return {{"type", "none"}};
}

void read_messages() {
    for (std::string line; std::getline(std::cin, line);) {
        if (line.starts_with("config ")) {
            const auto config = tron::decode_config(bytes_of(line.substr(7)));
            std::cout << (config ? Json{{"width", config->width},
                                        {"height", config->height},
                                        {"seats", config->seats}}
                                 : Json{{"refused", config.error().message}})
                      << '\n';
            continue;
        }
        const auto bytes = bytes_of(line);
        const auto* message = wire::verified_from_client(bytes);
        std::cout << (message == nullptr ? Json{{"refused", "not a message"}} : json_of(*message))
                  << '\n';
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string mode = argc == 2 ? argv[1] : "";
    if (mode == "views") {
        print_views();
    } else if (mode == "messages") {
        read_messages();
    } else {
        std::fputs("usage: round_trip views|messages\n", stderr);
        return 2;
    }
    return 0;
}
