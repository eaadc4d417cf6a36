#include "ring_loop.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ringside/core/clock.hpp"
#include "ringside/core/invariant.hpp"

namespace ringside {
namespace {

constexpr unsigned submissions = 4096;   // when full, what is there is submitted early
constexpr unsigned completions = 32768;  // beyond, the kernel keeps them (IORING_FEAT_NODROP)
constexpr std::uint16_t buffer_count = 4096;
constexpr std::uint32_t buffer_stride = 2048;  // 8 MiB in all: two of the largest client messages
constexpr std::uint32_t buffer_shift = 4;      // see received()
constexpr std::uint32_t buffer_bytes = buffer_stride - 8;
constexpr int buffer_group = 0;
constexpr unsigned submit_thread_idle_ms = 10;  // until a thread that submits goes to sleep

std::uint64_t packed(Token token) noexcept {
    return static_cast<std::uint64_t>(token.operation) << 56 |
           static_cast<std::uint64_t>(token.generation & 0xffffff) << 32 | token.index;
}

Token unpacked(std::uint64_t data) noexcept {
    return {.operation = static_cast<Operation>(data >> 56),
            .generation = static_cast<std::uint32_t>(data >> 32) & 0xffffff,
            .index = static_cast<std::uint32_t>(data)};
}

}  // namespace

std::error_code io_error(std::int32_t result) noexcept {
    return result < 0 ? std::error_code(-result, std::generic_category()) : std::error_code();
}

void RingLoop::CloseRing::operator()(io_uring* ring) const noexcept {
    io_uring_queue_exit(ring);
    delete ring;
}

void RingLoop::Unmap::operator()(void* address) const noexcept {
    ::munmap(address, bytes);
}

Result<RingLoop::Memory> RingLoop::map(std::size_t bytes) {
    void* address =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) {
        return errno_failure("front: " + std::to_string(bytes) + " bytes for receive buffers");
    }
    return Memory(address, Unmap{bytes});
}

RingLoop::RingLoop(RingPointer ring, Memory descriptors, Memory buffers,
                   Submission submission) noexcept
    : descriptors_(std::move(descriptors)),
      buffers_(std::move(buffers)),
      ring_(std::move(ring)),
      submission_(submission) {}

Result<RingLoop> RingLoop::create(Submission submission) {
    io_uring_params params{};
    // The kernel does its part only when we ask for completions, on our core, without interrupts;
    // a thread that submits for us is refused that.
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP |
                   (submission == Submission::by_thread
                        ? IORING_SETUP_SQPOLL
                        : IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN);
    params.sq_thread_idle = submit_thread_idle_ms;
    params.cq_entries = completions;
    auto raw = std::make_unique<io_uring>();
    if (const int result = io_uring_queue_init_params(submissions, raw.get(), &params);
        result < 0) {
        return failure(io_error(result), "front: io_uring cannot be set up; see `ringside doctor`");
    }
    RingPointer ring(raw.release());
    (void)io_uring_register_ring_fd(ring.get());  // saves a descriptor look-up a call; no more

    auto descriptors = map(buffer_count * sizeof(io_uring_buf));
    auto buffers = map(std::size_t{buffer_count} * buffer_stride);
    if (!descriptors || !buffers) {
        return std::unexpected((descriptors ? buffers : descriptors).error());
    }
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uint64_t>(descriptors->get());
    registration.ring_entries = buffer_count;
    registration.bgid = buffer_group;
    if (const int result = io_uring_register_buf_ring(ring.get(), &registration, 0); result < 0) {
        return failure(io_error(result), "front: receive buffers cannot be registered");
    }
    RingLoop loop(std::move(ring), std::move(*descriptors), std::move(*buffers), submission);
    for (std::uint16_t buffer = 0; buffer < buffer_count; ++buffer) {
        loop.give_back(buffer);
    }
    return loop;
}

Result<void> RingLoop::busy_poll_cards(std::chrono::microseconds duration) noexcept {
    NapiRegistration wanted{.busy_poll_us = static_cast<std::uint32_t>(duration.count()),
                            .prefer_busy_poll = 1};
    if (syscall(SYS_io_uring_register, ring_->ring_fd, register_napi, &wanted, 1) != 0) {
        return errno_failure("io_uring cannot poll network cards");
    }
    return {};
}

// ---- requests ----------------------------------------------------------------------------------

io_uring_sqe* RingLoop::next_sqe() noexcept {
    // Full: submit early, at the price of one more call in this turn. EBUSY would mean that the
    // kernel holds completions for us that did not fit, so it is asked for those too.
    for (int attempt = 0; attempt < 1000; ++attempt) {
        if (io_uring_sqe* sqe = io_uring_get_sqe(ring_.get())) {
            return sqe;
        }
        ++counts_.enters;
        (void)io_uring_submit(ring_.get());
    }
    invariant(false, "front: io_uring takes no more requests");
    return nullptr;
}

void RingLoop::accept_multishot(int listening_fd, Token token) noexcept {
    // Accepted sockets stay blocking: the kernel then waits for them and never says EAGAIN.
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_multishot_accept(sqe, listening_fd, nullptr, nullptr, SOCK_CLOEXEC);
    io_uring_sqe_set_data64(sqe, packed(token));
}

