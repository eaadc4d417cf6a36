#pragma once
// What a process of many bots needs from the system: open files, and an orderly end on a signal.

#include <csignal>
#include <cstdint>

#include "ringside/core/result.hpp"

namespace ringside {

/// While it lives, SIGINT or SIGTERM asks for an end with a summary; a second one ends at once.
class StopSignals {
public:
    StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;
    ~StopSignals();

private:
    struct sigaction interrupt_before_{};
    struct sigaction terminate_before_{};
};

[[nodiscard]] bool stop_asked() noexcept;

/// Raises the limit of open files as far as it goes; an Error when that is not enough.
[[nodiscard]] Result<void> allow_connections(std::uint64_t connections);

}  // namespace ringside
