#pragma once
// RingLoop: one io_uring, as the front uses it. Everything asked of the kernel during a turn goes
// to it in one system call, which is also the front's only wait.
//
// Requests are named by a Token that comes back with each of their completions. A receive lands in
// a buffer that the kernel picked from a shared ring of them, so a silent connection holds none.
// Source  io_uring(7); liburing 2.3. Its headers end before futexes: those are made by hand.

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <system_error>
#include <utility>

#include <liburing.h>

#include "ringside/core/game.hpp"
#include "ringside/ipc/doorbell.hpp"

namespace ringside {

// linux/io_uring.h and linux/futex.h of Linux 6.7, which liburing 2.3's headers do not reach.
inline constexpr std::uint8_t op_futex_wait = 51;
inline constexpr std::uint8_t op_futex_wake = 52;
inline constexpr std::int32_t futex2_size_u32 = 2;
inline constexpr std::uint64_t futex_match_any = 0xffffffff;

// linux/io_uring.h of Linux 6.9.
inline constexpr unsigned register_napi = 27;
struct NapiRegistration {
    std::uint32_t busy_poll_us = 0;
    std::uint8_t prefer_busy_poll = 0;
    std::array<std::uint8_t, 3> padding{};
    std::uint64_t reserved = 0;
};
static_assert(sizeof(NapiRegistration) == 16, "what the kernel copies");

enum class Operation : std::uint8_t {
    ignored,  // nobody waits for its completion
    accept,
    receive,
    send,
    control,  // the supervisor's socket became readable
    bell,     // the doorbell's futex word, or its eventfd
    file,     // a file was opened, or read
};

/// Which request a completion belongs to. The generation tells the present holder of a place in a
/// table from the one before it.
struct Token {
    Operation operation = Operation::ignored;
    std::uint32_t generation = 0;  // 24 bits travel
    std::uint32_t index = 0;
};

struct Completion {
    Token token;
    std::int32_t result = 0;   // negative: see io_error()
    std::uint16_t buffer = 0;  // with has_buffer: to be given back
    bool has_buffer = false;
    bool more = false;  // of a multishot request: it goes on
};

/// The one place where a negative result becomes an error_code.
[[nodiscard]] std::error_code io_error(std::int32_t result) noexcept;

class RingLoop {
public:
    /// How requests get to the kernel.
    enum class Submission : std::uint8_t {
        by_call,    // with the turn's one system call
        by_thread,  // a thread of the kernel's looks for them, and takes a CPU while it does
    };

    /// By the thread that will use it, in the process that will: the kernel checks.
    [[nodiscard]] static Result<RingLoop> create(Submission = Submission::by_call);

    /// Has the kernel look for packets in network cards' queues itself, for so long, before it
    /// sleeps. The Error: it cannot (Linux 6.9).
    [[nodiscard]] Result<void> busy_poll_cards(std::chrono::microseconds duration) noexcept;

    void accept_multishot(int listening_fd, Token) noexcept;
    void accept_once(int listening_fd, Token) noexcept;
    void receive_multishot(int fd, Token) noexcept;
    void poll_multishot(int fd, Token) noexcept;
    void poll_once(int fd, Token) noexcept;
    /// The bytes must stay until the completion.
    void send(int fd, Bytes bytes, Token) noexcept;
    /// For reading. The path must stay until the completion, whose result is the descriptor.
    void open(const char* path, Token) noexcept;
    /// From this offset of a file. The room must stay until the completion.
    void read(int fd, MutableBytes into, std::uint64_t offset, Token) noexcept;
    /// Completes when the word is woken, or at once when it does not say `asleep`.
    void futex_wait(BellWord&, Token) noexcept;
    /// Wakes who sleeps on the word, in the place of a call of its own. The word must stay until
    /// this is submitted.
    void futex_wake(BellWord&) noexcept;
    void cancel(Token) noexcept;
    void close(int fd) noexcept;

    /// Submits all of the above and waits for a completion, at most until `deadline_ns`
    /// (CLOCK_MONOTONIC; 0: does not wait). Returns early now and then.
    void submit_and_wait(std::int64_t deadline_ns) noexcept;

    /// What has happened since it was asked last.
    struct Counts {
        std::uint64_t enters = 0;     // system calls
        std::uint64_t overflows = 0;  // waits that found the completion queue overflown
    };
    [[nodiscard]] Counts take_counts() noexcept { return std::exchange(counts_, {}); }

    /// Whether take_completions() would find one.
    [[nodiscard]] bool has_completions() const noexcept {
        return io_uring_cq_ready(ring_.get()) != 0;
    }

    /// Calls visit(const Completion&) for each that has come.
    template <class Visit>
    void take_completions(Visit visit) {
        std::array<Completion, 64> batch;
        while (const std::size_t count = take(batch)) {
            for (std::size_t i = 0; i < count; ++i) {
                visit(batch[i]);
            }
        }
    }

    /// What a receive brought. An 8-aligned address + 4: behind its length prefix a buffer's first
    /// message is then aligned, and need not be copied.
    [[nodiscard]] Bytes received(const Completion&) const noexcept;
    void give_back(std::uint16_t buffer) noexcept;

private:
    struct CloseRing {
        void operator()(io_uring*) const noexcept;
    };
    struct Unmap {
        std::size_t bytes = 0;
        void operator()(void*) const noexcept;
    };
    using RingPointer = std::unique_ptr<io_uring, CloseRing>;
    using Memory = std::unique_ptr<void, Unmap>;

    RingLoop(RingPointer, Memory descriptors, Memory buffers, Submission) noexcept;
    static Result<Memory> map(std::size_t bytes);

    io_uring_sqe* next_sqe() noexcept;
    std::size_t take(std::span<Completion> batch) noexcept;
    std::byte* buffer_address(std::uint16_t buffer) const noexcept;

    // Members are destroyed last to first: the ring must go before the memory it writes into.
    Memory descriptors_;  // io_uring_buf_ring
    Memory buffers_;
    RingPointer ring_;
    Counts counts_;
    Submission submission_;
};

}  // namespace ringside
