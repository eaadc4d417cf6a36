#pragma once
// Doorbells: how a process that sleeps is told that there is something for it.
//
// GameBell   one word in the game's segment. The game sleeps on it with an absolute deadline.
// FrontBell  one line and one bitmap per front in the doorbell segment, the only memory all games
//            share. A game sets its bit, then wakes the front if that sleeps: by the futex word, or
//            by writing to an eventfd where io_uring cannot wait on futexes (before Linux 6.7).
//
// Ordering   BELL: the sleeper sets its word to asleep by a seq_cst exchange and looks once more
//            for work; the ringer makes the work visible, then takes the word by a seq_cst
//            read-modify-write. In the single order of these two one comes first: either the
//            sleeper sees the work or the ringer sees the sleeper. A plain load or store in
//            place of either exchange would allow both to miss. At most one wake per sleep, none
//            for who is awake.
// Trust      The bitmap is only a hint, which any game may scribble on: a front also sweeps the
//            games it follows every 10 ms.

#include <atomic>
#include <cstdint>
#include <span>

#include "ringside/core/limits.hpp"

namespace ringside {

struct alignas(cache_line_bytes) BellWord {
    std::atomic<std::uint32_t> asleep;  // 1: wants to be woken. A futex word
    std::uint32_t reserved[15];         // zero
};
static_assert(sizeof(BellWord) == cache_line_bytes);

/// Announces sleep. The caller then looks for work once more, and either waits or calls
/// stay_awake(). Also right before waiting on the word through io_uring.
void announce_sleep(BellWord&) noexcept;  // BELL: exchange
void stay_awake(BellWord&) noexcept;

/// Waits until rung or until the absolute CLOCK_MONOTONIC deadline; returns at once when no longer
/// announced. Spurious returns happen.
void wait_until(BellWord&, std::int64_t deadline_ns) noexcept;

/// Waits until the deadline, whoever rings: for a loop that wants nothing but its next tick.
[[gnu::hot]] void sleep_until(std::int64_t deadline_ns) noexcept;

/// Takes the announcement, if there is one; the caller must then wake the sleeper.
[[nodiscard, gnu::hot]] bool take_announcement(BellWord&) noexcept;  // BELL: exchange

/// FUTEX_WAKE: of who has taken the announcement.
[[gnu::hot]] void wake(BellWord&) noexcept;

/// take_announcement(), then wake() if there was one: then it is true.
[[gnu::hot]] bool ring(BellWord&) noexcept;

/// After the death of a ringer: it may have taken the announcement and woken nobody.
void ring_for_dead(BellWord&) noexcept;

/// Bits of the games that published since a front last looked.
class RingingGames {
public:
    explicit RingingGames(std::span<std::atomic<std::uint64_t>> words) noexcept : words_(words) {}

    void set(std::uint32_t game_slot) noexcept;  // release: carries the snapshot
    [[nodiscard]] bool any() const noexcept;

    /// Clears every bit and calls `visit(game_slot)` for those that were set.
    template <class Visit>
    void drain(Visit visit) noexcept {
        for (std::uint32_t word = 0; word < words_.size(); ++word) {
            if (words_[word].load(std::memory_order_relaxed) ==
                0) {  // a hint: set later, seen later
                continue;
            }
            std::uint64_t bits = words_[word].exchange(0, std::memory_order_acquire);
            for (; bits != 0; bits &= bits - 1) {
                visit(word * 64 + static_cast<std::uint32_t>(__builtin_ctzll(bits)));
            }
        }
    }

private:
    std::span<std::atomic<std::uint64_t>> words_;
};

}  // namespace ringside
