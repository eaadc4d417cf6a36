#include "session.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "games/ringside/reasons.hpp"

#include "ringside/core/limits.hpp"
#include "ringside/core/wire.hpp"
#include "ringside/relay/relay.hpp"
#include "ringside/tron/config.hpp"

namespace ringside::load {
namespace {

std::vector<std::uint8_t> octets(const std::vector<std::byte>& bytes) {
    std::vector<std::uint8_t> out(bytes.size());
    std::memcpy(out.data(), bytes.data(), bytes.size());
    return out;
}

tron::Direction clockwise(tron::Direction direction) {
    return static_cast<tron::Direction>((static_cast<unsigned>(direction) + 1) %
                                        tron::direction_count);
}

}  // namespace

Session::Session(const Options& options, std::uint32_t index, int fd, std::int64_t connect_ns)
    : options_(options),
      index_(index),
      fd_(fd),
      parser_(host_message_bytes_max),
      connect_ns_(connect_ns) {
    say([&](auto& builder) {
        return std::pair{
            wire::ClientMessage::Hello,
            wire::CreateHello(builder, wire::protocol_version, options_.deltas).Union()};
    });
}

template <class Build>
void Session::say(Build build) {
    flatbuffers::FlatBufferBuilder builder(256);
    const auto [type, message] = build(builder);
    builder.FinishSizePrefixed(wire::CreateFromClient(builder, type, message));
    const auto* first = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
    outbox_.insert(outbox_.end(), first, first + builder.GetSize());
}

void Session::fail(std::string reason) {
    if (std::exchange(state_, State::failed) != State::failed) {
        reason_ = std::move(reason);  // what comes after the first is its consequence
    }
}

void Session::join() {
    const bool is_tron = options_.mode == Mode::tron;
    const auto config = octets(
        is_tron ? tron::encode_config({.seats = static_cast<std::uint8_t>(options_.players),
                                       .tick_ms = static_cast<std::uint16_t>(options_.tick_ms)})
                // A view tells of an input of each: with less room, those that came together would
                // push each other out before anybody was told.
                : relay::encode_config({.seats = static_cast<std::uint8_t>(options_.players),
                                        .history = static_cast<std::uint8_t>(options_.players)}));
    // Games of an earlier run take a moment to end.
    const std::string game = fmt::format("load-{}-{}", getpid(), index_ / options_.players);
    say([&](auto& builder) {
        return std::pair{wire::ClientMessage::Join,
                         wire::CreateJoinDirect(builder, game.c_str(), is_tron ? "tron" : "relay",
                                                wire::JoinMode::join_or_create, &config)
                             .Union()};
    });
    state_ = State::joining;
}

// ---- inputs ------------------------------------------------------------------------------------

void Session::act(std::int64_t intended_ns, std::int64_t now_ns, Counts& counts) {
    if (state_ != State::playing) {
        return;
    }
    if (options_.mode == Mode::relay) {
        const std::vector<std::byte> bytes(options_.input_bytes, std::byte{42});
        input(bytes, intended_ns, now_ns, counts);
    } else if (const auto key = tron_key()) {
        input({&*key, 1}, intended_ns, now_ns, counts);
    }
}

/// What keeps the race going: ready between races, and a turn to the right within one.
std::optional<std::byte> Session::tron_key() const {
    const tron::View& view = follower_.view();
    const auto own = std::ranges::find(view.cycles, seat_ + 1, &tron::Cycle::number);
    if (own == view.cycles.end() || view.phase == tron::MatchPhase::countdown) {
        return std::nullopt;
    }
    if (view.phase == tron::MatchPhase::started) {
        return static_cast<std::byte>(tron::key_of(clockwise(own->direction)));
    }
    return own->ready ? std::nullopt : std::optional(static_cast<std::byte>(tron::Key::insert));
}

void Session::input(Bytes bytes, std::int64_t intended_ns, std::int64_t now_ns, Counts& counts) {
    ++number_;
    in_flight_.push_back({.number = number_, .intended_ns = intended_ns, .sent_ns = now_ns});
    ++counts.sent;
    say([&](auto& builder) {
        const auto body =
            builder.CreateVector(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
        return std::pair{wire::ClientMessage::Input,
                         wire::CreateInput(builder, number_, body).Union()};
    });
}

// ---- messages ----------------------------------------------------------------------------------

void Session::take(Bytes bytes, std::int64_t now_ns, Counts& counts) {
    counts.bytes += bytes.size();
    Bytes frame;
    while (state_ != State::failed) {
        const FrameStatus status = parser_.next(bytes, frame);
        if (status == FrameStatus::more) {
            return;
        }
        const auto* message =
            status == FrameStatus::frame ? wire::verified_from_host(frame) : nullptr;
        if (message == nullptr) {
            return fail("the host sent bytes that are no message");
        }
        hear(*message, now_ns, counts);
    }
}

void Session::hear(const wire::FromHost& message, std::int64_t now_ns, Counts& counts) {
    switch (message.message_type()) {
        case wire::HostMessage::Welcome: return join();
        case wire::HostMessage::Joined:
            state_ = State::playing;
            seat_ = message.message_as_Joined()->seat();
            counts.join.record(static_cast<std::uint64_t>(now_ns - connect_ns_));
            return;
        case wire::HostMessage::Snapshot:
        case wire::HostMessage::Delta: return hear_view(message, now_ns, counts);
        case wire::HostMessage::Refused: return fail(refusal(*message.message_as_Refused()));
        case wire::HostMessage::Left:
            return fail(fmt::format("put out: {}", farewell(*message.message_as_Left())));
        case wire::HostMessage::Error:
            return fail(fmt::format("error {}", message.message_as_Error()->code()));
        default: return;
    }
}

void Session::hear_view(const wire::FromHost& message, std::int64_t now_ns, Counts& counts) {
    const auto* snapshot = message.message_as_Snapshot();
    const auto* delta = message.message_as_Delta();
    const auto* seats = snapshot != nullptr ? snapshot->seats() : delta->seats();
    ++(snapshot != nullptr ? counts.snapshots : counts.deltas);
    if (options_.mode == Mode::tron) {
        if (follower_.take(message) != ViewFollower::Took::view) {
            return fail("the host sent a view that is none");
        }
        note_tick(snapshot != nullptr ? snapshot->tick()
                                      : tick_ + static_cast<std::uint16_t>(delta->tick() - tick_),
                  now_ns, counts);
    }
    for (std::uint32_t i = 0; seats != nullptr && i < seats->size(); ++i) {
        if (seats->Get(i)->seat() == seat_) {
            acknowledge(seats->Get(i)->number(), now_ns, counts);
        }
    }
    if (options_.mode == Mode::relay && snapshot != nullptr) {
        // A relay's view begins with how many events there were.
        std::memcpy(&applied_, snapshot->view()->data(),
                    std::min<std::size_t>(sizeof(applied_), snapshot->view()->size()));
    }
}

void Session::note_tick(std::uint64_t tick, std::int64_t now_ns, Counts& counts) {
    const tron::MatchPhase phase = follower_.view().phase;
    const bool ticking = phase == tron::MatchPhase::started || phase == tron::MatchPhase::countdown;
    if (ticking_ && tick > tick_ + 1) {
        counts.tick_gaps += tick - tick_ - 1;
    }
    if (tick != tick_ && (ticking || ticking_)) {
        note_lateness(tick, now_ns, counts);  // not of a view that an input made
    }
    parked_ = parked_ || !ticking;
    tick_ = tick;
    ticking_ = ticking;
}

void Session::note_lateness(std::uint64_t tick, std::int64_t now_ns, Counts& counts) {
    const std::int64_t tick_ns = std::int64_t{options_.tick_ms} * 1'000'000;
    const std::int64_t zero_ns = now_ns - static_cast<std::int64_t>(tick) * tick_ns;
    if (std::exchange(parked_, false) && earliest_ns_) {
        // A game that parked goes on at the phase it had, some whole ticks later. To begin anew
        // with this view would call the game punctual however late it is; so a view counts as up to
        // three quarters of a tick late, and beyond that as earlier than any before it.
        const std::int64_t later_ns = zero_ns - *earliest_ns_ + tick_ns / 4;
        const std::int64_t remainder_ns = (later_ns % tick_ns + tick_ns) % tick_ns;
        *earliest_ns_ += later_ns - remainder_ns;
    }
    if (!earliest_ns_ || zero_ns < *earliest_ns_) {
        earliest_ns_ = zero_ns;
    }
    counts.lateness.record(static_cast<std::uint64_t>(zero_ns - *earliest_ns_));
}

void Session::acknowledge(std::uint32_t number, std::int64_t now_ns, Counts& counts) {
    for (; !in_flight_.empty() && in_flight_.front().number <= number; in_flight_.pop_front()) {
        record(in_flight_.front(), now_ns, counts);
        ++counts.acknowledged;
    }
}

void Session::record(const Sent& sent, std::int64_t now_ns, Counts& counts) {
    if (sent.intended_ns < counts.measured_from_ns || sent.intended_ns >= counts.measured_to_ns) {
        return;
    }
    const auto latency_ns = now_ns - sent.intended_ns;
    counts.latency.record(static_cast<std::uint64_t>(latency_ns));
    counts.service.record(static_cast<std::uint64_t>(now_ns - sent.sent_ns));
    counts.latency_max = std::max(counts.latency_max, static_cast<double>(latency_ns) / 1e3);
}

void Session::give_up(std::int64_t now_ns, Counts& counts) const {
    for (const Sent& sent : in_flight_) {
        record(sent, now_ns, counts);
    }
}

}  // namespace ringside::load
