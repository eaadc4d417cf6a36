#include "nursery.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
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

#include "ringside/core/log.hpp"

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

// Standard error stays, for the one line of a violated invariant, and so do the eventfds that wake
// fronts; of a nursery its socket too.
void close_all_but(const WakeFds& wake_fds, int socket = -1) {
    std::array<int, front_slots_max + 2> kept{STDERR_FILENO, socket};
    std::ranges::copy(wake_fds, kept.begin() + 2);
    std::ranges::sort(kept);
    unsigned next = 0;
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
}

// Whether this process is the only one for its segment: its nursery may have died after an earlier
// fork that nobody has heard of.
bool take_ownership(GameSegment& segment) {
    std::int32_t nobody = 0;
    return segment.layout().header.owner_pid.compare_exchange_strong(
        nobody, getpid(), std::memory_order_relaxed);  // OWNER: carries nothing else
}

int complain(const Error& error) {
    log(LogLevel::error, "game not started: " + error.text());
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
        run_on_cpus(std::array{segment->plan().cpu});
    }
    if (nursery.runs_first && segment->plan().realtime == 0) {
        run_in_turn();
    }
    if (!die_with(nursery.supervisor_pid)) {
        return exit_code_orphaned;
    }
    close_all_but(nursery.wake_fds);
    if (!take_ownership(*segment)) {
        return exit_code_superseded;
    }
    if (auto entered = sandbox.enter_in_game(); !entered) {
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
    close_all_but(options.wake_fds, options.socket);
    prctl(PR_SET_TIMERSLACK, 1);  // games inherit it: the default of 50 µs makes every tick late
    if (options.runs_first) {
        run_first();  // what a game that is nobody any more could not ask for
    }
    const auto sandbox = Sandbox::enter_in_nursery();
    if (!sandbox) {
        log(LogLevel::error, "nursery: " + sandbox.error().text());
        return exit_code_failed;
    }
    if (!die_with(options.supervisor_pid)) {
        return exit_code_orphaned;
    }
    take_heap_holes();
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
