#include "ringside/ipc/shared_words.hpp"

#include <cstring>

namespace ringside {
namespace {

std::atomic_ref<std::uint64_t> word_at(std::byte* at) noexcept {
    return std::atomic_ref(*reinterpret_cast<std::uint64_t*>(at));
}

}  // namespace

void store_shared(std::byte* to, Bytes bytes) noexcept {
    const std::size_t whole_bytes = bytes.size() & ~std::size_t{7};
    std::uint64_t word = 0;
    for (std::size_t offset = 0; offset < whole_bytes; offset += 8) {
        std::memcpy(&word, bytes.data() + offset, 8);
        // INTENT, VERSION: whoever loads this word also sees what was stored before the copy.
        word_at(to + offset).store(word, std::memory_order_release);
    }
    if (whole_bytes < bytes.size()) {
        word = 0;
        std::memcpy(&word, bytes.data() + whole_bytes, bytes.size() - whole_bytes);
        word_at(to + whole_bytes).store(word, std::memory_order_release);  // INTENT, VERSION
    }
}

void load_shared(MutableBytes to, const std::byte* from) noexcept {
    auto* words = const_cast<std::byte*>(from);  // only load() is called: see load_once()
    const std::size_t whole_bytes = to.size() & ~std::size_t{7};
    for (std::size_t offset = 0; offset < whole_bytes; offset += 8) {
        // INTENT, VERSION: what the writer stored before this word is seen after it.
        const std::uint64_t word = word_at(words + offset).load(std::memory_order_acquire);
        std::memcpy(to.data() + offset, &word, 8);
    }
    if (whole_bytes < to.size()) {
        const std::uint64_t word = word_at(words + whole_bytes).load(std::memory_order_acquire);
        std::memcpy(to.data() + whole_bytes, &word, to.size() - whole_bytes);
    }
}

}  // namespace ringside
