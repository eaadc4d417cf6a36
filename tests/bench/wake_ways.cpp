#include "wake_ways.hpp"

#include <atomic>
#include <limits>
#include <new>

#include <liburing.h>
#include <linux/futex.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net/ring_loop.hpp"
#include "pinned_roles.hpp"

#include "ringside/core/invariant.hpp"
#include "ringside/ipc/doorbell.hpp"

namespace ringside::bench {
namespace {

class Bell {
public:
    [[nodiscard]] BellWord& word() const noexcept { return *word_; }

private:
    SharedMemory memory_{sizeof(BellWord)};
    BellWord* word_ = new (memory_.bytes().data()) BellWord{};
};

class DoorbellWay final : public WakeWay {
public:
    void announce() noexcept override { announce_sleep(bell_.word()); }
    bool wait() noexcept override {
        while (bell_.word().asleep.load(std::memory_order_acquire) == 1) {
            wait_until(bell_.word(), std::numeric_limits<std::int64_t>::max());
        }
        return true;
    }
    bool wake() noexcept override {
        ring(bell_.word());
        return true;
    }

private:
    Bell bell_;
};

class SpinningWay final : public WakeWay {
public:
    void announce() noexcept override { announce_sleep(bell_.word()); }
    bool wait() noexcept override {
        for (Spin spin; bell_.word().asleep.load(std::memory_order_acquire) == 1;) {
            spin.wait();
        }
        return true;
    }
    bool wake() noexcept override { return take_announcement(bell_.word()); }

private:
    Bell bell_;
};

class EventfdWay final : public WakeWay {
public:
    EventfdWay() : fd_(::eventfd(0, EFD_CLOEXEC)) {}
    EventfdWay(const EventfdWay&) = delete;
    EventfdWay& operator=(const EventfdWay&) = delete;
    ~EventfdWay() override { ::close(fd_); }
    bool wait() noexcept override {
        std::uint64_t count = 0;
        return ::read(fd_, &count, sizeof count) == sizeof count;
    }
    bool wake() noexcept override {
        const std::uint64_t one = 1;
        return ::write(fd_, &one, sizeof one) == sizeof one;
    }

private:
    int fd_;
};

class PipeWay final : public WakeWay {
public:
    PipeWay() { invariant(::pipe(ends_) == 0, "a benchmark needs its pipe"); }
    PipeWay(const PipeWay&) = delete;
    PipeWay& operator=(const PipeWay&) = delete;
    ~PipeWay() override {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    bool wait() noexcept override {
        char byte = 0;
        return ::read(ends_[0], &byte, 1) == 1;
    }
    bool wake() noexcept override { return ::write(ends_[1], "!", 1) == 1; }

private:
    int ends_[2];
};

// Made before the fork, so that both processes have the descriptor; its memory is not inherited and
// is mapped by the one that uses it.
class Uring {
public:
    Uring() : fd_(static_cast<int>(::syscall(SYS_io_uring_setup, 8, &params_))) {}
    Uring(const Uring&) = delete;
    Uring& operator=(const Uring&) = delete;
    ~Uring() { ::close(fd_); }

    [[nodiscard]] int fd() const noexcept { return fd_; }

    /// A fresh entry to prepare; nothing if the ring cannot be used.
    [[nodiscard]] io_uring_sqe* next() noexcept {
        return map() ? ::io_uring_get_sqe(&ring_) : nullptr;
    }

    /// Submits what was prepared and waits for one completion.
    bool finish_one() noexcept {
        io_uring_cqe* cqe = nullptr;
        if (!map() || ::io_uring_submit_and_wait(&ring_, 1) < 0 ||
            ::io_uring_wait_cqe(&ring_, &cqe) < 0) {
            return false;
        }
        const bool worked = cqe->res >= 0 || cqe->res == -EAGAIN;  // rung before it could sleep
        ::io_uring_cqe_seen(&ring_, cqe);
        return worked;
    }

private:
    bool map() noexcept {
        mapped_ = mapped_ || ::io_uring_queue_mmap(fd_, &params_, &ring_) == 0;
        return mapped_;
    }

    io_uring_params params_{};
    int fd_;
    io_uring ring_{};
    bool mapped_ = false;  // in this process, whose end unmaps it
};

class UringFutexWay final : public WakeWay {
public:
    void announce() noexcept override { announce_sleep(bell_.word()); }
    bool wait() noexcept override {
        io_uring_sqe* sqe = uring_.next();
        if (sqe == nullptr) {
            return false;
        }
        ::io_uring_prep_rw(op_futex_wait, sqe, futex2_size_u32, &bell_.word().asleep, 0, 1);
        sqe->addr3 = futex_match_any;
        return uring_.finish_one();
    }
    bool wake() noexcept override {
        ring(bell_.word());
        return true;
    }

private:
    Bell bell_;
    Uring uring_;
};

class MsgRingWay final : public WakeWay {
public:
    bool wait() noexcept override { return sleeper_.finish_one(); }
    bool wake() noexcept override {
        io_uring_sqe* sqe = waker_.next();
        if (sqe == nullptr) {
            return false;
        }
        ::io_uring_prep_msg_ring(sqe, sleeper_.fd(), 0, 0, 0);
        return waker_.finish_one();
    }

private:
    Uring sleeper_;
    Uring waker_;
};

template <class Way>
std::unique_ptr<WakeWay> make() {
    return std::make_unique<Way>();
}

}  // namespace

std::vector<WakeKind> wake_kinds() {
    std::vector<WakeKind> kinds{{"doorbell (futex)", make<DoorbellWay>},
                                {"spinning", make<SpinningWay>, true},
                                {"eventfd", make<EventfdWay>},
                                {"pipe", make<PipeWay>}};
    io_uring_probe* probe = ::io_uring_get_probe();
    const auto known = [&](int operation) {
        return probe != nullptr && io_uring_opcode_supported(probe, operation) != 0;
    };
    if (known(op_futex_wait)) {
        kinds.push_back({"io_uring futex wait", make<UringFutexWay>});
    }
    if (known(IORING_OP_MSG_RING)) {
        kinds.push_back({"io_uring MSG_RING", make<MsgRingWay>});
    }
    ::io_uring_free_probe(probe);
    return kinds;
}

}  // namespace ringside::bench
