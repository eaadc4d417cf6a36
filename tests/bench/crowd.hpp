#pragma once
// Crowd: a process with thousands of connections that does nothing but read them and count frames.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "bare_processes.hpp"

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
    [[nodiscard]] static Result<Crowd> start(const Options& options);
    Crowd(Crowd&&) = default;
    Crowd& operator=(Crowd&&) = delete;
    ~Crowd();

    /// Size-prefixed frames that came, of all connections.
    [[nodiscard]] std::uint64_t frames() const noexcept;

    /// Whether `frames` have come within the time.
    [[nodiscard]] bool wait_for_frames(std::uint64_t frames, std::int64_t timeout_ns) const;

private:
    struct Counters {
        std::atomic<std::uint32_t> connected;
        std::atomic<std::uint32_t> failed;
        std::atomic<std::uint64_t> frames;
    };

    Crowd() = default;
    static void be_crowd(const Options& options, Counters& counters);

    Counters* counters_ = nullptr;  // shared with the process
    std::unique_ptr<BareProcesses> process_ = std::make_unique<BareProcesses>();
};

}  // namespace ringside::bench
