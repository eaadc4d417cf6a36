#include "ringside/ipc/shared_words.hpp"

#include <cstring>

namespace ringside {
namespace {

std::atomic_ref<std::uint64_t> word_at(std::byte* at) noexcept {
    return std::atomic_ref(*reinterpret_cast<std::uint64_t*>(at));
}

// Several words at once, where that is known to order as the words one by one do. x86 makes stores
// visible, and performs loads, in the order of the program, whatever their width up to 16 bytes
// (Sewell et al., "x86-TSO", 2010), so release and acquire cost nothing there and wider moves keep
// them. memcpy would not: its string instructions and streaming stores are weaker, and a compiler
// may move it across a release store. Inline assembly is opaque to the compiler, which keeps it in
// place and sees no data race in it. Sanitizers see nothing of it either: they get the words.
#if defined(__x86_64__) && !defined(RINGSIDE_SANITIZED)
constexpr std::size_t stride_bytes = 64;

void move_stride(std::byte* to, const std::byte* from) noexcept {
    asm volatile(
        "movups (%1), %%xmm0\n\t"
        "movups 16(%1), %%xmm1\n\t"
        "movups 32(%1), %%xmm2\n\t"
        "movups 48(%1), %%xmm3\n\t"
        "movups %%xmm0, (%0)\n\t"
        "movups %%xmm1, 16(%0)\n\t"
        "movups %%xmm2, 32(%0)\n\t"
        "movups %%xmm3, 48(%0)"
        :
        : "r"(to), "r"(from)
        : "memory", "xmm0", "xmm1", "xmm2", "xmm3");
}

// Stores leave a core in order, so one whose line readers have holds up all behind it: lines are
// taken back this far ahead.
constexpr std::size_t fetch_ahead_bytes = 1024;

// From this length on one string instruction is ahead: it takes whole lines without reading them
// first. Its own stores may become visible in any order, but all of them after every store before
// it and before every store behind it (Intel SDM 3A, "Memory-Ordering Model for String Operations";
// Linux's seqcounts rely on it as well), and nothing here orders the words of one record.
constexpr std::size_t string_bytes_min = 2048;

std::size_t store_string(std::byte* to, const std::byte* from, std::size_t bytes) noexcept {
    std::size_t left = bytes;
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(left) : : "memory");
    return bytes;
}

// As many whole strides as there are; these return how many bytes that was.
// INTENT, VERSION: as release and acquire below.
std::size_t store_strides(std::byte* to, const std::byte* from, std::size_t bytes) noexcept {
    if (bytes >= string_bytes_min) {
        return store_string(to, from, bytes);
    }
    std::size_t offset = 0;
    for (; bytes - offset >= stride_bytes; offset += stride_bytes) {
        __builtin_prefetch(to + offset + fetch_ahead_bytes, 1);  // 1: write
        move_stride(to + offset, from + offset);
    }
    return offset;
}

std::size_t load_strides(std::byte* to, const std::byte* from, std::size_t bytes) noexcept {
    std::size_t offset = 0;
    for (; bytes - offset >= stride_bytes; offset += stride_bytes) {
        move_stride(to + offset, from + offset);
    }
    return offset;
}
#else
std::size_t store_strides(std::byte*, const std::byte*, std::size_t) noexcept {
    return 0;  // the words do it
}
std::size_t load_strides(std::byte*, const std::byte*, std::size_t) noexcept {
    return 0;
}
#endif

}  // namespace

void store_shared(std::byte* to, Bytes bytes) noexcept {
    const std::size_t whole_bytes = bytes.size() & ~std::size_t{7};
    std::uint64_t word = 0;
    std::size_t offset = store_strides(to, bytes.data(), whole_bytes);
    for (; offset < whole_bytes; offset += 8) {
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
    std::size_t offset = load_strides(to.data(), from, whole_bytes);
    for (; offset < whole_bytes; offset += 8) {
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
