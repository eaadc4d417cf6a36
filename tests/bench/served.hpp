#pragma once
// Served: the real program, serving on a free port of loopback, for the time of a benchmark.

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

#include "ringside/core/result.hpp"
#include "ringside/net/endpoint.hpp"

namespace ringside::bench {

class Served {
public:
    /// Returns when it listens. `flags` come behind `serve`.
    [[nodiscard]] static Result<Served> start(const std::vector<std::string>& flags = {});
    Served(Served&& other) noexcept;
    Served& operator=(Served&&) = delete;
    /// Stops it and waits.
    ~Served();

    [[nodiscard]] const Endpoint& endpoint() const noexcept { return endpoint_; }
    [[nodiscard]] const std::string& instance() const noexcept { return instance_; }
    [[nodiscard]] pid_t supervisor_pid() const noexcept { return pid_; }
    [[nodiscard]] const std::vector<pid_t>& front_pids() const noexcept { return front_pids_; }

private:
    Served(pid_t pid, std::string instance) noexcept : pid_(pid), instance_(std::move(instance)) {}

    pid_t pid_;
    std::string instance_;
    Endpoint endpoint_;
    std::vector<pid_t> front_pids_;
};

/// Lets this process and those it starts have as many descriptors as the system allows.
void allow_descriptors() noexcept;

}  // namespace ringside::bench
