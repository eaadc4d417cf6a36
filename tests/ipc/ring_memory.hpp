#pragma once
// Memory for rings under test: of exactly the size asked for, so that AddressSanitizer sees one
// byte too far, or shared with children that are killed.

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ringside/core/game.hpp"
#include "ringside/core/limits.hpp"
#include "ringside/core/random.hpp"

namespace ringside::test {

/// Zeroed, cache-line aligned heap memory.
class ExactMemory {
public:
    explicit ExactMemory(std::size_t bytes) : bytes_(bytes) {
        void* memory = nullptr;  // aligned_alloc would want a multiple of the alignment
        REQUIRE(::posix_memalign(&memory, cache_line_bytes, bytes) == 0);
        memory_.reset(static_cast<std::byte*>(memory));
        std::memset(memory, 0, bytes);
    }
    [[nodiscard]] MutableBytes bytes() const noexcept { return {memory_.get(), bytes_}; }

private:
    struct Free {
        void operator()(std::byte* memory) const noexcept { std::free(memory); }
    };
    std::unique_ptr<std::byte, Free> memory_;
    std::size_t bytes_;
};

/// Zeroed memory that a forked child shares.
class SharedMemory {
public:
    explicit SharedMemory(std::size_t bytes)
        : memory_(
              ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)),
          bytes_(bytes) {
        REQUIRE(memory_ != MAP_FAILED);
    }
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;
    ~SharedMemory() { ::munmap(memory_, bytes_); }
    [[nodiscard]] MutableBytes bytes() const noexcept {
        return {static_cast<std::byte*>(memory_), bytes_};
    }

private:
    void* memory_;
    std::size_t bytes_;
};

/// Runs `role` in a child that must end by SIGKILL: its own, at the point under test.
template <class Role>
void in_a_killed_child(Role role) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        role();
        ::_exit(1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    REQUIRE(WTERMSIG(status) == SIGKILL);
}

[[noreturn]] inline void die() {
    ::kill(::getpid(), SIGKILL);
    ::_exit(2);
}

inline Random test_random() {
    return Random(Catch::rngSeed());
}

/// `bytes` reproducible from `seed`.
inline std::vector<std::byte> pattern(std::uint64_t seed, std::size_t bytes) {
    Random random(seed);
    std::vector<std::byte> result(bytes);
    for (auto& byte : result) {
        byte = static_cast<std::byte>(random.next());
    }
    return result;
}

/// Where the positions of a ring under test start: 0, and so that they wrap around 2^64.
inline std::vector<std::uint64_t> first_positions(std::uint32_t capacity_bytes) {
    return {0, 8, std::uint64_t{0} - 8, std::uint64_t{0} - capacity_bytes,
            std::uint64_t{0} - 3 * std::uint64_t{capacity_bytes} - 24};
}

}  // namespace ringside::test
