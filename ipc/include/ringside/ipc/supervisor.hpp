#pragma once
// The supervisor: owns an instance, makes and ends games, notices deaths and restores. It reads no
// player's data.
//
// run_host() is the supervisor's whole life; fronts and nurseries are forked from it and die with
// it, games are forked by nurseries and die with it too. One thread, one epoll.

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "ringside/core/game.hpp"
#include "ringside/core/limits.hpp"
#include "ringside/core/result.hpp"
#include "ringside/ipc/front_link.hpp"
#include "ringside/ipc/game_segment.hpp"

namespace ringside {

/// Another program that can go on with a host's games in the place of this one: see run_host().
struct Successor {
    /// Whether it would; the Error says why not. Called while the host serves, so it should not
    /// take long. Empty: there is no successor.
    std::function<Result<void>()> check;

    /// Replaces this program. Of the host nothing is left but its instance, held by this lock, and
    /// the games in it. Returns only if it failed: then the host goes on as before.
    std::function<void(int lock_fd)> replace;
};

/// A further process of a host, which only looks on. One that dies is started again.
struct Companion {
    std::string name;  // what ps shows
    /// Called in it; returns the exit code. It ends when `stop_fd` does: when the host stops, or
    /// has died.
    std::function<int(int stop_fd)> run;
};

struct HostOptions {
    std::string root = "/dev/shm";     // where the instance's directory is made
    std::string instance = "default";  // one host's name; a second host of the name is refused
    std::uint32_t games_max = games_max_default;  // [1, games_max_limit]; 168 bytes + 16 bits each
    std::uint32_t games_per_creator_max = 0;      // of OpenRequest::creator; 0: any
    std::uint32_t fronts = 1;                     // [0, front_slots_max] processes to fork
    std::chrono::nanoseconds idle_timeout = std::chrono::seconds(180);  // of a game; 0: never
    std::chrono::nanoseconds resume_grace{};  // who loses the connection keeps the seat so long
    Pacing pacing = Pacing::realtime;
    bool wake_by_eventfd = false;  // for kernels whose io_uring cannot wait on a futex
    std::vector<int> front_cpus;   // front i runs on CPU front_cpus[i % size]; empty: on any
    std::vector<int> game_cpus;    // that games run on, any of them; empty: on any
    std::vector<int> spin_cpus;    // each is given to one reactive game, which never sleeps
    bool realtime = false;         // fronts and reactive games run before everything else
    bool fresh = false;            // ends the games that a host of this name has left
    std::uint32_t restores_per_second = restores_per_second_default;  // of crashed games; 0: any
    bool log_restores = true;
    /// Where the flight recorders are dumped when a process crashes or hangs; empty: nowhere.
    std::string flight_folder;
    std::chrono::nanoseconds flight_late{};  // and when a tick comes so late; 0: not then
    Successor successor;
    std::vector<Companion> companions;
    /// Called when the supervisor's loop has turned and every front has answered a packet through
    /// its own loop: about once in this period, and not while one of them does not.
    std::function<void()> on_alive;
    std::chrono::nanoseconds alive_period = std::chrono::seconds(1);
    std::function<void()> on_stopping;  // called once, when the host begins to stop
    int lock_fd = -1;            // of the instance, from the program that this one has replaced
    int external_front_fd = -1;  // LocalHost's end of a control socket; the host ends with it
};

/// Whether HostOptions::realtime would have its effect here: it needs CAP_SYS_NICE.
[[nodiscard]] bool may_run_first() noexcept;

/// In a forked front: serves until told to stop; returns the exit code.
using FrontMain = std::function<int(FrontLink)>;

/// Hosts until SIGTERM, SIGINT or SIGHUP, then stops everything and removes the instance. A second
/// signal stops at once. `on_ready` is called when every front serves. Requires at least one type;
/// the first is the default. The value is the exit code.
///
/// SIGUSR2, and an operator's upgrade, have its successor take its place: if the check is passed,
/// all processes but this one are killed, as if they had crashed, and replace() is called.
///
/// A host that dies otherwise, or cannot go on, leaves its games in the instance's directory, and
/// the next one of that name restores them. An Error leaves them there as well, and nothing else.
[[nodiscard]] Result<int> run_host(const HostOptions& options,
                                   std::span<const GameType* const> types,
                                   const FrontMain& front_main,
                                   const std::function<void()>& on_ready);

/// Whether run_host() could go on with the games in an instance, whose host may be running; how
/// many there are. Changes nothing.
[[nodiscard]] Result<std::size_t> check_instance(const HostOptions& options,
                                                 std::span<const GameType* const> types);

}  // namespace ringside
