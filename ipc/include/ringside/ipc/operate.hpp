#pragma once
// What the operator of a running host may ask of it, from the same machine: over a socket in the
// instance's directory, which lets in root and the host's own user alone.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ringside/core/result.hpp"
#include "ringside/ipc/session_table.hpp"

namespace ringside {

struct OperatorRequest {
    enum class What : std::uint32_t {
        drain = 1,     // no new games; the host ends when the last one has
        end_game = 2,  // the one named goes at once; its players are told
        upgrade = 3,   // the program now at the host's path takes its place; see run_host()
        kick = 4,      // one session is closed, and its seat given up
        ban = 5,       // an address: its sessions are closed, and nobody is let in from there
    };
    What what{};
    std::string game;           // end_game
    std::uint64_t session = 0;  // kick: SessionId
    std::uint64_t address = 0;  // ban: as in SessionRecord
    std::uint32_t seconds = 0;  // ban: for so long; 0: lifts it
};

/// Asks and waits for the answer: what the host does now. An Error says that there is no such host,
/// that this user may not ask it, or why it refuses.
[[nodiscard]] Result<std::string> ask_host(const std::string& root, const std::string& instance,
                                           const OperatorRequest& request);

/// One session of a running host, as an observer sees it.
struct ObservedSession {
    SessionRecord record;
    std::string game;  // empty: in none
};

/// All sessions of a running host that its fronts show. An Error says that there is no such host.
[[nodiscard]] Result<std::vector<ObservedSession>> observe_sessions(const std::string& root,
                                                                    const std::string& instance);

}  // namespace ringside
