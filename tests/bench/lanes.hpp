#pragma once
// Lanes: ways to carry numbered messages from one process to another, all with one interface, so
// that each is measured by the same loops.
//
// A lane has a Sender and a Receiver, made in the process that uses them.
//   send(first, count)  sends up to `count` messages from number `first`, made visible together
//                       where the lane can; returns how many went (0: full)
//   receive(check)      hands every message that is there, or a bounded part, to check(words)
// Each message is made anew and every word of it is read: what a queue saves by not copying shows.
// All lanes hold lane_bytes.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>
#include <numeric>

#include <boost/lockfree/spsc_queue.hpp>
#include <unistd.h>

#include "pinned_roles.hpp"

#include "ringside/ipc/doorbell.hpp"
#include "ringside/ipc/event_ring.hpp"

namespace ringside::bench {

inline constexpr std::uint32_t lane_bytes = 64 * 1024;  // a pipe's, unless told otherwise
inline constexpr std::uint32_t messages_at_once_max = 64;

template <std::uint32_t payload_bytes>
struct Message {
    std::array<std::uint64_t, payload_bytes / 8> words;

    /// What a sender would encode: the number, and something in every other word.
    static Message filled() noexcept {
        Message message;
        std::iota(message.words.begin(), message.words.end(), 0x5252'5252'0000'0000u);
        return message;
    }
};

/// Nothing lost, doubled, or torn: the messages come in order and whole.
template <std::uint32_t payload_bytes>
class Check {
public:
    void operator()(const Message<payload_bytes>& message) noexcept {
        std::uint64_t mixed = 0;
        for (const std::uint64_t word : message.words) {
            mixed ^= word;
        }
        intact_ = intact_ && (mixed ^ message.words[0]) == rest_ && message.words[0] == received_;
        ++received_;
    }
    [[nodiscard]] bool intact() const noexcept { return intact_; }
    [[nodiscard]] std::uint64_t received() const noexcept { return received_; }

private:
    static std::uint64_t rest() noexcept {
        std::uint64_t mixed = 0;
        const auto message = Message<payload_bytes>::filled();
        for (std::size_t at = 1; at < message.words.size(); ++at) {
            mixed ^= message.words[at];
        }
        return mixed;
    }

    std::uint64_t rest_ = rest();
    std::uint64_t received_ = 0;
    bool intact_ = true;
};

// ---- Ringside ----------------------------------------------------------------------------------

template <std::uint32_t payload_bytes>
class RingsideLane {
public:
    static constexpr const char* name = "Ringside";

    RingsideLane() { create_event_ring(memory_.bytes(), lane_bytes); }

    class Sender {
    public:
        explicit Sender(RingsideLane& lane)
            : ring_(EventProducer::attach(lane.memory_.bytes()).value()) {}

        std::uint32_t send(std::uint64_t first, std::uint32_t count) noexcept {
            std::uint32_t sent = 0;
            for (; sent < count; ++sent) {
                const auto room = ring_.try_claim(EventKind::input, payload_bytes);
                if (room.empty()) {
                    break;
                }
                // Encoded in place, the number last: a copy right behind a narrower store of the
                // same bytes would wait for that store.
                const std::uint64_t number = first + sent;
                std::memcpy(room.data(), &message_, sizeof message_);
                std::memcpy(room.data(), &number, sizeof number);
            }
            ring_.publish();
            return sent;
        }

    private:
        EventProducer ring_;
        const Message<payload_bytes> message_ = Message<payload_bytes>::filled();
    };

    class Receiver {
    public:
        explicit Receiver(RingsideLane& lane)
            : ring_(EventConsumer::attach(lane.memory_.bytes(), 0).value()) {}

        void receive(Check<payload_bytes>& check) noexcept {
            EventRecord record;
            for (std::uint32_t left = messages_at_once_max;
                 left > 0 && ring_.peek(record) == Peek::record; --left) {
                check(*reinterpret_cast<const Message<payload_bytes>*>(record.payload.data()));
                ring_.advance();
            }
            ring_.release();
        }

