#include "crowd.hpp"

#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <numeric>
#include <utility>

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "served.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/net/frame.hpp"

namespace ringside::bench {
namespace {

constexpr std::int64_t connect_timeout_ns = 30'000'000'000;
constexpr int look_period_us = 100;

/// Counts frames in a stream without looking at them.
struct FrameCounter {
    std::array<std::byte, frame_prefix_bytes> prefix{};
    std::uint32_t prefix_bytes = 0;  // of the next frame's length, received
    std::uint32_t left_bytes = 0;    // of the present frame

    std::uint32_t take(Bytes bytes) noexcept {
        std::uint32_t frames = 0;
        while (!bytes.empty()) {
            if (left_bytes == 0) {
                prefix[prefix_bytes++] = bytes.front();
                bytes = bytes.subspan(1);
                if (prefix_bytes == prefix.size()) {
                    std::memcpy(&left_bytes, prefix.data(), prefix.size());
                    prefix_bytes = 0;
                }
                continue;
            }
            const std::size_t taken = std::min<std::size_t>(left_bytes, bytes.size());
            bytes = bytes.subspan(taken);
            left_bytes -= static_cast<std::uint32_t>(taken);
            frames += left_bytes == 0 ? 1u : 0u;
        }
        return frames;
    }
};

}  // namespace

Crowd::Crowd(std::uint32_t connections)
    : memory_(sizeof(Counters) + connections * sizeof(FramesOf)),
      counters_(*new(memory_.bytes().data()) Counters{}),
      frames_of_(reinterpret_cast<FramesOf*>(memory_.bytes().data() + sizeof(Counters)),
                 connections) {
    std::uninitialized_value_construct(frames_of_.begin(), frames_of_.end());
}

void Crowd::be_crowd(const Options& options) {
    allow_descriptors();
    const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    std::vector<FrameCounter> streams(options.connections);
    std::vector<int> fds;
    std::array<epoll_event, 512> events{};
    std::array<std::byte, 65536> chunk;
    const auto drain = [&](int timeout_ms) {
        const int count = epoll_wait(epoll_fd, events.data(), events.size(), timeout_ms);
        for (int i = 0; i < count; ++i) {
            const std::size_t index = events[static_cast<std::size_t>(i)].data.u64;
            const ssize_t got = recv(fds[index], chunk.data(), chunk.size(), MSG_DONTWAIT);
            if (got == 0) {
                epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fds[index], nullptr);
            }
            if (got > 0) {
                const auto size = static_cast<std::size_t>(got);
                const std::uint32_t frames = streams[index].take(Bytes(chunk).first(size));
                frames_of_[index].fetch_add(frames, std::memory_order_relaxed);
                counters_.frames.fetch_add(frames, std::memory_order_release);
            }
        }
    };
    for (std::uint32_t index = 0; index < options.connections; ++index) {
        const auto fd = connect_to(options.endpoint, std::chrono::seconds(10));
        if (!fd) {
            counters_.failed.fetch_add(1, std::memory_order_relaxed);
            return;
        }
        fds.push_back(*fd);
        epoll_event event{.events = EPOLLIN, .data = {.u64 = index}};
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, *fd, &event);
        (void)send(*fd, options.greeting.data(), options.greeting.size(), MSG_NOSIGNAL);
        counters_.connected.fetch_add(1, std::memory_order_relaxed);
        drain(0);
    }
    for (;;) {
        drain(-1);
    }
}

Result<std::unique_ptr<Crowd>> Crowd::start(const Options& options) {
    std::unique_ptr<Crowd> crowd(new Crowd(options.connections));
    if (auto forked = crowd->process_.fork_one([&] { crowd->be_crowd(options); }); !forked) {
        return std::unexpected(std::move(forked.error()));
    }
    const Counters& counters = crowd->counters_;
    const std::int64_t deadline_ns = monotonic_ns() + connect_timeout_ns;
    while (counters.connected.load(std::memory_order_relaxed) < options.connections) {
        if (counters.failed.load(std::memory_order_relaxed) != 0 || monotonic_ns() > deadline_ns) {
            return failure(std::errc::connection_refused,
                           fmt::format("only {} of {} connections were made",
                                       counters.connected.load(std::memory_order_relaxed),
                                       options.connections));
        }
        usleep(look_period_us);
    }
    return crowd;
}

std::vector<std::uint32_t> Crowd::frames() const {
    std::vector<std::uint32_t> frames;
    for (const FramesOf& of_one : frames_of_) {
        frames.push_back(of_one.load(std::memory_order_relaxed));
    }
    return frames;
}

Result<void> Crowd::wait_for_each(const std::vector<std::uint32_t>& before, std::uint32_t more,
                                  std::int64_t timeout_ns) const {
    const std::uint64_t wanted =
        std::accumulate(before.begin(), before.end(), before.size() * std::uint64_t{more});
    const std::int64_t deadline_ns = monotonic_ns() + timeout_ns;
    while (counters_.frames.load(std::memory_order_acquire) < wanted &&
           monotonic_ns() < deadline_ns) {
        usleep(look_period_us);
    }
    const std::vector<std::uint32_t> now = frames();
    for (std::size_t index = 0; index < now.size(); ++index) {
        if (now[index] - before[index] != more) {
            return failure(std::errc::timed_out,
                           fmt::format("connection {} of {} was sent {} messages instead of {}",
                                       index, now.size(), now[index] - before[index], more));
        }
    }
    return {};
}

}  // namespace ringside::bench
