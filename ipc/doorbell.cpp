#include "ringside/ipc/doorbell.hpp"

#include <climits>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace ringside {
namespace {

timespec timespec_of(std::int64_t ns) noexcept {
    return {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
}

}  // namespace

void announce_sleep(BellWord& bell) noexcept {
    bell.asleep.exchange(1, std::memory_order_seq_cst);  // BELL
}

void stay_awake(BellWord& bell) noexcept {
    bell.asleep.store(0, std::memory_order_relaxed);  // a ringer that still sees 1 wakes in vain
}

bool take_announcement(BellWord& bell) noexcept {
    return bell.asleep.exchange(0, std::memory_order_seq_cst) == 1;  // BELL
}

void wait_until(BellWord& bell, std::int64_t deadline_ns) noexcept {
    const timespec deadline = timespec_of(deadline_ns);
    // Shared futex (no FUTEX_PRIVATE_FLAG): sleeper and ringer are different processes. BITSET is
    // the variant whose timeout is absolute.
    syscall(SYS_futex, &bell.asleep, FUTEX_WAIT_BITSET, 1, &deadline, nullptr,
            FUTEX_BITSET_MATCH_ANY);
}

void sleep_until(std::int64_t deadline_ns) noexcept {
    const timespec deadline = timespec_of(deadline_ns);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, nullptr);
}

void ring(BellWord& bell) noexcept {
    if (take_announcement(bell)) {
        syscall(SYS_futex, &bell.asleep, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
    }
}

void RingingGames::set(std::uint32_t game_slot) noexcept {
    const std::uint32_t word = game_slot / 64;
    if (word < words_.size()) {
        words_[word].fetch_or(std::uint64_t{1} << (game_slot % 64), std::memory_order_release);
    }
}

bool RingingGames::any() const noexcept {
    for (const auto& word : words_) {
        // seq_cst: the sleeper's second look, ordered behind its announcement (BELL).
        if (word.load(std::memory_order_seq_cst) != 0) {
            return true;
        }
    }
    return false;
}

}  // namespace ringside
