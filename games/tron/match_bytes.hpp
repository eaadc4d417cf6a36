#pragma once
// A match as bytes: the view that everybody sees, and the state besides it.

#include <cstdint>

#include <flatbuffers/flatbuffers.h>

#include "crew.hpp"
#include "match.hpp"

#include "ringside/core/game.hpp"

namespace ringside::tron {

/// Whether bots take the seats that players have waited for: see tron_type_with_bots().
struct Filling {
    bool with_bots = false;
    std::uint32_t waited_ticks = 0;
};

/// True upper bounds of what the two writers below need.
[[nodiscard]] std::uint32_t view_bytes_max(const Config& config) noexcept;
[[nodiscard]] std::uint32_t state_bytes_max() noexcept;

/// Both write into `builder`, whose buffer is reused, and return the finished bytes inside it.
[[nodiscard]] Bytes write_view(flatbuffers::FlatBufferBuilder& builder, const Config& config,
                               const Match& match, const Crew& crew);
[[nodiscard]] Bytes write_state(flatbuffers::FlatBufferBuilder& builder, const Match& match,
                                const Crew& crew, const Filling& filling);

struct SavedMatch {
    Match match;
    Crew crew;
    Filling filling;
};

/// Judges foreign bytes: whatever they hold, a match made of the outcome cannot leave its bounds.
[[nodiscard]] Result<SavedMatch> read_match(const Config& config, Bytes state, Bytes view);

}  // namespace ringside::tron
