#include "bot_process.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

namespace ringside {
namespace {

constexpr std::uint64_t own_descriptors = 32;  // standard streams, epoll and the libraries'

volatile std::sig_atomic_t stop_signal = 0;

}  // namespace

StopSignals::StopSignals() {
    stop_signal = 0;
    struct sigaction action{};
    action.sa_handler = [](int signal) { stop_signal = signal; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);  // and no SA_RESTART: epoll_wait returns
    sigaction(SIGINT, &action, &interrupt_before_);
    sigaction(SIGTERM, &action, &terminate_before_);
}

StopSignals::~StopSignals() {
    sigaction(SIGINT, &interrupt_before_, nullptr);
    sigaction(SIGTERM, &terminate_before_, nullptr);
}

bool stop_asked() noexcept {
    return stop_signal != 0;
}

Result<void> allow_connections(std::uint64_t connections) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (connections + own_descriptors <= limit.rlim_cur) {
        return {};
    }
    return failure(std::errc::too_many_files_open,
                   fmt::format("{} bots need as many open files, and {} are allowed; raise 'ulimit "
                               "-Hn' or lower --games",
                               connections, limit.rlim_cur));
}

}  // namespace ringside
