// The front's loop. See front_server.hpp for what each phase does.

#include "ringside/net/front.hpp"

#include <exception>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <sys/mman.h>

#include "front_server.hpp"

#include "ringside/core/log.hpp"

namespace ringside {
namespace {

int run(FrontServer& front) {
    front.start();
    while (!front.finished()) {
        front.sleep();             // the one wait; also submits what the last turn asked for
        front.take_completions();  // client's messages become events, unpublished
        front.take_control();      // opened games give more events
        front.retry();             // what found no room before, now that games have moved on
        front.publish();           // one store a game, before the longer work on snapshots
        front.take_news();         // snapshots become sends, submitted by the next sleep
        front.keep_deadlines();
        front.close_unused();  // last: nothing above refers to a game that has gone
    }
    return front.exit_code();
}

// What is refused costs some microseconds, no more: the front goes on without.
void go_on_without(const char* what, const Error& error) {
    log(LogLevel::warning, fmt::format("front: going on without {}: {}", what, error.text()));
}

Result<RingLoop> make_loop(const FrontOptions& options) {
    if (options.submit_by_thread) {
        auto loop = RingLoop::create(RingLoop::Submission::by_thread);
        if (loop) {
            return loop;
        }
        go_on_without("--sqpoll", loop.error());
    }
    return RingLoop::create();
}

void prepare(RingLoop& loop, const FrontOptions& options) {
    if (options.card_poll.count() > 0) {
        if (auto polls = loop.busy_poll_cards(options.card_poll); !polls) {
            go_on_without("--napi-busy-poll", polls.error());
        }
    }
    if (options.lock_memory && mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        go_on_without("--mlock", errno_failure("the system does not lock memory").error());
    }
}

int complain(const Error& error) {
    log(LogLevel::error, error.text());
    return 1;
}

}  // namespace

int run_front(FrontLink link, const std::vector<int>& listening_fds, const FrontOptions& options) {
    try {
        const auto features = check_kernel();
        if (!features) {
            return complain(features.error());
        }
        auto loop = make_loop(options);
        if (!loop) {
            return complain(loop.error());
        }
        prepare(*loop, options);
        // An eventfd was made only where the doorbell's futex cannot be waited on.
        const bool futexes = options.uring_futex && features->futexes && link.wake_fd() < 0;
        if (!futexes && link.wake_fd() < 0) {
            return complain({std::make_error_code(std::errc::not_supported),
                             "front: no eventfd, and io_uring cannot wait on futexes here"});
        }
        std::optional<NetworkSimulator> network;
        if (options.network.any()) {
            auto started = NetworkSimulator::start(options.network);
            if (!started) {
                return complain(started.error());
            }
            network.emplace(std::move(*started));
        }
        FrontServer front(std::move(*loop), std::move(link), listening_fds, options, futexes,
                          std::move(network));
        return run(front);
    } catch (const std::exception& exception) {  // no memory: the supervisor starts another front
        log(LogLevel::error, fmt::format("front: {}", exception.what()));
        return 1;
    }
}

}  // namespace ringside
