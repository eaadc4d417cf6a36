#pragma once
// Recording: a match in a file (core/schema/recording.fbs), so that it can be shown again, and its
// states compared with those that the same calls lead to now.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ringside/core/game.hpp"
#include "ringside/core/limits.hpp"
#include "ringside/core/nickname.hpp"

namespace ringside::recording {

struct Entry;

inline constexpr std::uint32_t format_version = 1;
inline constexpr std::uint32_t entry_bytes_max = snapshot_bytes_limit + 4'096;

/// Of a frame.
[[nodiscard]] std::uint32_t checksum(Bytes state, Bytes view) noexcept;

struct StartFacts {
    std::string game;
    std::string game_type;
    Bytes config;
    std::uint64_t seed = 0;
    std::uint64_t tick_ns = 0;
    std::int64_t recorded_at_s = 0;  // Unix time
};

struct KeyFacts {
    Bytes state;
    std::vector<std::uint8_t> seats;  // taken
    bool gap = false;
};

struct FrameFacts {
    std::uint64_t tick = 0;
    Bytes journal;
    Bytes delta;  // empty: the view is whole
    Bytes view;
    std::uint32_t checksum = 0;
    const KeyFacts* key = nullptr;
    std::span<const Nickname> nicknames;  // by seat; empty: as in the frame before
};

/// Each appends one entry.
void append_start(std::vector<std::byte>& file, const StartFacts& start);
void append_frame(std::vector<std::byte>& file, const FrameFacts& frame);
void append_end(std::vector<std::byte>& file, std::uint8_t reason);

/// Whether a file that begins like this is meant to be one. 12 bytes are enough to tell.
[[nodiscard]] bool is_recording(Bytes begin) noexcept;

/// Takes a file apart: foreign bytes.
class Reader {
public:
    explicit Reader(Bytes file) noexcept : rest_(file) {}

    /// The next entry, verified, until the next call; nullptr when no whole one follows.
    [[nodiscard]] const Entry* next();

    /// What is left behind the last entry: 0, unless the file is damaged or was not finished.
    [[nodiscard]] std::size_t rest_bytes() const noexcept { return rest_.size(); }

    /// Whether that is the beginning of an entry, as a writer leaves it that is killed.
    [[nodiscard]] bool is_cut_off() const noexcept;

private:
    [[nodiscard]] std::size_t next_bytes() const noexcept;

    Bytes rest_;
    std::vector<std::uint64_t> entry_;  // a copy: entries are of any length, and aligned here
};

}  // namespace ringside::recording
