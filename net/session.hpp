#pragma once
// Session: what a front knows of one client's membership. One game at a time.
//
//   none → asking → opening → entering → joining → seated → leaving → none
//                └→ (watch) ───────────────────→ watching ────────→ none
//
// A step that finds no room (supervisor's socket, event ring) stays where it is and is retried.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ringside/core/ids.hpp"
#include "ringside/ipc/event.hpp"
#include "ringside/ipc/front_link.hpp"

namespace ringside {

enum class Membership : std::uint8_t {
    none,
    asking,    // the supervisor is to be asked for the game
    opening,   // it was asked
    entering,  // the game is open; the join event is to be written
    joining,   // it is written; the game has not answered
    seated,
    leaving,  // the leave event is written; the game has not answered
    watching,
};

/// What a session asked for, kept until the game has answered: if the game ends first, the
/// supervisor is asked again.
struct JoinWish {
    OpenRequest open;
    std::vector<std::byte> parameters;
    Nickname nickname{};
    std::vector<ResumeCandidate> resume;  // not empty: instead of a join
    bool watch = false;
    std::uint32_t asked_count = 0;
};

inline constexpr std::uint32_t no_index = ~std::uint32_t{0};

struct Session {
    SessionId id{};
    std::int64_t since_ns = 0;
    ResumeKey key{};  // of the token its client has been given
    Membership membership = Membership::none;
    bool deltas = false;                 // it can apply a Delta
    bool was_in_game = false;            // its inputs and leaves may cross with our Left or Refused
    std::uint32_t game_slot = no_index;  // from entering to leaving, and watching
    Nickname nickname{};                 // in this game, as its roster has it
    std::uint32_t last_input = 0;        // number of the last one written, in this game
    std::uint64_t join_end_position = 0;  // of the join event in the ring
    std::unique_ptr<JoinWish> wish;       // from asking to joining

    struct ListWish {
        std::string prefix;
        std::string after;
        std::uint32_t limit = 0;
        std::int64_t asked_ns = 0;
    };
    std::unique_ptr<ListWish> list;  // waits for the supervisor's sweep
};

}  // namespace ringside
