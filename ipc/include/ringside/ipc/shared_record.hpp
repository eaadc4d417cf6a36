#pragma once
// SharedRecord<T>: a small record with one writer and any readers, in shared memory (a seqlock).
//
// Ordering VERSION: `version` is odd while the record changes. Writer: odd, words (release), even
//          (release). Reader: even (acquire), words (acquire), then version again: unchanged means
//          the words belong together.
// Crash    A writer that dies half-way leaves an odd version: readers get nothing until the next
//          writer writes the record anew.
// See      shared_words.hpp.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "ringside/ipc/shared_words.hpp"

namespace ringside {

template <class T>
class SharedRecord {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 8 == 0 && alignof(T) <= 8);

public:
    /// By the one writer.
    void write(const T& value) noexcept {
        const std::uint64_t odd = version_.load(std::memory_order_relaxed) | 1;  // only we write it
        version_.store(odd, std::memory_order_relaxed);  // VERSION: the words' release orders it
        store_shared(bytes_, std::as_bytes(std::span(&value, 1)));
        version_.store(odd + 1, std::memory_order_release);  // VERSION
    }

    /// False when the writer was busy for a few attempts; `value` is then unspecified.
    [[nodiscard]] bool read(T& value) const noexcept {
        for (int attempt = 0; attempt < 16; ++attempt) {
            const std::uint64_t before = version_.load(std::memory_order_acquire);  // VERSION
            load_shared(std::as_writable_bytes(std::span(&value, 1)), bytes_);
            // Relaxed: the words' acquire loads keep it behind them.
            if (before % 2 == 0 && version_.load(std::memory_order_relaxed) == before) {
                return true;
            }
        }
        return false;
    }

private:
    std::atomic<std::uint64_t> version_;
    alignas(8) std::byte bytes_[sizeof(T)];
};

}  // namespace ringside
