#include "race_bytes.hpp"

#include <span>

#include "ringside/tron/rules.hpp"

namespace ringside::bench {
namespace {

MessageBytes bytes_of(const BufferRef& message) {
    return {.terminal = message.bytes().size(), .browser = message.web_socket_bytes().size()};
}

}  // namespace

RaceBytes::RaceBytes(const tron::Config& config, std::uint64_t seed)
    : config_(tron::encode_config(config)),
      shape_(tron::tron_type().shape(config_).value()),
      game_(tron::tron_type().create(config_, seed)),
      view_(shape_.view_bytes_max),
      delta_(shape_.delta_bytes_max) {
    for (std::uint8_t seat = 0; seat < config.seats; ++seat) {
        (void)game_->on_join({});
        roster_.push_back({.session = seat,
                           .grace_until_ns = 0,
                           .key = {},
                           .nickname = {},
                           .last_input = 0,
                           .seat = seat,
                           .front_slot = 0,
                           .reserved = {}});
        bots_.emplace_back(seed * 16 + seat);
    }
}

std::vector<TickBytes> RaceBytes::run(std::size_t ticks_max) {
    std::vector<TickBytes> ticks;
    bool raced = false;
    for (std::uint64_t tick = 1; ticks.size() < ticks_max; ++tick) {
        press_keys();
        game_->tick(Tick{tick});
        const std::size_t view_bytes = game_->view(view_);
        const std::size_t delta_bytes = game_->delta(delta_);
        seen_ = tron::decode_view(Bytes(view_).first(view_bytes)).value();
        const bool racing = seen_.phase == tron::MatchPhase::started;
        if (raced && !racing) {
            break;
        }
        if (raced) {
            ticks.push_back(sizes(tick, view_bytes, delta_bytes));
        }
        raced = racing;
    }
    return ticks;
}

void RaceBytes::press_keys() {
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

TickBytes RaceBytes::sizes(std::uint64_t tick, std::size_t view_bytes, std::size_t delta_bytes) {
    SnapshotParts parts{};
    parts.header.tick = tick;
    parts.roster = roster_;
    parts.view = Bytes(view_).first(view_bytes);
    parts.delta = Bytes(delta_).first(delta_bytes);
    TickBytes bytes{.whole = bytes_of(messages_.snapshot(parts)),
                    .delta = {},
                    .view_bytes = view_bytes,
                    .delta_bytes = delta_bytes};
    bytes.delta = bytes.whole;
    if (delta_bytes != 0) {
        bytes.delta = bytes_of(messages_.delta(parts, changed_));
        bytes.inputs_bytes = bytes.delta.terminal - bytes_of(messages_.delta(parts, {})).terminal;
    }
    return bytes;
}

}  // namespace ringside::bench
