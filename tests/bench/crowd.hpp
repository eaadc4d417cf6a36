#pragma once
// Crowd: a process with thousands of connections that does nothing but read them and count frames.

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "bare_processes.hpp"
#include "pinned_roles.hpp"

#include "ringside/core/result.hpp"
#include "ringside/net/endpoint.hpp"

namespace ringside::bench {

class Crowd {
public:
    struct Options {
        Endpoint endpoint;
        std::uint32_t connections = 0;
        std::vector<std::byte> greeting;  // sent once by each
    };

    /// Returns when all are connected and have sent their greeting.
    [[nodiscard]] static Result<std::unique_ptr<Crowd>> start(const Options& options);

    /// Size-prefixed frames that came so far, of each connection.
    [[nodiscard]] std::vector<std::uint32_t> frames() const;

    /// Waits until all have got `more` each on top of `before`; an Error names one that has not, or
    /// got something else besides.
    [[nodiscard]] Result<void> wait_for_each(const std::vector<std::uint32_t>& before,
                                             std::uint32_t more, std::int64_t timeout_ns) const;

private:
    struct Counters {
        std::atomic<std::uint32_t> connected;
        std::atomic<std::uint32_t> failed;
        std::atomic<std::uint64_t> frames;  // of all
    };
    using FramesOf = std::atomic<std::uint32_t>;  // of one connection

    explicit Crowd(std::uint32_t connections);
    void be_crowd(const Options& options);

    SharedMemory memory_;  // shared with the process: Counters, and a FramesOf each
    Counters& counters_;
    std::span<FramesOf> frames_of_;
    BareProcesses process_;  // ends before the memory does
};

}  // namespace ringside::bench
