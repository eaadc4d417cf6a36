#include "reasons.hpp"

#include <fmt/format.h>

#include "ringside/core/game.hpp"
#include "ringside/core/printable.hpp"

namespace ringside {
namespace {

std::string text_of(const flatbuffers::String* text) {
    return text == nullptr ? "" : printable(text->string_view());
}

}  // namespace

std::string refusal(const wire::Refused& refused) {
    switch (static_cast<RefuseReason>(refused.reason())) {
        case RefuseReason::full: return "the game is full";
        case RefuseReason::in_progress: return "the game is already in progress";
        case RefuseReason::no_such_session: return "the seat has been given up";
        default: break;
    }
    const std::string text = text_of(refused.text());
    return text.empty() ? fmt::format("refused (reason {})", refused.reason()) : text;
}

std::string farewell(const wire::Left& left) {
    switch (static_cast<LeaveReason>(left.reason())) {
        case LeaveReason::left: return "";
        case LeaveReason::game_ended: return "the game has ended";
        case LeaveReason::idle: return "the game has ended: nobody touched it for too long";
        case LeaveReason::stopping: return "the host was stopped";
        case LeaveReason::moved: return "this seat is played from another connection now";
        default: break;
    }
    const std::string text = text_of(left.text());
    return text.empty() ? "the game has ended" : text;
}

}  // namespace ringside
