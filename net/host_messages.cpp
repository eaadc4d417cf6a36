#include "host_messages.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "ringside/core/wire_generated.h"
#include "ringside/net/frame.hpp"

namespace ringside {
namespace {

/// Of a fixed array that another process wrote: up to its zero, or all of it.
template <std::size_t size>
std::string_view text_of(const char (&characters)[size]) noexcept {
    return {characters, ::strnlen(characters, size)};
}

const std::uint8_t* octets(Bytes bytes) noexcept {
    return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

Bytes config_of(const GameSegmentPlan& plan) noexcept {
    return Bytes(plan.config).first(std::min<std::size_t>(plan.config_bytes, config_bytes_max));
}

}  // namespace

template <class Message>
BufferRef HostMessages::framed(flatbuffers::Offset<Message> message) {
    constexpr auto type = wire::HostMessageTraits<Message>::enum_value;
    builder_.FinishSizePrefixed(wire::CreateFromHost(builder_, type, message.Union()));
    BufferRef buffer = pool_.take_message(
        {reinterpret_cast<const std::byte*>(builder_.GetBufferPointer()), builder_.GetSize()});
    builder_.Clear();
    return buffer;
}

flatbuffers::Offset<flatbuffers::String> HostMessages::string_or_none(std::string_view text) {
    return text.empty() ? 0 : builder_.CreateString(text.data(), text.size());
}

BufferRef HostMessages::welcome(const Greeting& greeting) {
    const auto token = builder_.CreateVector(octets(greeting.token), greeting.token.size());
    return framed(wire::CreateWelcome(
        builder_, wire::protocol_version, value(greeting.session), client_message_bytes_max,
        greeting.inputs_per_second_max, token,
        static_cast<std::uint32_t>(greeting.resume_grace.count()), greeting.trace_every));
}

BufferRef HostMessages::joined(const GameSegmentPlan& plan, const RosterEntry& entry) {
    const auto game = builder_.CreateString(std::string(text_of(plan.name)));
    const auto type = builder_.CreateString(std::string(text_of(plan.type)));
    const auto config = builder_.CreateVector(octets(config_of(plan)), config_of(plan).size());
    return framed(wire::CreateJoined(builder_, game, type, entry.seat,
                                     static_cast<std::uint64_t>(plan.tick_ns), config,
                                     entry.last_input));
}

BufferRef HostMessages::watching(const GameSegmentPlan& plan) {
    const auto game = builder_.CreateString(std::string(text_of(plan.name)));
    const auto type = builder_.CreateString(std::string(text_of(plan.type)));
    const auto config = builder_.CreateVector(octets(config_of(plan)), config_of(plan).size());
    return framed(wire::CreateWatching(builder_, game, type,
                                       static_cast<std::uint64_t>(plan.tick_ns), config));
}

BufferRef HostMessages::refused(RefuseReason reason, std::string_view text) {
    const auto why = string_or_none(text);
    return framed(wire::CreateRefused(builder_, static_cast<std::uint8_t>(reason), why));
}

flatbuffers::Offset<flatbuffers::Vector<const wire::SeatInput*>> HostMessages::seat_inputs(
    std::span<const RosterEntry> roster) {
    std::array<wire::SeatInput, seats_max> seats;
    const std::size_t count = std::min(roster.size(), seats.size());
    std::ranges::transform(roster.first(count), seats.begin(), [](const RosterEntry& entry) {
        return wire::SeatInput(entry.seat, entry.last_input);
    });
    return builder_.CreateVectorOfStructs(seats.data(), count);
}

BufferRef HostMessages::delta(const SnapshotParts& parts, std::span<const RosterEntry> changed) {
    const auto inputs = changed.empty() ? 0 : seat_inputs(changed);
    const auto bytes = builder_.CreateVector(octets(parts.delta), parts.delta.size());
    return framed(
        wire::CreateDelta(builder_, static_cast<std::uint16_t>(parts.header.tick), bytes, inputs));
}

BufferRef HostMessages::snapshot(const SnapshotParts& parts) {
    const auto inputs = seat_inputs(parts.roster);
    const auto view = builder_.CreateVector(octets(parts.view), parts.view.size());
    return framed(wire::CreateSnapshot(builder_, parts.header.tick, inputs, view));
}

BufferRef HostMessages::players(std::span<const Nickname> nicknames) {
    std::vector<flatbuffers::Offset<wire::Player>> players;
    for (std::size_t seat = 0; seat < nicknames.size(); ++seat) {
        const std::string_view name = text_of(nicknames[seat]);
        if (!name.empty()) {
            const auto text = builder_.CreateString(name.data(), name.size());
            players.push_back(wire::CreatePlayer(builder_, static_cast<std::uint8_t>(seat), text));
        }
    }
    const auto all = builder_.CreateVector(players);
    return framed(wire::CreatePlayers(builder_, all));
}

BufferRef HostMessages::left(LeaveReason reason, std::string_view text) {
    const auto why = string_or_none(text);
    return framed(wire::CreateLeft(builder_, static_cast<std::uint8_t>(reason), why));
}

BufferRef HostMessages::error(wire::ErrorCode code, std::string_view text) {
    const auto why = string_or_none(text);
    return framed(wire::CreateError(builder_, static_cast<std::uint16_t>(code), why));
}

BufferRef HostMessages::notice(wire::NoticeCode code, std::string_view text) {
    const auto why = string_or_none(text);
    return framed(wire::CreateNotice(builder_, static_cast<std::uint16_t>(code), why));
}

BufferRef HostMessages::pong(std::uint64_t nonce) {
    return framed(wire::CreatePong(builder_, nonce));
}

BufferRef HostMessages::games(const Page& page) {
    std::vector<flatbuffers::Offset<wire::GameInfo>> infos;
    for (const DirectoryRecord& game : page.games) {
        const auto name = builder_.CreateString(std::string(text_of(game.name)));
        const auto type = builder_.CreateString(std::string(text_of(game.type)));
        const auto size = string_or_none(text_of(game.size_label));
        const std::int64_t age_ns = std::max<std::int64_t>(0, page.now_ns - game.created_ns);
        infos.push_back(wire::CreateGameInfo(
            builder_, name, type, size, game.phase, game.players, game.seats,
            static_cast<std::uint32_t>(game.spectators),
            static_cast<std::uint64_t>(age_ns) / 1'000'000, game.has_password != 0));
    }
    const auto games = builder_.CreateVector(infos);
    return framed(wire::CreateGames(builder_, games, page.more));
}

BufferRef HostMessages::raw(Bytes bytes) {
    return pool_.take_raw(bytes);
}

}  // namespace ringside
