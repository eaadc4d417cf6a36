#include "ringside/core/recording.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include <boost/crc.hpp>
#include <flatbuffers/flatbuffers.h>

#include "ringside/core/recording_generated.h"

namespace ringside::recording {
namespace {

constexpr flatbuffers::uoffset_t depth_max = 4;
constexpr flatbuffers::uoffset_t tables_max = 4;
constexpr std::size_t prefix_bytes = sizeof(flatbuffers::uoffset_t);

template <class Facts>
void append(std::vector<std::byte>& file, flatbuffers::FlatBufferBuilder& builder,
            flatbuffers::Offset<Facts> content) {
    builder.FinishSizePrefixed(
        CreateEntry(builder, ContentTraits<Facts>::enum_value, content.Union()), EntryIdentifier());
    const auto* bytes = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
    file.insert(file.end(), bytes, bytes + builder.GetSize());
}

// None where there are none: an absent vector takes no room.
flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> vector_of(
    flatbuffers::FlatBufferBuilder& builder, Bytes bytes) {
    return bytes.empty() ? 0
                         : builder.CreateVector(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                bytes.size());
}

}  // namespace

std::uint32_t checksum(Bytes state, Bytes view) noexcept {
    boost::crc_32_type crc;
    crc.process_bytes(state.data(), state.size());
    crc.process_bytes(view.data(), view.size());
    return crc.checksum();
}

void append_start(std::vector<std::byte>& file, const StartFacts& start) {
    flatbuffers::FlatBufferBuilder builder;
    const auto game = builder.CreateString(start.game);
    const auto game_type = builder.CreateString(start.game_type);
    const auto config = vector_of(builder, start.config);
    append(file, builder,
           CreateStart(builder, format_version, game, game_type, config, start.seed, start.tick_ns,
                       start.recorded_at_s));
}

void append_frame(std::vector<std::byte>& file, const FrameFacts& frame) {
    flatbuffers::FlatBufferBuilder builder;
    flatbuffers::Offset<Key> key;
    if (frame.key != nullptr) {
        // The state is required, and may be empty.
        const auto state =
            builder.CreateVector(reinterpret_cast<const std::uint8_t*>(frame.key->state.data()),
                                 frame.key->state.size());
        const auto seats = vector_of(builder, std::as_bytes(std::span(frame.key->seats)));
        key = CreateKey(builder, state, seats, frame.key->gap);
    }
    const auto journal = vector_of(builder, frame.journal);
    const auto delta = vector_of(builder, frame.delta);
    const auto view = vector_of(builder, frame.delta.empty() ? frame.view : Bytes{});
    std::vector<flatbuffers::Offset<flatbuffers::String>> names;
    for (const Nickname& nickname : frame.nicknames) {
        const std::string_view name = text_of(nickname);
        names.push_back(builder.CreateString(name.data(), name.size()));
    }
    const auto nicknames = names.empty() ? 0 : builder.CreateVector(names);
    append(file, builder,
           CreateFrame(builder, frame.tick, journal, delta, view, frame.checksum, key, nicknames));
}

void append_end(std::vector<std::byte>& file, std::uint8_t reason) {
    flatbuffers::FlatBufferBuilder builder;
    append(file, builder, CreateEnd(builder, reason));
}

bool is_recording(Bytes begin) noexcept {
    constexpr std::size_t identifier_at = prefix_bytes + sizeof(flatbuffers::uoffset_t);
    const std::string_view identifier = EntryIdentifier();
    return begin.size() >= identifier_at + identifier.size() &&
           std::memcmp(begin.data() + identifier_at, identifier.data(), identifier.size()) == 0;
}

std::size_t Reader::next_bytes() const noexcept {
    flatbuffers::uoffset_t entry_bytes = 0;
    std::ranges::copy(rest_.first(std::min(prefix_bytes, rest_.size())),
                      std::as_writable_bytes(std::span(&entry_bytes, 1)).begin());
    return prefix_bytes + entry_bytes;
}

bool Reader::is_cut_off() const noexcept {
    return !rest_.empty() && next_bytes() > rest_.size() &&
           (rest_.size() < prefix_bytes || next_bytes() <= prefix_bytes + entry_bytes_max);
}

const Entry* Reader::next() {
    const std::size_t whole_bytes = next_bytes();
    if (whole_bytes > rest_.size() || whole_bytes > prefix_bytes + entry_bytes_max) {
        return nullptr;
    }
    entry_.resize((whole_bytes + 7) / 8);
    std::memcpy(entry_.data(), rest_.data(), whole_bytes);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(entry_.data());
    flatbuffers::Verifier verifier(bytes, whole_bytes, depth_max, tables_max);
    if (!VerifySizePrefixedEntryBuffer(verifier)) {
        return nullptr;
    }
    const Entry* entry = GetSizePrefixedEntry(bytes);
    // An unknown member passes the verifier unread: it is of a later format.
    if (entry->content_type() == Content::NONE || entry->content_type() > Content::MAX) {
        return nullptr;
    }
    rest_ = rest_.subspan(whole_bytes);
    return entry;
}

}  // namespace ringside::recording
