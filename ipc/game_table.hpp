#pragma once
// GameTable: the supervisor's games: names, slots, segments, processes, deaths.

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <sys/types.h>

#include "control.hpp"
#include "predecessor.hpp"
#include "watchdog.hpp"

#include "ringside/core/game.hpp"
#include "ringside/core/token_bucket.hpp"
#include "ringside/ipc/front_link.hpp"
#include "ringside/ipc/game_segment.hpp"
#include "ringside/ipc/host_segment.hpp"
#include "ringside/ipc/statistics.hpp"
#include "ringside/ipc/supervisor.hpp"

namespace ringside {

class GameTable {
public:
    struct Hooks {
        /// Asks the nursery of this type for a process; sends `forked` when there is one.
        std::function<void(std::size_t type_index, GameId)> request_fork;
        /// Tells every front that a game ended without a final snapshot.
        std::function<void(GameId, const std::string& text)> announce_failure;
        /// Something went wrong that the flight recorders may explain.
        std::function<void(const std::string& why)> dump_flight;
    };

    GameTable(const HostOptions& options, std::string instance_path, HostSegment& host,
              HostStatistics& statistics, std::span<const GameType* const> types, Hooks hooks);

    /// Goes on with a game that an earlier host left. Of two with one name the newer one has it.
    void adopt(LeftGame game);

    /// Finds or makes the game that an open packet asks for; turns it into the answer.
    void open(ControlPacket& packet, bool may_create);

    /// Ends the game of this name, whatever it is at. False: there is none.
    [[nodiscard]] bool end(const std::string& name);
    [[nodiscard]] std::size_t count() const noexcept {
        return entries_.size() - free_slots_.size();
    }

    /// A nursery has forked a game, or could not.
    void on_forked(const ControlPacket& packet);

    /// A child of the supervisor that is neither front nor nursery has ended.
    void on_exit(pid_t pid, int wait_status);

    /// A nursery died: what it was asked and has not answered is asked again.
    void on_nursery_death(std::size_t type_index);

    /// The front in this slot died and gets a successor: its sessions lose their seats.
    void raise_front_epoch(std::uint32_t front_slot, std::uint32_t new_epoch);

    /// Brings the directory up to date with what the games say of themselves.
    void sweep();

    /// Kills games that hang: their tick, or an event that waits for them, is overdue. To be called
    /// every watch_period_ns. Returns the types whose nursery has owed a process for too long.
    [[nodiscard]] std::vector<std::size_t> watch_over();
    [[nodiscard]] std::uint64_t forks_answered() const noexcept { return forks_answered_; }

    /// Games that wait to be restored, because games crash too often: those whose turn has come.
    void restore_waiting();
    /// When the next one's turn comes (CLOCK_MONOTONIC), if there is one.
    [[nodiscard]] std::optional<std::int64_t> next_restore_ns() const;

    /// Kills every game and waits until they are gone. Their segments stay.
    void kill_all() noexcept;

    /// Ends every game: a later host finds none. Requires kill_all().
    void remove_all() noexcept;

private:
    struct Entry {
        GameSegment segment;
        DirectoryRecord record{};
        std::size_t type_index = 0;
        std::uint32_t deaths_without_progress = 0;
        std::uint32_t kills_without_progress = 0;  // by others, and applying nothing
        std::uint64_t sequence_at_start = 0;       // newest snapshot when the process was forked
        std::int64_t started_ns = 0;               // when that was
        std::int64_t died_ns = 0;                  // since when it has no process; 0: it never had
        int spin_cpu = -1;                         // given to it; -1: none
        bool waits = false;                        // to be restored
        bool hung = false;                         // killed for it
        bool to_end = false;                       // its process is killed, and no other follows
        std::uint64_t late_ticks = 0;              // HostOptions::flight_late, as last looked at
        Watchdog watchdog{};
    };

    [[nodiscard]] std::optional<std::size_t> find_type(std::string_view name) const;
    void create(ControlPacket& packet);
    [[nodiscard]] Result<GameId> make_game(const ControlPacket& packet, std::size_t type_index,
                                           const GameShape& shape);
    void take_segment(GameSegment segment, std::size_t type_index, const GameShape& shape);
    void refuse(ControlPacket& packet, RefuseReason reason, std::string_view text);
    void start_process(std::uint32_t slot);
    void on_death(std::uint32_t slot, const std::string& how, bool killed);
    void restore(std::uint32_t slot);
    void wait_for_restore(std::uint32_t slot);
    void adopt_owner(std::uint32_t slot);
    [[nodiscard]] bool fork_outstanding() const;
    void forget_name(std::uint32_t slot);
    void list_as(std::uint32_t slot, GameState state);
    void finish(std::uint32_t slot);
    void retire(std::uint32_t slot, HostStatistic why);
    void write_record(std::uint32_t slot);
    [[nodiscard]] bool said_ended(const Entry& entry) const;
    void kill_if_hanging(Entry& entry, std::int64_t now_ns);
    void look_at_lateness(Entry& entry);

    HostOptions options_;
    std::string instance_path_;
    HostSegment& host_;
    HostStatistics& statistics_;
    std::span<const GameType* const> types_;
    Hooks hooks_;
    std::vector<Entry> entries_;  // by slot
    std::vector<std::uint32_t> free_slots_;
    std::vector<int> free_spin_cpus_;
    std::unordered_map<std::uint64_t, std::uint32_t> games_of_;  // by creator
    std::unordered_map<std::string, std::uint32_t> slot_by_name_;
    std::unordered_map<pid_t, std::uint32_t> slot_by_pid_;
    TokenRate restore_rate_;
    TokenBucket restores_;
    std::deque<std::uint32_t> waiting_;  // slots of entries that wait
    std::int64_t fork_again_ns_ = 0;     // no sooner: there was no process to be had
    std::uint64_t forks_answered_ = 0;
    std::unordered_map<pid_t, int> early_exits_;  // ended before the nursery's answer was read
};

}  // namespace ringside
