#include "verify.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "recorded_match.hpp"

#include "ringside/core/journal.hpp"
#include "ringside/core/printable.hpp"
#include "ringside/core/recording.hpp"
#include "ringside/core/recording_generated.h"
#include "ringside/relay/relay.hpp"
#include "ringside/tron/rules.hpp"
#include "ringside/tron/view.hpp"

namespace ringside {
namespace {

Bytes bytes_of(const flatbuffers::Vector<std::uint8_t>* bytes) noexcept {
    return bytes == nullptr ? Bytes{} : std::as_bytes(std::span(bytes->data(), bytes->size()));
}

const GameType* type_of(std::string_view name) {
    const std::array<const GameType*, 2> types{&tron::tron_type(), &relay::relay_type()};
    const auto found = std::ranges::find(types, name, &GameType::name);
    return found == types.end() ? nullptr : *found;
}

class Verification {
public:
    Verification(const GameType& type, const RecordedGame& game, const GameShape& shape)
        : type_(type), game_(game), state_(shape.state_bytes_max), view_(shape.view_bytes_max) {}

    /// What is wrong; empty: nothing.
    std::string take(const recording::Frame& frame) {
        auto told = frame.key() != nullptr ? begin(frame) : go_on(frame);
        if (!told.empty()) {
            return told;
        }
        Game& game = replica_->game();
        const Bytes state = Bytes(state_).first(game.save(state_));
        const Bytes view = Bytes(view_).first(game.view(view_));
        if (replica_->tick() != frame.tick() ||
            recording::checksum(state, view) != frame.checksum()) {
            return fmt::format("tick {}: the state differs", frame.tick());
        }
        if (!shows(frame, view)) {
            return fmt::format("tick {}: what is shown is not the state", frame.tick());
        }
        return {};
    }

private:
    std::string begin(const recording::Frame& frame) {
        Replica::Seats taken;
        for (const std::byte seat : bytes_of(frame.key()->seats())) {
            if (std::to_integer<std::size_t>(seat) >= taken.size()) {
                return fmt::format("tick {}: a seat that no game has", frame.tick());
            }
            taken.set(std::to_integer<std::size_t>(seat));
        }
        auto game =
            type_.restore(game_.config, bytes_of(frame.key()->state()), bytes_of(frame.view()));
        if (!game) {
            return fmt::format("tick {}: {}", frame.tick(), game.error().message);
        }
        replica_.emplace(std::move(*game), frame.tick(), taken);
        return {};
    }

    std::string go_on(const recording::Frame& frame) {
        if (!replica_) {
            return "the first frame is none to begin with";
        }
        const auto told = replica_->tell(bytes_of(frame.journal()));
        return told ? std::string() : told.error().message;
    }

    // By the delta, if the frame has one: only tron's are known here.
    bool shows(const recording::Frame& frame, Bytes view) {
        if (&type_ != &tron::tron_type()) {
            return std::ranges::equal(view, bytes_of(frame.view()));
        }
        const bool read = frame.view() != nullptr
                              ? tron::decode_view(bytes_of(frame.view()), shown_)
                              : tron::apply_delta(bytes_of(frame.delta()), shown_);
        return read && tron::decode_view(view) == shown_;
    }

    const GameType& type_;
    const RecordedGame& game_;
    std::vector<std::byte> state_;
    std::vector<std::byte> view_;
    std::optional<Replica> replica_;
    tron::View shown_;
};

}  // namespace

Result<Verdict> verify(Bytes file) {
    recording::Reader reader(file);
    const auto game = read_start(reader);
    if (!game) {
        return std::unexpected(game.error());
    }
    const GameType* type = type_of(game->type);
    if (type == nullptr) {
        return failure(std::errc::not_supported,
                       fmt::format("is a match of {}, a type unknown here", printable(game->type)));
    }
    const auto shape = type->shape(game->config);
    if (!shape) {
        return std::unexpected(shape.error());
    }
    Verification verification(*type, *game, *shape);
    Verdict verdict;
    while (const recording::Entry* entry = reader.next()) {
        if (entry->content_as_End() != nullptr) {
            verdict.ended = true;
            break;
        }
        const recording::Frame* frame = entry->content_as_Frame();
        if (frame == nullptr) {
            return failure(std::errc::bad_message, "begins twice");
        }
        verdict.first_tick = verdict.frames == 0 ? frame->tick() : verdict.first_tick;
        verdict.last_tick = frame->tick();
        verdict.gaps += frame->key() != nullptr && frame->key()->gap() ? 1u : 0u;
        ++verdict.frames;
        verdict.difference = verification.take(*frame);
        if (!verdict.difference.empty()) {
            return verdict;
        }
    }
    if (verdict.frames == 0) {
        return failure(std::errc::bad_message, "holds no frame");
    }
    verdict.unfinished = reader.is_cut_off();
    if (reader.rest_bytes() != 0 && !verdict.unfinished) {
        return failure(std::errc::bad_message,
                       fmt::format("is damaged at byte {}", file.size() - reader.rest_bytes()));
    }
    return verdict;
}

}  // namespace ringside
