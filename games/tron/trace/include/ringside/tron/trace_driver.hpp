#pragma once
// TraceDriver: what a trace is played into. DirectDriver plays it into the rules themselves;
// another one may send everything through a host to a game process.
//
// Within a tick: events in order, then step(). What a driver learns only when the step is done (who
// was seated, whether the game stopped) it reports with the step.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "ringside/core/game.hpp"
#include "ringside/tron/config.hpp"
#include "ringside/tron/trace.hpp"

namespace ringside::tron {

struct TraceJoin {
    JoinerId joiner = 0;
    std::optional<std::uint8_t> number;  // nothing: refused
    friend bool operator==(const TraceJoin&, const TraceJoin&) = default;
};

struct TraceStep {
    View view;                     // after the step
    std::vector<TraceJoin> joins;  // answered since the last step, in order
    bool stopped = false;  // by an event of this tick; the view is then taken without a step
};

class TraceDriver {
public:
    virtual ~TraceDriver() = default;

    virtual void join(JoinerId joiner, Screen screen) = 0;
    virtual void leave(JoinerId joiner) = 0;

    /// An input of a joiner that has been given a number and has not left; at most
    /// 1 + seats_limit bytes.
    virtual void input(JoinerId joiner, Bytes bytes) = 0;

    /// The tick's end. An Error ends the trace: the game was lost, or its view is damaged.
    [[nodiscard]] virtual Result<TraceStep> step() = 0;
};

/// Makes a driver with a fresh game of this config.
using TraceDriverFactory = std::function<Result<std::unique_ptr<TraceDriver>>(const Config&)>;

struct DirectDriverOptions {
    std::uint32_t restore_every = 0;  // steps between two save-and-restores; 0: never
};
[[nodiscard]] TraceDriverFactory direct_driver_factory(DirectDriverOptions options);

/// What a trace's game is made of.
[[nodiscard]] Config config_of(const Trace& trace);

struct Mismatch {
    std::uint32_t tick = 0;
    std::string what;  // "cycle 1 x is 5, expected 6"
};

/// Plays the whole trace and compares each state; the first difference, or nothing. The driver's
/// game must be fresh and made of config_of(trace).
[[nodiscard]] Result<std::optional<Mismatch>> replay_trace(const Trace& trace, TraceDriver& driver);

}  // namespace ringside::tron
