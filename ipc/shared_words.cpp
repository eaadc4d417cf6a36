#include "ringside/ipc/shared_words.hpp"

#include <cstring>

namespace ringside {
namespace {

using Word = std::uint64_t;
static_assert(std::atomic_ref<Word>::is_always_lock_free);

}  // namespace

void store_shared(std::byte* to, Bytes bytes) noexcept {
    auto* words = reinterpret_cast<Word*>(to);
    const std::size_t whole = bytes.size() / sizeof(Word);
    for (std::size_t i = 0; i < whole; ++i) {
        Word word;
        std::memcpy(&word, bytes.data() + i * sizeof(Word), sizeof(Word));
        // INTENT / VERSION: whoever sees this word also sees the version word stored before it.
        std::atomic_ref(words[i]).store(word, std::memory_order_release);
    }
    if (const std::size_t rest = bytes.size() % sizeof(Word); rest != 0) {
        Word word = 0;
        std::memcpy(&word, bytes.data() + whole * sizeof(Word), rest);
        std::atomic_ref(words[whole]).store(word, std::memory_order_release);
    }
}

void load_shared(MutableBytes to, const std::byte* from) noexcept {
    // atomic_ref wants a mutable object; an 8-byte atomic load writes nothing, so this is safe on a
    // read-only mapping.
    auto* words = reinterpret_cast<Word*>(const_cast<std::byte*>(from));
    const std::size_t whole = to.size() / sizeof(Word);
    for (std::size_t i = 0; i < whole; ++i) {
        const Word word = std::atomic_ref(words[i]).load(std::memory_order_acquire);
        std::memcpy(to.data() + i * sizeof(Word), &word, sizeof(Word));
    }
    if (const std::size_t rest = to.size() % sizeof(Word); rest != 0) {
        const Word word = std::atomic_ref(words[whole]).load(std::memory_order_acquire);
        std::memcpy(to.data() + whole * sizeof(Word), &word, rest);
    }
}

}  // namespace ringside
