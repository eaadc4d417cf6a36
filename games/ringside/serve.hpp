#pragma once
// serve: a host with a network, in this process.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "match_keeper.hpp"

#include "ringside/core/limits.hpp"
#include "ringside/core/log.hpp"
#include "ringside/net/endpoint.hpp"
#include "ringside/net/network_conditions.hpp"
#include "ringside/net/peer_address.hpp"

namespace ringside {

struct ServeOptions {
    std::vector<Endpoint> listen;      // empty: every address, port_default
    std::string instance = "default";  // a second host of the name is refused
    std::uint32_t games_max = games_max_default;
    std::uint32_t fronts = 1;
    std::uint32_t messages_per_second = 200;      // of one client
    std::uint32_t connections_per_address = 256;  // at one front; 0: any
    std::uint32_t games_per_address = 64;         // 0: any
    bool limit_own_address = false;               // these count this machine's own clients too
    bool fill_with_bots = false;                  // free seats, when players have waited for 10 s
    std::chrono::seconds session_timeout{300};    // who is in no game and silent is closed
    std::chrono::seconds idle_timeout{180};       // of a game nobody touches
    std::chrono::seconds resume_grace{10};        // a lost connection keeps its seat
    std::uint32_t restores_per_second = restores_per_second_default;  // of crashed games; 0: any
    std::vector<std::string> allowed_origins;   // of pages that may use this host; "*": any
    std::vector<AddressRange> trusted_proxies;  // whose X-Forwarded-For is believed
    NetworkConditions network;                  // simulated, between fronts and clients
    bool uring_futex = true;                    // false: no futexes in io_uring
    bool busy_poll = false;                     // fronts never sleep
    std::chrono::microseconds spin{0};          // fronts look on for so long before they sleep
    bool sqpoll = false;                        // a thread of the kernel's takes fronts' requests
    bool napi_busy_poll = false;                // the kernel polls network cards for fronts
    bool mlock = false;                         // fronts stay in memory
    bool fresh = false;                         // ends what a host that died has left
    bool realtime = false;                      // fronts and reactive games run before all else
    std::vector<int> front_cpus;                // that fronts run on; empty: any
    std::vector<int> game_cpus;                 // that games run on; empty: any
    std::vector<int> spin_cpus;                 // each for one reactive game, which never sleeps
    std::optional<Endpoint> metrics;            // where /metrics is served; none: nowhere
    KeepOptions record;                         // every match; an empty folder: none
    std::uint32_t trace_every = 16;             // inputs of a client, for `ringside trace`; 0: none
    std::string flight_dir;                     // of dumps of the flight recorders; empty: none
    std::chrono::milliseconds flight_late{};    // of a tick that is dumped; 0: none
    bool check = false;  // only say whether it could go on with the instance's games
    std::vector<std::string> arguments;  // of the program, to run its successor with; may be empty
    LogLevel log_level = LogLevel::notice;  // what is less urgent is left out
    bool quiet = false;                     // no line on standard output when it listens
    int ready_fd = -1;  // ≥ 0: one byte is written to it when the host serves, then it is closed
};

/// What a friend types to play on the host that listens here: "ringside play -A 10.0.0.5".
[[nodiscard]] std::string join_command(Endpoint endpoint);

/// Hosts until a signal; returns the program's exit code. Errors go to standard error.
[[nodiscard]] int run_serve(const ServeOptions& options);

}  // namespace ringside
