#pragma once
// Placed: a forked process that runs somewhere in particular, and what came of it. What is compared
// has to run in the same place: a client that goes first is not beside one that waits its turn.

#include <functional>
#include <type_traits>

#include "bare_processes.hpp"

#include "ringside/core/result.hpp"

namespace ringside::bench {

/// Where a process runs. What measures a full machine has to run before what fills it.
struct Place {
    int cpu = -1;  // -1: any
    bool realtime = false;
};

/// Takes this process there; an Error says what the system did not allow.
[[nodiscard]] Result<void> go_to(Place place);

/// Whether a process of this user may run before all others.
[[nodiscard]] bool may_be_realtime() noexcept;

/// One process that writes its result into a pipe; it ends with this object.
class PlacedProcess {
public:
    PlacedProcess() = default;
    PlacedProcess(const PlacedProcess&) = delete;
    PlacedProcess& operator=(const PlacedProcess&) = delete;
    ~PlacedProcess();

    /// `body` returns what it came to, trivially copyable. Once only.
    template <class Outcome>
    [[nodiscard]] Result<void> start(Place place, const std::function<Result<Outcome>()>& body) {
        static_assert(std::is_trivially_copyable_v<Outcome>, "an outcome goes through a pipe");
        return start_writing(place, [&body](int fd) -> Result<void> {
            const Result<Outcome> outcome = body();
            return outcome ? write_all(fd, &*outcome, sizeof(Outcome))
                           : Result<void>(std::unexpected(outcome.error()));
        });
    }

    /// Waits. An Error has been explained on stderr, by the process.
    template <class Outcome>
    [[nodiscard]] Result<Outcome> outcome() {
        Outcome outcome;
        auto read = read_all(&outcome, sizeof(Outcome));
        return read ? Result<Outcome>(outcome) : std::unexpected(std::move(read.error()));
    }

    /// Requires a start.
    [[nodiscard]] pid_t pid() const noexcept { return process_.pids().front(); }

private:
    Result<void> start_writing(Place place, const std::function<Result<void>(int)>& body);
    static Result<void> write_all(int fd, const void* from, std::size_t bytes);
    Result<void> read_all(void* into, std::size_t bytes);

    BareProcesses process_;
    int result_fd_ = -1;
};

}  // namespace ringside::bench
