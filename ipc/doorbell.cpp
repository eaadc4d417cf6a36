#include "ringside/ipc/doorbell.hpp"

#include <cerrno>
#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ringside/core/invariant.hpp"

namespace ringside {
namespace {

// The kernel refuses negative seconds; a deadline before the boot is simply over.
timespec to_timespec(std::int64_t deadline_ns) noexcept {
    const std::int64_t ns = deadline_ns > 0 ? deadline_ns : 0;
    return {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
}

// Shared futexes: the word's two users are two processes, so the operation is not PRIVATE.
std::uint32_t* futex_word(BellWord& bell) noexcept {
    static_assert(sizeof bell.asleep == sizeof(std::uint32_t));
    return reinterpret_cast<std::uint32_t*>(&bell.asleep);
}

}  // namespace

// BELL is three exchanges of one word. Each reads what the one before it in the word's own order
// wrote, so a sleeper that comes second has acquired the ringer's work, and a ringer that comes
// second finds the sleeper. A plain store or load in any of the three would break that chain.

void announce_sleep(BellWord& bell) noexcept {
    bell.asleep.exchange(1, std::memory_order_seq_cst);  // BELL: with take_announcement()
}

void stay_awake(BellWord& bell) noexcept {
    bell.asleep.exchange(0, std::memory_order_seq_cst);  // BELL: keeps the chain, see above
}

bool take_announcement(BellWord& bell) noexcept {
    return bell.asleep.exchange(0, std::memory_order_seq_cst) == 1;  // BELL: with announce_sleep()
}

void wait_until(BellWord& bell, std::int64_t deadline_ns) noexcept {
    const timespec deadline = to_timespec(deadline_ns);
    // WAIT_BITSET, because plain WAIT takes a relative time; without FUTEX_CLOCK_REALTIME its clock
    // is CLOCK_MONOTONIC. Every result is an answer: rung, EAGAIN (no longer announced), ETIMEDOUT,
    // EINTR (a spurious return: the caller's loop looks again).
    ::syscall(SYS_futex, futex_word(bell), FUTEX_WAIT_BITSET, 1, &deadline, nullptr,
              FUTEX_BITSET_MATCH_ANY);
    stay_awake(bell);  // or the next ringer would pay for waking nobody
}

void sleep_until(std::int64_t deadline_ns) noexcept {
    const timespec deadline = to_timespec(deadline_ns);
    // Absolute, so a signal in between costs no time: sleep on.
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, nullptr) == EINTR) {
    }
}

// One sleeper per bell, so one wake. It cannot fail on mapped memory.
void wake(BellWord& bell) noexcept {
    ::syscall(SYS_futex, futex_word(bell), FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

bool ring(BellWord& bell) noexcept {
    const bool slept = take_announcement(bell);
    if (slept) {
        wake(bell);
    }
    return slept;
}

void ring_for_dead(BellWord& bell) noexcept {
    stay_awake(bell);
    wake(bell);
}

void RingingGames::set(std::uint32_t game_slot) noexcept {
    invariant(game_slot / 64 < words_.size(), "the bitmap has a bit for every game slot");
    // Release: acquire in drain(); carries the snapshot. Not skipped when the bit is set already:
    // a drain that is under way would have missed what this one carries.
    words_[game_slot / 64].fetch_or(std::uint64_t{1} << (game_slot % 64),
                                    std::memory_order_release);
}

bool RingingGames::any() const noexcept {
    for (const auto& word : words_) {
        // Relaxed: only whether to drain; BELL has made visible what a sleeper must not miss.
        if (word.load(std::memory_order_relaxed) != 0) {
            return true;
        }
    }
    return false;
}

}  // namespace ringside
