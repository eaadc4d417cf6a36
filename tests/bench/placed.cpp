#include "placed.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

namespace ringside::bench {
namespace {

bool set_policy(int policy) noexcept {
    const sched_param least{.sched_priority = sched_get_priority_min(policy)};
    return sched_setscheduler(0, policy, &least) == 0;
}

}  // namespace

Result<void> go_to(Place place) {
    if (place.cpu >= 0) {
        cpu_set_t cpus;
        CPU_ZERO(&cpus);
        CPU_SET(static_cast<std::size_t>(place.cpu), &cpus);
        if (sched_setaffinity(0, sizeof(cpus), &cpus) != 0) {
            return errno_failure(fmt::format("cannot run on CPU {}", place.cpu));
        }
    }
    if (place.realtime && !set_policy(SCHED_FIFO)) {
        return errno_failure("cannot run before all others (SCHED_FIFO)");
    }
    return {};
}

bool may_be_realtime() noexcept {
    if (!set_policy(SCHED_FIFO)) {
        return false;
    }
    return set_policy(SCHED_OTHER);
}

PlacedProcess::~PlacedProcess() {
    if (result_fd_ >= 0) {
        close(result_fd_);
    }
}

Result<void> PlacedProcess::start_writing(Place place,
                                          const std::function<Result<void>(int)>& body) {
    std::array<int, 2> result{};
    if (pipe(result.data()) != 0) {
        return errno_failure("cannot make a pipe");
    }
    auto forked = process_.fork_one([&] {
        close(result[0]);
        auto done = go_to(place);
        if (done) {
            done = body(result[1]);
        }
        if (!done) {
            std::fprintf(stderr, "ringside-bench: %s\n", done.error().text().c_str());
        }
    });
    close(result[1]);
    result_fd_ = result[0];
    return forked;
}

Result<void> PlacedProcess::write_all(int fd, const void* from, std::size_t bytes) {
    const char* at = static_cast<const char*>(from);
    while (bytes > 0) {
        const ssize_t written = write(fd, at, bytes);
        if (written < 0 && errno != EINTR) {
            return errno_failure("cannot tell what came of it");
        }
        at += std::max<ssize_t>(written, 0);
        bytes -= static_cast<std::size_t>(std::max<ssize_t>(written, 0));
    }
    return {};
}

Result<void> PlacedProcess::read_all(void* into, std::size_t bytes) {
    char* at = static_cast<char*>(into);
    while (bytes > 0) {
        const ssize_t got = read(result_fd_, at, bytes);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return failure(std::errc::connection_aborted, "the load ended without a result");
        }
        at += std::max<ssize_t>(got, 0);
        bytes -= static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    }
    return {};
}

}  // namespace ringside::bench