void RingLoop::accept_once(int listening_fd, Token token) noexcept {
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_accept(sqe, listening_fd, nullptr, nullptr, SOCK_CLOEXEC);
    io_uring_sqe_set_data64(sqe, packed(token));
}

void RingLoop::receive_multishot(int fd, Token token) noexcept {
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_recv_multishot(sqe, fd, nullptr, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = buffer_group;
    io_uring_sqe_set_data64(sqe, packed(token));
}

void RingLoop::poll_multishot(int fd, Token token) noexcept {
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_poll_multishot(sqe, fd, POLLIN);
    io_uring_sqe_set_data64(sqe, packed(token));
}

void RingLoop::poll_once(int fd, Token token) noexcept {
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_poll_add(sqe, fd, POLLIN);
    io_uring_sqe_set_data64(sqe, packed(token));
}

void RingLoop::send(int fd, Bytes bytes, Token token) noexcept {
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_send(sqe, fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    io_uring_sqe_set_data64(sqe, packed(token));
}

void RingLoop::open(const char* path, Token token) noexcept {
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_openat(sqe, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    io_uring_sqe_set_data64(sqe, packed(token));
}

void RingLoop::read(int fd, MutableBytes into, std::uint64_t offset, Token token) noexcept {
    constexpr std::size_t bytes_max = std::size_t{1} << 30;  // of one request
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_read(sqe, fd, into.data(),
                       static_cast<unsigned>(std::min(into.size(), bytes_max)), offset);
    io_uring_sqe_set_data64(sqe, packed(token));
}

void RingLoop::futex_wait(BellWord& bell, Token token) noexcept {
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_rw(op_futex_wait, sqe, futex2_size_u32, &bell.asleep, 0, 1);  // off: 1, asleep
    sqe->addr3 = futex_match_any;
    io_uring_sqe_set_data64(sqe, packed(token));
}

void RingLoop::futex_wake(BellWord& bell) noexcept {
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_rw(op_futex_wake, sqe, futex2_size_u32, &bell.asleep, 0, 1);  // off: how many
    sqe->addr3 = futex_match_any;
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(sqe, packed({}));
}

void RingLoop::cancel(Token token) noexcept {
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_cancel64(sqe, packed(token), 0);
    io_uring_sqe_set_data64(sqe, packed({}));
}

void RingLoop::close(int fd) noexcept {
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_close(sqe, fd);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(sqe, packed({}));
}

// ---- the turn ----------------------------------------------------------------------------------

void RingLoop::submit_and_wait(std::int64_t deadline_ns) noexcept {
    ++counts_.enters;
    counts_.overflows += io_uring_cq_has_overflow(ring_.get()) ? 1u : 0u;
    const std::int64_t wait_ns = deadline_ns == 0 ? 0 : deadline_ns - monotonic_ns();
    if (wait_ns <= 0) {
        // By a call, it also fetches what DEFER_TASKRUN kept for us.
        (void)(submission_ == Submission::by_thread ? io_uring_submit(ring_.get())
                                                    : io_uring_submit_and_get_events(ring_.get()));
        return;
    }
    __kernel_timespec timeout{.tv_sec = wait_ns / 1'000'000'000,
                              .tv_nsec = wait_ns % 1'000'000'000};
    io_uring_cqe* cqe = nullptr;
    // ETIME, EINTR and EBUSY all mean: look at what there is, come again. What was not submitted
    // stays queued.
    (void)io_uring_submit_and_wait_timeout(ring_.get(), &cqe, 1, &timeout, nullptr);
}

std::size_t RingLoop::take(std::span<Completion> batch) noexcept {
    std::array<io_uring_cqe*, 64> found{};
    const unsigned count = io_uring_peek_batch_cqe(
        ring_.get(), found.data(), static_cast<unsigned>(std::min(batch.size(), found.size())));
    for (unsigned i = 0; i < count; ++i) {
        const io_uring_cqe& cqe = *found[i];
        batch[i] = {.token = unpacked(cqe.user_data),
                    .result = cqe.res,
                    .buffer = static_cast<std::uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT),
                    .has_buffer = (cqe.flags & IORING_CQE_F_BUFFER) != 0,
                    .more = (cqe.flags & IORING_CQE_F_MORE) != 0};
    }
    // Copied out and given back before anything is done about them: doing may submit, and a full
    // completion queue would refuse that.
    io_uring_cq_advance(ring_.get(), count);
    return count;
}

// ---- receive buffers ---------------------------------------------------------------------------

std::byte* RingLoop::buffer_address(std::uint16_t buffer) const noexcept {
    return static_cast<std::byte*>(buffers_.get()) + std::size_t{buffer} * buffer_stride +
           buffer_shift;
}

Bytes RingLoop::received(const Completion& completion) const noexcept {
    if (!completion.has_buffer || completion.result <= 0) {
        return {};
    }
    return {buffer_address(completion.buffer), static_cast<std::size_t>(completion.result)};
}

void RingLoop::give_back(std::uint16_t buffer) noexcept {
    auto* ring = static_cast<io_uring_buf_ring*>(descriptors_.get());
    io_uring_buf_ring_add(ring, buffer_address(buffer), buffer_bytes, buffer,
                          io_uring_buf_ring_mask(buffer_count), 0);
    io_uring_buf_ring_advance(ring, 1);
}

}  // namespace ringside
