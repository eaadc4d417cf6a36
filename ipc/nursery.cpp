#include "nursery.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include <linux/sched.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "control.hpp"
#include "process.hpp"
#include "sandbox.hpp"

namespace ringside {
namespace {

constexpr unsigned send_again_us = 1'000;

// glibc's fork cannot pass CLONE_PARENT. Nothing is lost by going around it: this process has one
// thread, so no lock can be held across the fork.
pid_t fork_sibling() noexcept {
    return static_cast<pid_t>(
        syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}

// What the host's start left free lies scattered over its heap. A game that allocated there would
// copy a page for each piece; with the holes taken, its pieces lie together on fresh pages.
void take_heap_holes() {
    const auto hole_bytes = [] {
        const auto info = mallinfo2();
        return info.fordblks - info.keepcost;  // free, but for the end of the heap
    };
    for (std::size_t bytes = 64 * 1024; bytes >= 16; bytes /= 2) {
        for (std::size_t before = hole_bytes(); before >= bytes; before = hole_bytes()) {
            if (std::malloc(bytes) == nullptr || hole_bytes() >= before) {
                break;  // no hole is this large: it came from the end
            }
        }
    }
}

// A game keeps standard error, for the one line of a violated invariant, and the eventfds.
void close_all_but(const WakeFds& wake_fds) {
    WakeFds kept = wake_fds;
    std::ranges::sort(kept);
    unsigned next = STDERR_FILENO + 1;
    for (const int fd : kept) {
        if (fd < 0) {
            continue;
        }
        const auto keep = static_cast<unsigned>(fd);
        if (keep > next) {
            close_range(next, keep - 1, 0);
        }
        next = keep + 1;
    }
    close_range(next, ~0u, 0);
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
}

// Whether this process is the only one for its segment: its nursery may have died after an earlier
// fork that nobody has heard of.
bool take_ownership(GameSegment& segment) {
    std::int32_t nobody = 0;
    return segment.layout().header.owner_pid.compare_exchange_strong(
        nobody, getpid(), std::memory_order_relaxed);  // OWNER: carries nothing else
}

int complain(const Error& error) {
    std::fprintf(stderr, "ringside: game not started: %s\n", error.text().c_str());
    return exit_code_failed;
}

// The game's own code runs last, when nothing is left to be taken away.
int run_game(NurseryOptions& nursery, const Sandbox& sandbox, int segment_fd) {
    auto segment = GameSegment::open(segment_fd);
    if (!segment) {
        return complain(segment.error());
    }
    name_process(game_process_name(segment->plan()));
    flight_recorder = FlightRecorder(segment->flight(), flight_records_of_game);
    if (segment->plan().cpu >= 0) {
        run_on_cpu(segment->plan().cpu);
    }
    if (segment->plan().realtime != 0) {
        run_first();
    }
    if (auto given_up = sandbox.give_up_files_and_root(); !given_up) {
        return complain(given_up.error());
    }
    if (!die_with(nursery.supervisor_pid)) {
        return exit_code_orphaned;
    }
    close_all_but(nursery.wake_fds);
    if (!take_ownership(*segment)) {
        return exit_code_superseded;
    }
    if (auto entered = sandbox.enter(); !entered) {
        return complain(entered.error());
    }
    auto loop = GameLoop::start(std::move(*segment), std::move(nursery.doorbells), nursery.type,
                                nursery.wake_fds);
    if (!loop) {
        return complain(loop.error());
    }
    loop->run();
    return exit_code_ended;
}

}  // namespace

int run_nursery(NurseryOptions options) {
    const auto sandbox = Sandbox::prepare();
    if (!sandbox) {
        std::fprintf(stderr, "ringside: nursery: %s\n", sandbox.error().text().c_str());
        return 1;
    }
    take_heap_holes();
    prctl(PR_SET_TIMERSLACK, 1);  // games inherit it: the default of 50 µs makes every tick late
    ControlPacket packet;
    int segment_fd = -1;
    for (;;) {
        switch (receive_packet(options.socket, packet, &segment_fd)) {
            case Received::gone: return 0;
            case Received::nothing: continue;  // the socket blocks: only after a signal
            case Received::packet: break;
        }
        const pid_t pid = fork_sibling();
        if (pid == 0) {
            return run_game(options, *sandbox, segment_fd);
        }
        packet.kind = ControlKind::forked;
        packet.reason = pid < 0 ? static_cast<std::uint32_t>(errno) : 0;
        packet.pid = pid;
        close(segment_fd);
        Sent sent = Sent::full;
        while ((sent = send_packet(options.socket, packet)) == Sent::full) {
            usleep(send_again_us);  // the socket blocks, so the kernel is short of memory
        }
        if (sent == Sent::gone) {
            return 0;
        }
    }
}

}  // namespace ringside