    private:
        EventConsumer ring_;
    };

private:
    SharedMemory memory_{event_ring_region_bytes(lane_bytes)};
};

// ---- boost::lockfree::spsc_queue ---------------------------------------------------------------

template <std::uint32_t payload_bytes, std::uint32_t popped_at_once>
class BoostLane {
    using Queue =
        boost::lockfree::spsc_queue<Message<payload_bytes>,
                                    boost::lockfree::capacity<lane_bytes / payload_bytes>>;

public:
    static constexpr const char* name =
        popped_at_once == 1 ? "boost::lockfree, pop of one" : "boost::lockfree";

    BoostLane() : queue_(new(memory_.bytes().data()) Queue) {}

    class Sender {
    public:
        explicit Sender(BoostLane& lane) : queue_(*lane.queue_) {
            messages_.fill(Message<payload_bytes>::filled());
        }

        std::uint32_t send(std::uint64_t first, std::uint32_t count) noexcept {
            for (std::uint32_t at = 0; at < count; ++at) {
                messages_[at].words[0] = first + at;
            }
            return count == 1 ? queue_.push(messages_[0])
                              : static_cast<std::uint32_t>(queue_.push(messages_.data(), count));
        }

    private:
        Queue& queue_;
        std::array<Message<payload_bytes>, messages_at_once_max> messages_;
    };

    class Receiver {
    public:
        explicit Receiver(BoostLane& lane) : queue_(*lane.queue_) {}

        void receive(Check<payload_bytes>& check) noexcept {
            const std::size_t count = queue_.pop(messages_.data(), messages_.size());
            std::for_each_n(messages_.begin(), count, std::ref(check));
        }

    private:
        Queue& queue_;
        std::array<Message<payload_bytes>, popped_at_once> messages_;
    };

private:
    SharedMemory memory_{sizeof(Queue)};
    Queue* queue_;
};

// ---- pipe(2) -----------------------------------------------------------------------------------

template <std::uint32_t payload_bytes>
class PipeLane {
public:
    static constexpr const char* name = "pipe";

    PipeLane() { invariant(::pipe(ends_) == 0, "a benchmark needs its pipe"); }
    PipeLane(const PipeLane&) = delete;
    PipeLane& operator=(const PipeLane&) = delete;
    ~PipeLane() {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }

    class Sender {
    public:
        explicit Sender(PipeLane& lane) : fd_(lane.ends_[1]) {
            messages_.fill(Message<payload_bytes>::filled());
        }

        std::uint32_t send(std::uint64_t first, std::uint32_t count) noexcept {
            for (std::uint32_t at = 0; at < count; ++at) {
                messages_[at].words[0] = first + at;
            }
            auto left = std::as_bytes(std::span(messages_.data(), count));
            while (!left.empty()) {  // a blocking pipe: short only when a signal came
                const ssize_t bytes = ::write(fd_, left.data(), left.size());
                left = left.subspan(static_cast<std::size_t>(std::max<ssize_t>(bytes, 0)));
            }
            return count;
        }

    private:
        int fd_;
        std::array<Message<payload_bytes>, messages_at_once_max> messages_;
    };

    class Receiver {
    public:
        explicit Receiver(PipeLane& lane) : fd_(lane.ends_[0]) {}

        void receive(Check<payload_bytes>& check) noexcept {
            auto buffer = std::as_writable_bytes(std::span(messages_));
            const ssize_t bytes = ::read(fd_, buffer.data() + held_, buffer.size() - held_);
            held_ += static_cast<std::size_t>(std::max<ssize_t>(bytes, 0));
            const std::size_t count = held_ / payload_bytes;
            std::for_each_n(messages_.begin(), count, std::ref(check));
            held_ -= count * payload_bytes;  // a write of many may arrive in the middle of one
            std::memmove(buffer.data(), buffer.data() + count * payload_bytes, held_);
        }

    private:
        int fd_;
        std::size_t held_ = 0;
        std::array<Message<payload_bytes>, messages_at_once_max> messages_;
    };

private:
    int ends_[2];
};

}  // namespace ringside::bench
