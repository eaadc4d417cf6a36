#include "service_manager.hpp"

#include <cstdint>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "ringside/core/clock.hpp"
#include "ringside/core/printable.hpp"

namespace ringside {
namespace {

constexpr int keep_environment = 0;  // the program that takes this one's place needs it too
constexpr int forget_environment = 1;

// A manager that cannot be reached is as good as none.
void tell(const std::string& state) {
    static_cast<void>(sd_notify(keep_environment, state.c_str()));
}

}  // namespace

Result<std::vector<int>> take_passed_sockets() {
    std::vector<int> sockets;
    const int count = sd_listen_fds(forget_environment);
    if (count < 0) {
        return failure(std::error_code(-count, std::generic_category()),
                       "cannot use the sockets that were passed (LISTEN_FDS)");
    }
    for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count; ++fd) {
        if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0) {
            return failure(std::errc::invalid_argument,
                           fmt::format("descriptor {} that was passed is no listening stream "
                                       "socket; a .socket unit needs ListenStream= and Accept=no",
                                       fd));
        }
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        sockets.push_back(fd);
    }
    return sockets;
}

void tell_ready(const std::string& status) {
    tell(fmt::format("READY=1\nMAINPID={}\nSTATUS={}", getpid(), printable(status)));
}

void tell_reloading() {
    tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=another program takes over",
                     monotonic_ns() / 1000));
}

void tell_stopping() {
    tell("STOPPING=1\nSTATUS=telling the players");
}

std::optional<std::chrono::microseconds> watchdog_period() {
    std::uint64_t period_us = 0;
    return sd_watchdog_enabled(keep_environment, &period_us) > 0 && period_us > 0
               ? std::optional(std::chrono::microseconds(period_us))
               : std::nullopt;
}

void tell_alive() {
    tell("WATCHDOG=1");
}

}  // namespace ringside
