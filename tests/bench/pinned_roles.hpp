#pragma once
// A few processes on two CPUs and the memory between them, for benchmarks of what carries bytes
// from one to the other. The caller only waits, so nothing it does disturbs what is measured.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <new>
#include <span>
#include <string_view>

#include <sched.h>

#include "ringside/core/game.hpp"
#include "ringside/core/limits.hpp"
#include "ringside/core/result.hpp"

namespace ringside::bench {

/// Zeroed, touched, and shared with every child forked from here on.
class SharedMemory {
public:
    explicit SharedMemory(std::size_t bytes);
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;
    ~SharedMemory();

    [[nodiscard]] MutableBytes bytes() const noexcept {
        return {static_cast<std::byte*>(memory_), bytes_};
    }

private:
    void* memory_;
    std::size_t bytes_;
};

/// What a child does; false if it saw something that must not happen.
using Role = std::function<bool()>;

enum class Cpus : std::uint8_t { two, same };

/// Runs each role in a child, the first pinned to the first CPU and the others to the last (or all
/// to the first) that this process may use, and waits for all. A role that fails, dies or takes
/// more than a minute is an Error; no child outlives the call.
[[nodiscard]] Result<void> run_roles(std::string_view what, std::span<const Role>,
                                     Cpus cpus = Cpus::two);

/// For loops that wait for the other side: spins, but lets it run where both share one CPU.
class Spin {
public:
    void wait() noexcept {
        if (++rounds_ % rounds_before_yield == 0) {
            ::sched_yield();
        }
    }

private:
    static constexpr std::uint32_t rounds_before_yield = 1u << 14;  // tens of microseconds
    std::uint32_t rounds_ = 0;
};

/// What the roles of one measurement share: they start together, one says how long it took.
struct Slice {
    alignas(cache_line_bytes) std::atomic<std::uint32_t> ready;
    alignas(cache_line_bytes) std::atomic<std::int64_t> elapsed_ns;

    void start_together(std::uint32_t roles) noexcept {
        ready.fetch_add(1, std::memory_order_acq_rel);
        for (Spin spin; ready.load(std::memory_order_acquire) < roles;) {
            spin.wait();
        }
    }
};

class SliceMemory {
public:
    [[nodiscard]] Slice& slice() const noexcept { return *slice_; }
    [[nodiscard]] double elapsed_ns() const noexcept {
        return static_cast<double>(slice_->elapsed_ns.load(std::memory_order_acquire));
    }

private:
    SharedMemory memory_{sizeof(Slice)};
    Slice* slice_ = new (memory_.bytes().data()) Slice{};
};

}  // namespace ringside::bench
