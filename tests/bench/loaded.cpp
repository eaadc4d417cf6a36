#include "loaded.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <type_traits>

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include "served.hpp"

namespace ringside::bench {

static_assert(std::is_trivially_copyable_v<load::Outcome>, "an outcome goes through a pipe");

Loaded::~Loaded() {
    for (const int fd : result_fds_) {
        close(fd);
    }
}

Result<void> Loaded::start(const load::Options& options, Place place) {
    std::array<int, 2> result{};
    if (pipe(result.data()) != 0) {
        return errno_failure("cannot make a pipe");
    }
    auto forked = processes_.fork_one([&] {
        close(result[0]);
        if (place.cpu >= 0) {
            cpu_set_t cpus;
            CPU_ZERO(&cpus);
            CPU_SET(static_cast<std::size_t>(place.cpu), &cpus);
            sched_setaffinity(0, sizeof(cpus), &cpus);
        }
        if (place.realtime) {
            const sched_param least{.sched_priority = sched_get_priority_min(SCHED_FIFO)};
            sched_setscheduler(0, SCHED_FIFO, &least);
        }
        allow_descriptors();
        const auto outcome = load::run_load(options);
        if (!outcome) {
            std::fprintf(stderr, "ringside-bench: load: %s\n", outcome.error().text().c_str());
            return;
        }
        (void)!write(result[1], &*outcome, sizeof(*outcome));
    });
    close(result[1]);
    result_fds_.push_back(result[0]);
    return forked;
}

Result<load::Outcome> Loaded::outcome() {
    load::Outcome outcome;
    ssize_t bytes = 0;
    do {
        bytes = read(result_fds_.back(), &outcome, sizeof(outcome));
    } while (bytes < 0 && errno == EINTR);
    if (bytes != static_cast<ssize_t>(sizeof(outcome))) {
        return failure(std::errc::connection_aborted, "the load ended without a result");
    }
    return outcome;
}

Result<load::Outcome> run_loaded(const load::Options& options, Loaded::Place place) {
    Loaded loaded;
    if (auto started = loaded.start(options, place); !started) {
        return std::unexpected(std::move(started.error()));
    }
    auto outcome = loaded.outcome();
    if (outcome && (outcome->lost != 0 || outcome->doubled != 0 || outcome->failed != 0)) {
        return failure(
            std::errc::protocol_error,
            fmt::format("{} of {} sessions failed, {} inputs lost, {} doubled", outcome->failed,
                        outcome->sessions, outcome->lost, outcome->doubled));
    }
    return outcome;
}

}  // namespace ringside::bench
