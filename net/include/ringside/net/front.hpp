#pragma once
// The front: all client connections of one process, on one io_uring. It knows the wire protocol and
// no game's rules: inputs and views pass through it unread.
//
// It runs in a process of its own, forked by the supervisor, until the host stops or the supervisor
// goes.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "ringside/core/result.hpp"
#include "ringside/ipc/front_link.hpp"
#include "ringside/net/network_conditions.hpp"
#include "ringside/net/peer_address.hpp"
#include "ringside/net/web_asset.hpp"

namespace ringside {

struct FrontOptions {
    std::chrono::milliseconds handshake_timeout{5'000};  // connect → Hello; then Error 4004
    std::chrono::milliseconds stall_timeout{10'000};  // a send in flight this long: closed (4005)
    std::chrono::milliseconds resume_grace{0};        // as in HostOptions; what clients are told
    std::chrono::milliseconds stop_grace{500};        // for the last sends when the host stops
    std::chrono::milliseconds idle_timeout{300'000};  // in no game and silent: closed (4010)
    std::uint32_t connections_max = 18'000;           // of this front; beyond: Error 4007
    // Of one address, at this front and of the host's games; an IPv6 address is its /64. 0: any.
    std::uint32_t connections_per_address_max = 0;
    bool limit_own_address = false;               // this machine's too
    std::uint32_t messages_per_second_max = 200;  // of one connection, burst of one second
    std::uint32_t trace_every = 0;  // of which inputs clients tell when they saw them; 0: of none
    bool uring_futex = true;  // wait on and wake futexes by io_uring where it can; else an eventfd
    bool busy_poll = false;   // never sleep
    std::chrono::microseconds spin{0};       // look on for so long after the last work, then sleep
    bool submit_by_thread = false;           // of the kernel's (SQPOLL): fewer calls, a CPU more
    std::chrono::microseconds card_poll{0};  // the kernel polls network cards for so long; 0: not
    bool lock_memory = false;  // what it has mapped stays in memory; only where nothing limits that
    std::uint32_t fronts = 1;  // that accept from the same sockets
    WebAssets web_assets;      // what browsers are served; none: built without a web client
    /// Where NAME.replay is the last recorded match of the game NAME; empty: none are served.
    std::string replays_folder;
    /// Of pages that may connect and read as our own do, "https://example.org"; "*": any.
    std::vector<std::string> allowed_origins;
    /// Whose X-Forwarded-For is believed, so that limits per address count a proxy's clients.
    std::vector<AddressRange> trusted_proxies;
    NetworkConditions network;  // simulated between it and its clients
};

/// What this kernel's io_uring offers a front.
struct KernelFeatures {
    bool futexes = false;  // Linux 6.7: waits on and wakes them; the doorbell needs no eventfd
};

/// Probes io_uring. The Error names what is missing and the Linux version or setting that has it.
[[nodiscard]] Result<KernelFeatures> check_kernel();

/// Serves clients of the inherited listening sockets; returns the process's exit code.
[[nodiscard]] int run_front(FrontLink link, const std::vector<int>& listening_fds,
                            const FrontOptions& options);

}  // namespace ringside
