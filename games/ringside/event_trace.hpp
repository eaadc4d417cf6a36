#pragma once
// `ringside trace`: where the inputs of a session, or of a game's players, spend their time.

#include <cstdint>
#include <string>

namespace ringside {

struct EventTraceOptions {
    std::string instance;
    std::string session;        // as `ringside sessions` lists it; empty: any
    std::string game;           // empty: any
    std::uint32_t seconds = 5;  // that are looked at; 0: what the recorders hold, and no more
    bool json = false;
    std::string perfetto;  // a file for https://ui.perfetto.dev; empty: none
};

/// Prints the stages and their sum beside the end-to-end time; returns the program's exit code.
[[nodiscard]] int run_event_trace(const EventTraceOptions& options);

}  // namespace ringside
