#include "tests/core/wire_copy.hpp"

namespace ringside::wire {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

Offset<flatbuffers::String> copied(FlatBufferBuilder& to, const flatbuffers::String* from) {
    return from == nullptr ? Offset<flatbuffers::String>{} : to.CreateString(from);
}

Offset<flatbuffers::Vector<std::uint8_t>> copied(FlatBufferBuilder& to,
                                                 const flatbuffers::Vector<std::uint8_t>* from) {
    return from == nullptr ? Offset<flatbuffers::Vector<std::uint8_t>>{}
                           : to.CreateVector(from->data(), from->size());
}

Offset<void> copied(FlatBufferBuilder& to, const Hello& from) {
    return CreateHello(to, from.protocol_version(), from.deltas()).Union();
}
Offset<void> copied(FlatBufferBuilder& to, const Join& from) {
    const auto game = copied(to, from.game());
    const auto game_type = copied(to, from.game_type());
    const auto config = copied(to, from.config());
    const auto parameters = copied(to, from.parameters());
    const auto password = copied(to, from.password());
    const auto nickname = copied(to, from.nickname());
    return CreateJoin(to, game, game_type, from.mode(), config, parameters, password,
                      from.unlisted(), nickname)
        .Union();
}
Offset<void> copied(FlatBufferBuilder& to, const Watch& from) {
    return CreateWatch(to, copied(to, from.game())).Union();
}
Offset<void> copied(FlatBufferBuilder& to, const Leave&) {
    return CreateLeave(to).Union();
}
Offset<void> copied(FlatBufferBuilder& to, const Input& from) {
    return CreateInput(to, from.number(), copied(to, from.bytes())).Union();
}
Offset<void> copied(FlatBufferBuilder& to, const List& from) {
    const auto prefix = copied(to, from.prefix());
    const auto after = copied(to, from.after());
    return CreateList(to, prefix, after, from.limit()).Union();
}
Offset<void> copied(FlatBufferBuilder& to, const Ping& from) {
    return CreatePing(to, from.nonce()).Union();
}
Offset<void> copied(FlatBufferBuilder& to, const Seen& from) {
    return CreateSeen(to, from.number(), from.sent_ns(), from.seen_ns()).Union();
}
Offset<void> copied(FlatBufferBuilder& to, const Resume& from) {
    const auto game = copied(to, from.game());
    const auto sessions = to.CreateVector(
        std::vector<std::uint64_t>(from.sessions()->begin(), from.sessions()->end()));
    return CreateResume(to, game, sessions, copied(to, from.tokens())).Union();
}

Offset<void> copied(FlatBufferBuilder& to, const Welcome& from) {
    const auto token = copied(to, from.token());
    return CreateWelcome(to, from.protocol_version(), from.session(), from.message_bytes_max(),
                         from.inputs_per_second_max(), token, from.resume_grace_ms(),
                         from.trace_every())
        .Union();
}
Offset<void> copied(FlatBufferBuilder& to, const Joined& from) {
    const auto game = copied(to, from.game());
    const auto game_type = copied(to, from.game_type());
    const auto config = copied(to, from.config());
    return CreateJoined(to, game, game_type, from.seat(), from.tick_ns(), config, from.last_input())
        .Union();
}
Offset<void> copied(FlatBufferBuilder& to, const Watching& from) {
    const auto game = copied(to, from.game());
    const auto game_type = copied(to, from.game_type());
    const auto config = copied(to, from.config());
    return CreateWatching(to, game, game_type, from.tick_ns(), config).Union();
}
Offset<void> copied(FlatBufferBuilder& to, const Refused& from) {
    return CreateRefused(to, from.reason(), copied(to, from.text())).Union();
}
Offset<GameInfo> copied(FlatBufferBuilder& to, const GameInfo& from) {
    const auto name = copied(to, from.name());
    const auto game_type = copied(to, from.game_type());
    const auto size = copied(to, from.size());
    return CreateGameInfo(to, name, game_type, size, from.phase(), from.players(), from.seats(),
                          from.spectators(), from.age_ms());
}
Offset<void> copied(FlatBufferBuilder& to, const Games& from) {
    std::vector<Offset<GameInfo>> games;
    for (const GameInfo* game : *from.games()) {
        games.push_back(copied(to, *game));
    }
    return CreateGames(to, to.CreateVector(games), from.more()).Union();
}
Offset<flatbuffers::Vector<const SeatInput*>> copied(
    FlatBufferBuilder& to, const flatbuffers::Vector<const SeatInput*>* from) {
    if (from == nullptr) {
        return {};
    }
    std::vector<SeatInput> inputs;
    for (const SeatInput* seat : *from) {
        inputs.emplace_back(seat->seat(), seat->number());  // not its padding
    }
    return to.CreateVectorOfStructs(inputs);
}
Offset<void> copied(FlatBufferBuilder& to, const Snapshot& from) {
    const auto seats = copied(to, from.seats());
    const auto view = copied(to, from.view());
    return CreateSnapshot(to, from.tick(), seats, view).Union();
}
Offset<void> copied(FlatBufferBuilder& to, const Delta& from) {
    const auto seats = copied(to, from.seats());
    const auto bytes = copied(to, from.bytes());
    return CreateDelta(to, from.tick(), bytes, seats).Union();
}
Offset<void> copied(FlatBufferBuilder& to, const Left& from) {
    return CreateLeft(to, from.reason(), copied(to, from.text())).Union();
}
Offset<void> copied(FlatBufferBuilder& to, const Error& from) {
    return CreateError(to, from.code(), copied(to, from.text())).Union();
}
Offset<void> copied(FlatBufferBuilder& to, const Notice& from) {
    return CreateNotice(to, from.code(), copied(to, from.text())).Union();
}

Offset<void> copied(FlatBufferBuilder& to, const Players& from) {
    std::vector<Offset<Player>> players;
    for (const Player* player : *from.players()) {
        players.push_back(CreatePlayer(to, player->seat(), copied(to, player->nickname())));
    }
    return CreatePlayers(to, to.CreateVector(players)).Union();
}

Offset<void> copied(FlatBufferBuilder& to, const Pong& from) {
    return CreatePong(to, from.nonce()).Union();
}

Offset<void> copied_message(FlatBufferBuilder& to, const FromClient& from) {
    switch (from.message_type()) {
        case ClientMessage::Hello: return copied(to, *from.message_as_Hello());
        case ClientMessage::Join: return copied(to, *from.message_as_Join());
        case ClientMessage::Watch: return copied(to, *from.message_as_Watch());
        case ClientMessage::Leave: return copied(to, *from.message_as_Leave());
        case ClientMessage::Input: return copied(to, *from.message_as_Input());
        case ClientMessage::List: return copied(to, *from.message_as_List());
        case ClientMessage::Ping: return copied(to, *from.message_as_Ping());
        case ClientMessage::Seen: return copied(to, *from.message_as_Seen());
        case ClientMessage::Resume: return copied(to, *from.message_as_Resume());
        case ClientMessage::NONE: break;
    }
    return {};
}

Offset<void> copied_message(FlatBufferBuilder& to, const FromHost& from) {
    switch (from.message_type()) {
        case HostMessage::Welcome: return copied(to, *from.message_as_Welcome());
        case HostMessage::Joined: return copied(to, *from.message_as_Joined());
        case HostMessage::Watching: return copied(to, *from.message_as_Watching());
        case HostMessage::Refused: return copied(to, *from.message_as_Refused());
        case HostMessage::Games: return copied(to, *from.message_as_Games());
        case HostMessage::Snapshot: return copied(to, *from.message_as_Snapshot());
        case HostMessage::Left: return copied(to, *from.message_as_Left());
        case HostMessage::Error: return copied(to, *from.message_as_Error());
        case HostMessage::Players: return copied(to, *from.message_as_Players());
        case HostMessage::Notice: return copied(to, *from.message_as_Notice());
        case HostMessage::Pong: return copied(to, *from.message_as_Pong());
        case HostMessage::Delta: return copied(to, *from.message_as_Delta());
        case HostMessage::NONE: break;
    }
    return {};
}

std::vector<std::uint8_t> finished(const FlatBufferBuilder& builder) {
    return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

}  // namespace

std::vector<std::uint8_t> copy_of(const FromClient& from) {
    FlatBufferBuilder builder;
    builder.FinishSizePrefixed(
        CreateFromClient(builder, from.message_type(), copied_message(builder, from)));
    return finished(builder);
}

std::vector<std::uint8_t> copy_of(const FromHost& from) {
    FlatBufferBuilder builder;
    builder.FinishSizePrefixed(
        CreateFromHost(builder, from.message_type(), copied_message(builder, from)));
    return finished(builder);
}

}  // namespace ringside::wire
