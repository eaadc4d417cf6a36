#include "ringside/core/journal.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace ringside {
namespace {

struct CallHeader {
    std::uint8_t kind;
    std::uint8_t seat;
    std::uint16_t body_bytes;
};
static_assert(sizeof(CallHeader) == 4, "recordings hold these");

}  // namespace

void Journal::add(const Call& call) noexcept {
    const std::size_t call_bytes = sizeof(CallHeader) + call.body.size();
    if (!whole_ || call_bytes > calls_.size() - bytes_) {
        whole_ = false;
        return;
    }
    const CallHeader header{.kind = static_cast<std::uint8_t>(call.kind),
                            .seat = call.seat,
                            .body_bytes = static_cast<std::uint16_t>(call.body.size())};
    std::memcpy(calls_.data() + bytes_, &header, sizeof(header));
    std::ranges::copy(call.body, calls_.data() + bytes_ + sizeof(header));
    bytes_ += call_bytes;
}

void Journal::clear() noexcept {
    std::fill_n(calls_.begin(), bytes_, std::byte{});
    bytes_ = 0;
    whole_ = true;
}

Bytes Journal::padded() const noexcept {
    return Bytes(calls_).first((bytes_ + 7) / 8 * 8);
}

bool parse_journal(Bytes journal, std::vector<Call>& calls) {
    calls.clear();
    while (!journal.empty()) {
        CallHeader header;
        if (journal.size() < sizeof(header)) {
            return false;
        }
        std::memcpy(&header, journal.data(), sizeof(header));
        journal = journal.subspan(sizeof(header));
        if (header.kind < static_cast<std::uint8_t>(CallKind::join) ||
            header.kind > static_cast<std::uint8_t>(CallKind::tick) ||
            header.body_bytes > journal.size()) {
            return false;
        }
        calls.push_back({.kind = static_cast<CallKind>(header.kind),
                         .seat = header.seat,
                         .body = journal.first(header.body_bytes)});
        journal = journal.subspan(header.body_bytes);
    }
    return true;
}

Replica::Replica(std::unique_ptr<Game> game, std::uint64_t tick, const Seats& taken) noexcept
    : game_(std::move(game)), tick_(tick), taken_(taken) {}

Result<void> Replica::tell(Bytes journal) {
    std::vector<Call> calls;
    if (!parse_journal(journal, calls)) {
        return failure(std::errc::bad_message, "a journal does not add up");
    }
    for (const Call& call : calls) {
        if (auto told = tell(call); !told) {
            return told;
        }
    }
    return {};
}

Result<void> Replica::tell(const Call& call) {
    if (call.kind == CallKind::tick) {
        game_->tick(Tick{++tick_});
        return {};
    }
    if (call.kind == CallKind::join) {
        const JoinAnswer answer = game_->on_join(call.body);
        const std::uint8_t given =
            answer.reason == RefuseReason::none ? value(answer.seat) : no_seat;
        if (given != call.seat) {
            return failure(std::errc::bad_message,
                           fmt::format("after tick {} a join is given seat {}, and was given {}",
                                       tick_, given, call.seat));
        }
        if (given != no_seat) {
            taken_.set(given);
        }
        return {};
    }
    if (call.seat >= seats_max || !taken_.test(call.seat)) {
        return failure(
            std::errc::bad_message,
            fmt::format("after tick {} seat {} acts, which nobody has", tick_, call.seat));
    }
    if (call.kind == CallKind::leave) {
        taken_.reset(call.seat);
        game_->on_leave(Seat{call.seat});
    } else {
        game_->on_input(Seat{call.seat}, call.body);
    }
    return {};
}

}  // namespace ringside
