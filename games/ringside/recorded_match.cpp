#include "recorded_match.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "ringside/core/nickname.hpp"
#include "ringside/core/printable.hpp"
#include "ringside/core/recording_generated.h"
#include "ringside/tron/config.hpp"
#include "ringside/tron/rules.hpp"
#include "ringside/tron/view.hpp"

namespace ringside {
namespace {

// A match of an hour with six players has some MB.
constexpr std::streamoff recording_bytes_max = 256 * 1024 * 1024;

Bytes bytes_of(const flatbuffers::Vector<std::uint8_t>* bytes) noexcept {
    return bytes == nullptr ? Bytes{} : std::as_bytes(std::span(bytes->data(), bytes->size()));
}

}  // namespace

Result<std::vector<std::byte>> read_recording(const std::string& path) {
    errno = 0;
    std::ifstream in(path, std::ios::binary | std::ios::ate);
    if (!in) {
        return errno_failure("cannot be opened");
    }
    const std::streamoff file_bytes = in.tellg();
    if (file_bytes < 0 || file_bytes > recording_bytes_max) {
        return failure(std::errc::file_too_large,
                       fmt::format("a recording has {} bytes at most", recording_bytes_max));
    }
    std::vector<std::byte> file(static_cast<std::size_t>(file_bytes));
    in.seekg(0);
    if (!in.read(reinterpret_cast<char*>(file.data()), file_bytes)) {
        return errno_failure("cannot be read");
    }
    return file;
}

Result<RecordedGame> read_start(recording::Reader& reader) {
    const recording::Entry* entry = reader.next();
    const recording::Start* start = entry != nullptr ? entry->content_as_Start() : nullptr;
    if (start == nullptr) {
        return failure(std::errc::bad_message, "does not begin like a recording");
    }
    if (start->format() != recording::format_version) {
        return failure(std::errc::not_supported,
                       fmt::format("is of format {}, this program reads {}", start->format(),
                                   recording::format_version));
    }
    const Bytes config = bytes_of(start->config());
    return RecordedGame{.name = printable(start->game()->string_view()),
                        .type = start->game_type()->str(),
                        .config = {config.begin(), config.end()},
                        .tick_ns = start->tick_ns()};
}

Result<RecordedMatch> RecordedMatch::open(Bytes file) {
    RecordedMatch match(file);
    if (auto started = match.start(); !started) {
        return std::unexpected(std::move(started.error()));
    }
    if (!match.next()) {
        return failure(std::errc::bad_message, "holds no frame that can be shown");
    }
    return match;
}

Result<void> RecordedMatch::start() {
    auto game = read_start(reader_);
    if (!game) {
        return std::unexpected(std::move(game.error()));
    }
    game_ = std::move(*game);
    const auto config = tron::decode_config(game_.config);
    if (game_.type != tron::tron_type().name() || !config) {
        return failure(std::errc::not_supported,
                       fmt::format("is a match of {}, which can be verified and not shown",
                                   printable(game_.type)));
    }
    seats_ = config->seats;
    return {};
}

void RecordedMatch::restart() {
    reader_ = recording::Reader(file_);
    nicknames_.clear();
    has_view_ = false;
    frame_ = 0;
    static_cast<void>(reader_.next());  // the start, and the first frame: they were there before
    static_cast<void>(next());
}

void RecordedMatch::take_nicknames(const recording::Frame& frame) {
    if (frame.nicknames() == nullptr) {
        return;
    }
    nicknames_.clear();
    for (const auto* name : *frame.nicknames()) {
        nicknames_.emplace_back(text_of(nickname_of(name->string_view())));
    }
    nicknames_.resize(tron::seats_limit);
}

bool RecordedMatch::next() {
    const recording::Entry* entry = reader_.next();
    const recording::Frame* frame = entry != nullptr ? entry->content_as_Frame() : nullptr;
    if (frame == nullptr) {
        return false;
    }
    has_view_ = frame->view() != nullptr
                    ? tron::decode_view(bytes_of(frame->view()), view_)
                    : has_view_ && tron::apply_delta(bytes_of(frame->delta()), view_);
    take_nicknames(*frame);
    tick_ = frame->tick();
    ++frame_;
    return has_view_;
}

}  // namespace ringside
