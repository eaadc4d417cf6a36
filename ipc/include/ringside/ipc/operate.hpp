#pragma once
// What the operator of a running host may ask of it, from the same machine: over a socket in the
// instance's directory, which lets in root and the host's own user alone.

#include <cstdint>
#include <string>
#include <string_view>

#include "ringside/core/result.hpp"

namespace ringside {

struct OperatorRequest {
    enum class What : std::uint32_t {
        drain = 1,     // no new games; the host ends when the last one has
        end_game = 2,  // the one named goes at once; its players are told
        upgrade = 3,   // the program now at the host's path takes its place; see run_host()
    };
    What what{};
    std::string game;  // end_game
};

/// Asks and waits for the answer: what the host does now. An Error says that there is no such host,
/// that this user may not ask it, or why it refuses.
[[nodiscard]] Result<std::string> ask_host(const std::string& root, const std::string& instance,
                                           const OperatorRequest& request);

}  // namespace ringside
