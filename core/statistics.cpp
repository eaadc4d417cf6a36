#include "ringside/core/statistics.hpp"

#include <array>

#include "ringside/core/invariant.hpp"

namespace ringside {
namespace {

constexpr std::array front_rows{
    StatisticRow{"sessions", "", "Clients that have said Hello", true},
    StatisticRow{"accepts", "", "Connections taken"},
    StatisticRow{"accepts_refused", "",
                 "Connections that were told there is no place for them, or not even that"},
    StatisticRow{"closes", "client", "Connections ended, by why"},
    StatisticRow{"closes", "malformed", ""},
    StatisticRow{"closes", "message_too_large", ""},
    StatisticRow{"closes", "version", ""},
    StatisticRow{"closes", "out_of_order", ""},
    StatisticRow{"closes", "handshake_timeout", ""},
    StatisticRow{"closes", "too_slow", ""},
    StatisticRow{"closes", "rate", ""},
    StatisticRow{"closes", "busy", ""},
    StatisticRow{"closes", "stopping", ""},
    StatisticRow{"closes", "game_stuck", ""},
    StatisticRow{"closes", "idle", ""},
    StatisticRow{"closes", "kicked", ""},
    StatisticRow{"closes", "banned", ""},
    StatisticRow{"closes", "web", ""},
    StatisticRow{"closes", "tls", ""},
    StatisticRow{"bytes_in", "", "Bytes received from clients"},
    StatisticRow{"bytes_out", "", "Bytes sent to clients"},
    StatisticRow{"messages_in", "", "Messages of clients"},
    StatisticRow{"messages_out", "", "Messages sent whole to clients"},
    StatisticRow{"drops", "superseded", "Snapshots not sent, by why"},
    StatisticRow{"drops", "lapped", ""},
    StatisticRow{"drops", "damaged", ""},
    StatisticRow{"stalls", "", "Messages that had to wait because the game had no room for them"},
    StatisticRow{"snapshots_read", "", "Snapshots read from games"},
    StatisticRow{"wakes", "", "Times that games have woken the front"},
    StatisticRow{"uring_enters", "", "System calls of the loop (io_uring_enter)"},
    StatisticRow{"cq_overflows", "",
                 "Turns in which the kernel held back completions because their queue was full"},
    StatisticRow{"buffers_exhausted", "", "Receives that found no buffer free"},
};
static_assert(front_rows.size() == static_cast<std::size_t>(FrontStatistic::count_));
static_assert(front_rows[static_cast<std::size_t>(FrontStatistic::closes_tls)].label == "tls");
static_assert(front_rows[static_cast<std::size_t>(FrontStatistic::stalls)].family == "stalls");

constexpr std::array host_rows{
    StatisticRow{"games", "", "Games there are", true},
    StatisticRow{"games_created", "", "Games made"},
    StatisticRow{"games_adopted", "", "Games of the host before this one that it went on with"},
    StatisticRow{"games_ended", "rules", "Games ended, by why"},
    StatisticRow{"games_ended", "idle", ""},
    StatisticRow{"games_ended", "failed", ""},
    StatisticRow{"games_ended", "operator", ""},
    StatisticRow{"games_refused", "bad_parameters",
                 "Games asked for and neither found nor made, by why"},
    StatisticRow{"games_refused", "no_such_game", ""},
    StatisticRow{"games_refused", "unknown_type", ""},
    StatisticRow{"games_refused", "name_taken", ""},
    StatisticRow{"games_refused", "bad_name", ""},
    StatisticRow{"games_refused", "no_room", ""},
    StatisticRow{"games_refused", "stopping", ""},
    StatisticRow{"games_refused", "wrong_password", ""},
    StatisticRow{"deaths", "game", "Processes that died, by what they were", false, "process"},
    StatisticRow{"deaths", "front", "", false, "process"},
    StatisticRow{"deaths", "nursery", "", false, "process"},
    StatisticRow{"deaths", "companion", "", false, "process"},
    StatisticRow{"hangs", "", "Processes killed because they hung"},
    StatisticRow{"restores", "", "Games that died and were given another process"},
};
static_assert(host_rows.size() == static_cast<std::size_t>(HostStatistic::count_));
static_assert(host_rows[static_cast<std::size_t>(HostStatistic::deaths_game)].label == "game");
static_assert(host_rows[static_cast<std::size_t>(HostStatistic::hangs)].family == "hangs");

}  // namespace

std::span<const StatisticRow> rows_of(FrontStatistic) noexcept {
    return front_rows;
}

std::span<const StatisticRow> rows_of(HostStatistic) noexcept {
    return host_rows;
}

HostStatistic refused_for(RefuseReason reason) noexcept {
    switch (reason) {
        case RefuseReason::bad_parameters: return HostStatistic::games_refused_bad_parameters;
        case RefuseReason::no_such_game: return HostStatistic::games_refused_no_such_game;
        case RefuseReason::unknown_type: return HostStatistic::games_refused_unknown_type;
        case RefuseReason::name_taken: return HostStatistic::games_refused_name_taken;
        case RefuseReason::bad_name: return HostStatistic::games_refused_bad_name;
        case RefuseReason::no_room: return HostStatistic::games_refused_no_room;
        case RefuseReason::stopping: return HostStatistic::games_refused_stopping;
        case RefuseReason::wrong_password: return HostStatistic::games_refused_wrong_password;
        case RefuseReason::none:
        case RefuseReason::full:
        case RefuseReason::in_progress:
        case RefuseReason::no_such_session: break;
    }
    invariant(false, "a game's own reason, which no supervisor gives");
    return HostStatistic::count_;
}

}  // namespace ringside
