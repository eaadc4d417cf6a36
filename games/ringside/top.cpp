#include "top.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "top_screen.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/printable.hpp"
#include "ringside/ipc/supervisor.hpp"
#include "ringside/tron_terminal/terminal.hpp"

namespace ringside {
namespace {

constexpr std::int64_t look_every_ns = 1'000'000'000;

int failed(const Error& error) {
    fmt::print(stderr, "ringside: {}\n", printable(error.text()));
    return 1;
}

/// Looks at whatever host has the name now; when none has, the last look stays.
class Looking {
public:
    Looking(HostObserver observer, std::string instance)
        : observer_(std::move(observer)), instance_(std::move(instance)) {}

    TopSample look() {
        if (!observer_.is_current()) {
            auto next = HostObserver::open(HostOptions{}.root, instance_);
            if (!next) {
                last_.gone = true;
                last_.time_ns = monotonic_ns();
                return last_;
            }
            observer_ = std::move(*next);
        }
        last_ = {.time_ns = monotonic_ns(),
                 .instance = instance_,
                 .host = observer_.host(),
                 .games = observer_.games()};
        return last_;
    }

private:
    HostObserver observer_;
    std::string instance_;
    TopSample last_;
};

void run(Looking& looking, tron::Terminal& terminal) {
    TopScreen screen;
    screen.take(looking.look());
    std::int64_t next_ns = monotonic_ns() + look_every_ns;
    for (;;) {
        while (const auto typed = terminal.read_typed()) {
            if (!screen.press(*typed)) {
                return;
            }
        }
        if (monotonic_ns() >= next_ns) {
            screen.take(looking.look());
            next_ns = std::max(next_ns + look_every_ns, monotonic_ns());
        }
        terminal.draw(screen.draw(terminal.size()));
        std::array<pollfd, 2> waited{
            pollfd{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
            pollfd{.fd = terminal.stop_fd(), .events = POLLIN, .revents = 0}};
        const std::int64_t left_ns = std::max<std::int64_t>(0, next_ns - monotonic_ns());
        if (!terminal.wait(waited, static_cast<int>(left_ns / 1'000'000) + 1) ||
            waited[1].revents != 0 || (waited[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) {
            return;
        }
    }
}

}  // namespace

int run_top(const std::string& instance) {
    auto observer = HostObserver::open(HostOptions{}.root, instance);
    if (!observer) {
        return failed(observer.error());
    }
    auto terminal = tron::Terminal::open();
    if (!terminal) {
        return failed(terminal.error());
    }
    Looking looking(std::move(*observer), instance);
    run(looking, **terminal);
    return 0;
}

}  // namespace ringside
