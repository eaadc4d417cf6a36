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
void store_shared(std::byte* to, Bytes bytes) noexcept;

/// Copies out of shared memory. `from` is 8-aligned; reads to.size() rounded up to 8.
void load_shared(MutableBytes to, const std::byte* from) noexcept;

}  // namespace ringside
