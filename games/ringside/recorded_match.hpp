#pragma once
// RecordedMatch: a recorded match of tron, shown frame by frame.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ringside/core/recording.hpp"
#include "ringside/tron/types.hpp"

namespace ringside::recording {
struct Frame;
}

namespace ringside {

/// The whole file, of a size that a match can have.
[[nodiscard]] Result<std::vector<std::byte>> read_recording(const std::string& path);

/// What a recording's Start says; the Error, if it has none or is of a later format.
struct RecordedGame {
    std::string name;  // printable
    std::string type;
    std::vector<std::byte> config;
    std::uint64_t tick_ns = 0;
};
[[nodiscard]] Result<RecordedGame> read_start(recording::Reader& reader);

class RecordedMatch {
public:
    /// Requires that `file` outlives it. The Error: not a match of tron, or without a frame.
    [[nodiscard]] static Result<RecordedMatch> open(Bytes file);

    /// The next frame; false behind the last one, and at one that cannot be read.
    [[nodiscard]] bool next();

    /// Back to the first frame.
    void restart();

    [[nodiscard]] const RecordedGame& game() const noexcept { return game_; }
    [[nodiscard]] std::uint8_t seats() const noexcept { return seats_; }
    /// By seat; empty: none.
    [[nodiscard]] const std::vector<std::string>& nicknames() const noexcept { return nicknames_; }
    [[nodiscard]] const tron::View& view() const noexcept { return view_; }
    [[nodiscard]] std::uint64_t tick() const noexcept { return tick_; }
    [[nodiscard]] std::uint64_t frame() const noexcept { return frame_; }  // from 1

private:
    explicit RecordedMatch(Bytes file) noexcept : file_(file), reader_(file) {}
    Result<void> start();
    void take_nicknames(const recording::Frame& frame);

    Bytes file_;
    recording::Reader reader_;
    RecordedGame game_;
    std::uint8_t seats_ = 1;
    std::vector<std::string> nicknames_;
    tron::View view_;
    bool has_view_ = false;
    std::uint64_t tick_ = 0;
    std::uint64_t frame_ = 0;
};

}  // namespace ringside
