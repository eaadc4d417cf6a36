#include "ringside/core/wire.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/core/wire_copy.hpp"

#include "ringside/core/limits.hpp"
#include "ringside/core/random.hpp"

namespace {

using namespace ringside;
using namespace ringside::wire;
using flatbuffers::FlatBufferBuilder;
using Buffer = std::vector<std::uint8_t>;

const std::vector<std::uint8_t> some_bytes{1, 2, 3, 0, 255};

template <class Write>
Buffer from_client(ClientMessage type, Write&& write) {
    FlatBufferBuilder builder;
    const auto message = write(builder).Union();
    builder.FinishSizePrefixed(CreateFromClient(builder, type, message));
    return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

template <class Write>
Buffer from_host(HostMessage type, Write&& write) {
    FlatBufferBuilder builder;
    const auto message = write(builder).Union();
    builder.FinishSizePrefixed(CreateFromHost(builder, type, message));
    return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

std::vector<Buffer> client_messages() {
    using B = FlatBufferBuilder;
    return {
        from_client(ClientMessage::Hello, [](B& b) { return CreateHello(b, protocol_version); }),
        from_client(ClientMessage::Hello,
                    [](B& b) { return CreateHello(b, protocol_version, true); }),
        from_client(ClientMessage::Join,
                    [](B& b) {
                        return CreateJoinDirect(b, "brave-otter", "tron", JoinMode::create_only,
                                                &some_bytes, &some_bytes);
                    }),
        from_client(ClientMessage::Join, [](B& b) { return CreateJoinDirect(b, "a"); }),
        from_client(ClientMessage::Watch, [](B& b) { return CreateWatchDirect(b, "a"); }),
        from_client(ClientMessage::Leave, [](B& b) { return CreateLeave(b); }),
        from_client(ClientMessage::Input,
                    [](B& b) { return CreateInputDirect(b, UINT32_MAX, &some_bytes); }),
        from_client(ClientMessage::List, [](B& b) { return CreateListDirect(b, "br", "a", 7); }),
        from_client(ClientMessage::Ping, [](B& b) { return CreatePing(b, UINT64_MAX); }),
        from_client(ClientMessage::Seen, [](B& b) { return CreateSeen(b, 16, 1, INT64_MAX); }),
    };
}

Buffer games_page(std::uint32_t games) {
    return from_host(HostMessage::Games, [games](FlatBufferBuilder& b) {
        std::vector<flatbuffers::Offset<GameInfo>> page;
        for (std::uint32_t i = 0; i < games; ++i) {
            const std::string name = "game-" + std::to_string(i);
            page.push_back(CreateGameInfoDirect(b, name.c_str(), "tron", "80x22", 2, 1, 6, 9, i));
        }
        return CreateGamesDirect(b, &page, true);
    });
}

std::vector<Buffer> host_messages() {
    using B = FlatBufferBuilder;
    const std::vector<SeatInput> seats{{0, 7}, {5, UINT32_MAX}};
    return {
        from_host(HostMessage::Welcome,
                  [](B& b) { return CreateWelcome(b, protocol_version, UINT64_MAX, 1024, 60); }),
        from_host(
            HostMessage::Joined,
            [](B& b) { return CreateJoinedDirect(b, "a", "tron", 5, 100'000'000, &some_bytes); }),
        from_host(HostMessage::Watching,
                  [](B& b) { return CreateWatchingDirect(b, "a", "tron", 1, &some_bytes); }),
        from_host(HostMessage::Refused, [](B& b) { return CreateRefusedDirect(b, 1, "full"); }),
        games_page(0),
        games_page(3),
        from_host(HostMessage::Snapshot,
                  [&](B& b) { return CreateSnapshotDirect(b, UINT64_MAX, &seats, &some_bytes); }),
        from_host(HostMessage::Delta, [](B& b) { return CreateDeltaDirect(b, 1, &some_bytes); }),
        from_host(HostMessage::Delta,
                  [&](B& b) { return CreateDeltaDirect(b, UINT16_MAX, &some_bytes, &seats); }),
        from_host(HostMessage::Left, [](B& b) { return CreateLeftDirect(b, 2, "over"); }),
        from_host(HostMessage::Error, [](B& b) { return CreateErrorDirect(b, 4000, "no"); }),
        from_host(HostMessage::Notice, [](B& b) { return CreateNoticeDirect(b, 1, "careful"); }),
        from_host(HostMessage::Pong, [](B& b) { return CreatePong(b, 1); }),
    };
}

Bytes bytes_of(const Buffer& buffer) {
    return std::as_bytes(std::span(buffer));
}

const FromClient* verified(const Buffer& buffer, const FromClient*) {
    return verified_from_client(bytes_of(buffer));
}
const FromHost* verified(const Buffer& buffer, const FromHost*) {
    return verified_from_host(bytes_of(buffer));
}

// Reads whatever passes the gate: the sanitizers watch.
template <class Root>
bool passes(const Buffer& buffer) {
    const Root* root = verified(buffer, static_cast<const Root*>(nullptr));
    return root != nullptr && !copy_of(*root).empty();
}

template <class Root>
void check_round_trip(const Buffer& written) {
    const Root* read = verified(written, static_cast<const Root*>(nullptr));
    REQUIRE(read != nullptr);
    const Buffer once = copy_of(*read);
    const Root* reread = verified(once, static_cast<const Root*>(nullptr));
    REQUIRE(reread != nullptr);
    REQUIRE(reread->message_type() == read->message_type());
    REQUIRE(copy_of(*reread) == once);
    REQUIRE(once.size() == written.size());
}

template <class Root>
void check_mutations(const std::vector<Buffer>& messages) {
    Random random(Catch::rngSeed());
    std::uint32_t passed = 0;
    for (int round = 0; round < 20'000; ++round) {
        Buffer mutated = messages[random.below(static_cast<std::uint32_t>(messages.size()))];
        for (std::uint32_t changes = random.below(4); changes > 0; --changes) {
            const auto size = static_cast<std::uint32_t>(mutated.size());
            mutated[random.below(size)] = static_cast<std::uint8_t>(random.next());
        }
        passed += passes<Root>(mutated) ? 1u : 0u;
    }
    REQUIRE(passed > 0);  // some were left as they are
}

}  // namespace

TEST_CASE("wire: every message of a client survives write, read, write", "[core][wire]") {
    for (const Buffer& message : client_messages()) {
        check_round_trip<FromClient>(message);
    }
}

TEST_CASE("wire: every message of a host survives write, read, write", "[core][wire]") {
    for (const Buffer& message : host_messages()) {
        check_round_trip<FromHost>(message);
    }
}

TEST_CASE("wire: fields keep what was written into them", "[core][wire]") {
    const Buffer buffer = client_messages()[2];
    const Join* join = verified_from_client(bytes_of(buffer))->message_as_Join();
    REQUIRE(join->game()->str() == "brave-otter");
    REQUIRE(join->game_type()->str() == "tron");
    REQUIRE(join->mode() == JoinMode::create_only);
    REQUIRE(Buffer(join->config()->begin(), join->config()->end()) == some_bytes);
}

TEST_CASE("wire: a message cut short is refused or read without its padding", "[core][wire]") {
    for (const Buffer& message : client_messages()) {
        for (std::size_t bytes = 0; bytes < message.size(); ++bytes) {
            const Buffer cut(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(bytes));
            const bool passed = passes<FromClient>(cut);
            CAPTURE(bytes, message.size());
            REQUIRE_FALSE((passed && bytes + 8 < message.size()));
        }
    }
    for (const Buffer& message : host_messages()) {
        for (std::size_t bytes = 0; bytes < message.size(); ++bytes) {
            const Buffer cut(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(bytes));
            const bool passed = passes<FromHost>(cut);
            CAPTURE(bytes, message.size());
            REQUIRE_FALSE((passed && bytes + 8 < message.size()));
        }
    }
}

TEST_CASE("wire: mutated messages are refused or readable", "[core][wire]") {
    check_mutations<FromClient>(client_messages());
    check_mutations<FromHost>(host_messages());
}

TEST_CASE("wire: random bytes are refused or readable", "[core][wire]") {
    Random random(Catch::rngSeed());
    for (int round = 0; round < 20'000; ++round) {
        Buffer buffer(random.below(96));
        for (std::uint8_t& byte : buffer) {
            byte = static_cast<std::uint8_t>(random.below(4) == 0 ? random.next() : 0u);
        }
        passes<FromClient>(buffer);
        passes<FromHost>(buffer);
    }
}

TEST_CASE("wire: a union member nobody knows is refused", "[core][wire]") {
    for (const int type : {static_cast<int>(ClientMessage::MAX) + 1, 100, 255, 0}) {
        CAPTURE(type);
        REQUIRE_FALSE(
            passes<FromClient>(from_client(static_cast<ClientMessage>(type),
                                           [](FlatBufferBuilder& b) { return CreateLeave(b); })));
    }
    for (const int type : {static_cast<int>(HostMessage::MAX) + 1, 100, 255, 0}) {
        CAPTURE(type);
        REQUIRE_FALSE(passes<FromHost>(from_host(
            static_cast<HostMessage>(type), [](FlatBufferBuilder& b) { return CreateLeave(b); })));
    }
}

TEST_CASE("wire: a message without a required field is refused", "[core][wire]") {
    FlatBufferBuilder builder;
    SECTION("no message at all") {
        builder.FinishSizePrefixed(
            flatbuffers::Offset<void>(builder.EndTable(builder.StartTable())));
    }
    SECTION("an Input without bytes") {
        const auto start = builder.StartTable();
        builder.AddElement<std::uint32_t>(Input::VT_NUMBER, 1, 0);
        const auto input = flatbuffers::Offset<void>(builder.EndTable(start));
        const auto root = builder.StartTable();
        builder.AddElement<std::uint8_t>(FromClient::VT_MESSAGE_TYPE,
                                         static_cast<std::uint8_t>(ClientMessage::Input), 0);
        builder.AddOffset(FromClient::VT_MESSAGE, input);
        builder.FinishSizePrefixed(flatbuffers::Offset<void>(builder.EndTable(root)));
    }
    const auto* data = builder.GetBufferPointer();
    REQUIRE_FALSE(passes<FromClient>(Buffer(data, data + builder.GetSize())));
}

TEST_CASE("wire: a page of games may be full, not fuller", "[core][wire]") {
    REQUIRE(passes<FromHost>(games_page(games_per_page_max)));
    REQUIRE_FALSE(passes<FromHost>(games_page(2 * games_per_page_max)));
}

TEST_CASE("wire: one table named thousands of times is refused", "[core][wire]") {
    // A few bytes each, a full verification each: the amplification that the limit is there for.
    const Buffer buffer = from_host(HostMessage::Games, [](FlatBufferBuilder& b) {
        const auto info = CreateGameInfoDirect(b, "a", "tron");
        const std::vector<flatbuffers::Offset<GameInfo>> page(20'000, info);
        return CreateGamesDirect(b, &page);
    });
    REQUIRE(buffer.size() < host_message_bytes_max);
    REQUIRE_FALSE(passes<FromHost>(buffer));
}

TEST_CASE("wire: a vector that claims more than there is is refused", "[core][wire]") {
    Buffer buffer = from_client(ClientMessage::Input, [](FlatBufferBuilder& b) {
        return CreateInputDirect(b, 1, &some_bytes);
    });
    const auto* length = reinterpret_cast<const std::uint8_t*>(
        verified_from_client(bytes_of(buffer))->message_as_Input()->bytes());
    const auto at = static_cast<std::size_t>(length - buffer.data());
    for (const std::uint32_t claimed : {64u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
        flatbuffers::WriteScalar(buffer.data() + at, claimed);
        CAPTURE(claimed);
        REQUIRE_FALSE(passes<FromClient>(buffer));
    }
}

TEST_CASE("wire: a Join with everything at its maximum fits one message", "[core][wire]") {
    const Buffer buffer = from_client(ClientMessage::Join, [](FlatBufferBuilder& b) {
        const std::vector<std::uint8_t> config(config_bytes_max);
        const std::vector<std::uint8_t> parameters(join_parameters_bytes_max);
        return CreateJoinDirect(b, std::string(game_name_bytes_max, 'a').c_str(),
                                std::string(type_name_bytes_max, 'a').c_str(),
                                JoinMode::create_only, &config, &parameters);
    });
    REQUIRE(buffer.size() <= client_message_bytes_max);
    REQUIRE(passes<FromClient>(buffer));
}

TEST_CASE("wire: a full page of the longest names fits one message", "[core][wire]") {
    const Buffer buffer = from_host(HostMessage::Games, [](FlatBufferBuilder& b) {
        std::vector<flatbuffers::Offset<GameInfo>> page;
        for (std::uint32_t i = 0; i < games_per_page_max; ++i) {
            page.push_back(CreateGameInfoDirect(b, std::string(game_name_bytes_max, 'a').c_str(),
                                                std::string(type_name_bytes_max, 'a').c_str(),
                                                std::string(size_label_bytes_max, '9').c_str(), 1,
                                                64, 64, UINT32_MAX, UINT64_MAX));
        }
        return CreateGamesDirect(b, &page, true);
    });
    REQUIRE(buffer.size() <= host_message_bytes_max);
    REQUIRE(passes<FromHost>(buffer));
}
