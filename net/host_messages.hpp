#pragma once
// HostMessages: what a front says to its clients, encoded and framed (schema:
// core/schema/wire.fbs).

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

#include <flatbuffers/flatbuffers.h>

#include "resume_token.hpp"
#include "send_buffer.hpp"

#include "ringside/core/ids.hpp"
#include "ringside/core/wire.hpp"
#include "ringside/ipc/game_segment.hpp"
#include "ringside/ipc/host_segment.hpp"
#include "ringside/ipc/snapshot.hpp"

namespace ringside::wire {
struct SeatInput;
}

namespace ringside {

class HostMessages {
public:
    struct Greeting {
        SessionId session;
        ResumeToken token;
        std::chrono::milliseconds resume_grace;
        std::uint32_t inputs_per_second_max = 0;
        std::uint32_t trace_every = 0;
    };
    [[nodiscard]] BufferRef welcome(const Greeting&);
    [[nodiscard]] BufferRef joined(const GameSegmentPlan&, const RosterEntry&);
    [[nodiscard]] BufferRef watching(const GameSegmentPlan&);
    [[nodiscard]] BufferRef refused(RefuseReason, std::string_view text);
    [[nodiscard]] BufferRef snapshot(const SnapshotParts&);
    /// `changed`: of the seats whose last input is another one than in the snapshot before.
    [[nodiscard]] BufferRef delta(const SnapshotParts&, std::span<const RosterEntry> changed);
    /// By seat.
    [[nodiscard]] BufferRef players(std::span<const Nickname> nicknames);
    [[nodiscard]] BufferRef left(LeaveReason, std::string_view text);
    [[nodiscard]] BufferRef error(wire::ErrorCode, std::string_view text);
    [[nodiscard]] BufferRef notice(wire::NoticeCode, std::string_view text);
    [[nodiscard]] BufferRef pong(std::uint64_t nonce);

    struct Page {
        std::span<const DirectoryRecord> games;
        bool more = false;
        std::int64_t now_ns = 0;  // ages are counted up to here
    };
    [[nodiscard]] BufferRef games(const Page&);

    /// Bytes that are not of this protocol: HTTP, and frames of WebSockets without a message.
    [[nodiscard]] BufferRef raw(Bytes);
    [[nodiscard]] BufferRef raw(std::string_view text) {
        return raw(std::as_bytes(std::span(text)));
    }

private:
    flatbuffers::Offset<flatbuffers::Vector<const wire::SeatInput*>> seat_inputs(
        std::span<const RosterEntry>);
    template <class Message>
    BufferRef framed(flatbuffers::Offset<Message>);
    flatbuffers::Offset<flatbuffers::String> string_or_none(std::string_view);

    flatbuffers::FlatBufferBuilder builder_;
    SendBufferPool pool_;
};

}  // namespace ringside
