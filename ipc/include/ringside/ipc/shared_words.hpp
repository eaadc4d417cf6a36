#pragma once
// The one way to copy bytes that another process may be writing at the same time.
//
// Sound because every 8-byte word is a lock-free atomic: a word is either the old or the new one,
// never a data race. Stores are release and loads acquire, so a version word stored before the copy
// and checked after it (SnapshotRing's INTENT, SharedRecord's sequence) tells whether the words
// belong together. On x86 both compile to plain moves.

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "ringside/core/game.hpp"

namespace ringside {

/// Copies into shared memory. `to` is 8-aligned and has room for bytes.size() rounded up to 8; the
/// rounding is filled with zeros.
[[gnu::hot]] void store_shared(std::byte* to, Bytes bytes) noexcept;

/// Copies out of shared memory. `from` is 8-aligned; reads to.size() rounded up to 8.
void load_shared(MutableBytes to, const std::byte* from) noexcept;

/// The word at `from`, 8-aligned, by exactly one load: what is judged is then what is used,
/// whatever another process stores meanwhile. Relaxed: whoever calls has acquired the position
/// before it.
[[nodiscard]] inline std::uint64_t load_once(const std::byte* from) noexcept {
    // atomic_ref<const T> is C++26; only load() is called, so a read-only mapping is fine.
    auto* word = reinterpret_cast<std::uint64_t*>(const_cast<std::byte*>(from));
    return std::atomic_ref(*word).load(std::memory_order_relaxed);
}

}  // namespace ringside
