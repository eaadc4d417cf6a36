#pragma once
// Load: thousands of sessions on one io_uring, playing at a fixed rate.
//
// Open loop: each input has an intended time, spread evenly over the sessions, and its latency is
// counted from there, whether or not it could be sent then: a host that stalls is not asked less
// meanwhile (Gil Tene's coordinated omission). Closed loop: each session sends the next input when
// the one before has been acknowledged, which finds the throughput.
//
// Latency and service are of the inputs that were meant for the window measured, taken when all
// have been answered or given up: one that never was counts with its age then. Without these, a
// host that stalls until the end would be judged by what it answered before.
//
// Every input is numbered; at the end all must have been acknowledged by a snapshot. A relay also
// counts what it applied, which must then be what its sessions sent: more is doubled. Tron says
// nothing of the kind: an input that it applied twice is not seen here.

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

#include <sys/types.h>

#include "ringside/core/histogram.hpp"
#include "ringside/core/result.hpp"
#include "ringside/net/endpoint.hpp"

namespace ringside::load {

enum class Mode : std::uint8_t {
    tron,   // races of small squares, without walls; rematch when one ends
    relay,  // each input comes back at once
};

struct Options {
    Endpoint endpoint;
    Mode mode = Mode::tron;
    std::uint32_t games = 1;
    std::uint32_t players = 2;       // of each game
    std::uint32_t tick_ms = 100;     // tron
    double inputs_per_second = 2;    // of a session; 0: closed loop (relay only)
    std::uint32_t input_bytes = 64;  // relay
    bool deltas = true;
    std::uint32_t connects_per_turn = 64;  // nothing is said or heard while these are made
    std::chrono::milliseconds warm_up{1'000};
    std::chrono::milliseconds time{5'000};
    pid_t watched_pid = 0;  // whose CPU is reported; 0: nobody's
    std::uint64_t seed = 1;
};

/// µs; upper bounds of histogram buckets, 1.6 % wide.
struct Percentiles {
    double p50 = 0;
    double p90 = 0;
    double p99 = 0;
    double p999 = 0;
    double max = 0;
};

/// Of the time measured, which begins when all have joined and the warm-up is over. Plain data.
struct Outcome {
    std::uint64_t sessions = 0;
    std::uint64_t failed = 0;  // refused, cut off, or not let in in time
    std::uint64_t sent = 0;    // inputs
    std::uint64_t acknowledged = 0;
    std::uint64_t lost = 0;     // of the whole run: never acknowledged, or by a relay never applied
    std::uint64_t doubled = 0;  // of the whole run; relay: applied but not sent
    std::uint64_t snapshots = 0;
    std::uint64_t deltas = 0;
    std::uint64_t bytes = 0;      // received
    std::uint64_t tick_gaps = 0;  // ticks that a session was told nothing of
    double seconds = 0;
    double join_seconds = 0;  // from the first connect until all had joined
    double own_cpu_seconds = 0;
    double watched_cpu_seconds = 0;
    Percentiles latency;   // intended time → the snapshot that shows it
    Percentiles service;   // sent → the snapshot that shows it
    Percentiles lateness;  // of views, against the earliest of their session (tron); of the whole
                           // run: a missed tick makes late all that follow until the game parks
    Percentiles join;      // connect → Joined
    Histogram join_ns;     // what `join` is of
    Histogram latency_ns;  // what `latency` is of: to be merged with other runs
    std::array<char, 128> reason{};  // why most of those that failed did; a text that ends with 0
};

/// One line of JSON.
[[nodiscard]] std::string to_json(const Outcome& outcome);

/// An Error: no session could be made at all.
[[nodiscard]] Result<Outcome> run_load(const Options& options);

}  // namespace ringside::load
