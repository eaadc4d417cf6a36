// The front's loop. See front_server.hpp for what each phase does.

#include "ringside/net/front.hpp"

#include <exception>
#include <optional>
#include <utility>

#include <fmt/format.h>

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
        auto loop = RingLoop::create();
        if (!loop) {
            return complain(loop.error());
        }
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
