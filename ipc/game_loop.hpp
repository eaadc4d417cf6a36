#pragma once
// GameLoop: the whole life of a game process: restore or create, then events, ticks and snapshots
// until the game ends.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "game_statistics.hpp"

#include "ringside/core/game.hpp"
#include "ringside/core/journal.hpp"
#include "ringside/core/ticker.hpp"
#include "ringside/ipc/event.hpp"
#include "ringside/ipc/event_ring.hpp"
#include "ringside/ipc/game_segment.hpp"
#include "ringside/ipc/host_segment.hpp"
#include "ringside/ipc/snapshot.hpp"
#include "ringside/ipc/snapshot_ring.hpp"

namespace ringside {

/// Eventfds by front slot, -1 where the doorbell's futex word is used.
using WakeFds = std::array<int, front_slots_max>;

// "hot": what every tick runs stands together in the program, wherever it is written. A process
// that has slept pays for each page it touches again, and thousands of them sleep.
class GameLoop {
public:
    /// Goes on from the segment's newest snapshot, or makes the game if there is none.
    [[nodiscard]] static Result<GameLoop> start(GameSegment segment, DoorbellSegment doorbells,
                                                const GameType& type, const WakeFds& wake_fds);

    /// Returns when the game has ended and its final snapshot is published.
    [[gnu::hot]] void run();

private:
    GameLoop(GameSegment segment, DoorbellSegment doorbells, const WakeFds& wake_fds,
             SnapshotProducer snapshots);

    void restore_roster(const SnapshotParts& parts);

    [[gnu::hot]] void wait();
    [[gnu::hot]] void apply_events();
    [[gnu::hot]] void step_if_due();
    [[gnu::hot]] void end_if_over();
    [[gnu::hot]] void publish();

    [[gnu::hot]] void adopt_new_rings();
    [[nodiscard]] std::uint64_t own_key() const noexcept;
    [[nodiscard, gnu::hot]] bool lockstep() const;
    [[nodiscard, gnu::hot]] bool reactive() const;
    void wait_for_events(std::int64_t deadline_ns);
    [[nodiscard, gnu::hot]] bool parked() const;
    [[nodiscard]] bool has_events();
    enum class UnknownResume : bool { waits, is_refused };
    [[gnu::hot]] bool drain(std::uint32_t front_slot, UnknownResume unknown_resume);
    [[gnu::hot]] void apply(std::uint32_t front_slot, EventKind kind, const EventHeader& header,
                            Bytes body);
    void join(std::uint32_t front_slot, const EventHeader& header, Bytes parameters);
    void leave(std::uint32_t front_slot, const EventHeader& header);
    void resume(std::uint32_t front_slot, const EventHeader& header, Bytes body);
    void lose_link(std::uint32_t front_slot, const EventHeader& header);
    [[gnu::hot]] void input(std::uint32_t front_slot, const EventHeader& header, Bytes body);
    void skip(std::uint32_t front_slot, EventKind kind, const EventHeader& header);
    [[nodiscard]] bool front_has_gone(std::uint32_t front_slot, std::uint64_t session) const;
    [[nodiscard, gnu::hot]] bool answers_are_full() const;
    using Epochs = std::array<std::uint32_t, front_slots_max>;
    [[nodiscard, gnu::hot]] Epochs front_epochs() const;
    [[gnu::hot]] void detach_sessions_of_dead_fronts(const Epochs& epochs);
    void detach(RosterEntry& entry) noexcept;
    [[gnu::hot]] void give_up_detached();
    void give_up(const RosterEntry& entry);
    [[nodiscard, gnu::hot]] std::int64_t grace_until_ns() const noexcept;
    void answer(std::uint32_t front_slot, std::uint64_t session, AnswerKind kind,
                std::uint8_t reason);
    [[gnu::hot]] void forget_acknowledged_answers();
    [[gnu::hot]] void step(Ticker::Lateness lateness);
    void end(LeaveReason reason);
    [[gnu::hot]] void ring_fronts();
    [[nodiscard, gnu::hot]] RosterEntry* find(std::uint64_t session) noexcept;
    [[nodiscard]] RosterEntry* find_one_of(Bytes candidates) noexcept;

    GameSegment segment_;
    DoorbellSegment doorbells_;
    WakeFds wake_fds_;
    std::unique_ptr<Game> game_;
    SnapshotProducer snapshots_;
    std::array<std::optional<EventConsumer>, front_slots_max> events_;
    std::array<std::uint64_t, front_slots_max> first_positions_{};  // of rings not adopted yet
    std::array<bool, front_slots_max> poisoned_{};
    std::array<std::uint64_t, front_slots_max> answers_given_{};
    std::uint32_t fronts_ = 0;           // slots below have had a ring, ever
    std::vector<RosterEntry> roster_;    // capacity seats_max
    std::vector<RosterAnswer> answers_;  // capacity answers_max
    Journal journal_;                    // since the newest snapshot
    std::vector<std::byte> state_;       // capacity for the largest save()
    std::vector<std::byte> view_;
    std::vector<std::byte> delta_;
    GameStatistics statistics_;
    Ticker ticker_;
    std::uint64_t tick_ = 0;
    std::int64_t touched_ns_;  // when the last event was applied
    bool ticking_ = false;     // the ticker runs; false while parked
    bool changed_ = false;     // since the last publish
    bool applied_ = false;     // an event, in this turn
    bool visited_ = false;     // an event was applied, ever
    std::optional<LeaveReason> ended_;
};

}  // namespace ringside
