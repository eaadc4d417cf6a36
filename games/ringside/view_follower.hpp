#pragma once
// ViewFollower: the present view of a game of tron, from the Snapshots and Deltas of its host.

#include <cstdint>

#include "ringside/core/wire_generated.h"
#include "ringside/tron/types.hpp"

namespace ringside {

class ViewFollower {
public:
    enum class Took : std::uint8_t {
        view,     // there is a new one
        nothing,  // this message says nothing about views
        damaged,  // no view, or a change to another view than the one held
    };

    /// Takes a message that has been verified.
    [[nodiscard]] Took take(const wire::FromHost& message);

    /// Empty before the first Snapshot.
    [[nodiscard]] const tron::View& view() const noexcept { return view_; }

private:
    tron::View view_;
    std::uint64_t tick_ = 0;
    bool has_view_ = false;
};

}  // namespace ringside
