#pragma once
// A timeline of all processes of a host, with the ways of inputs as arrows: a file in Chrome's
// Trace Event Format, which https://ui.perfetto.dev opens.

#include <string>
#include <vector>

#include "event_way.hpp"

#include "ringside/ipc/flight_log.hpp"

namespace ringside {

/// Entries by time. The file must not exist.
[[nodiscard]] Result<void> write_timeline(const std::string& path, const FlightLog& log,
                                          const std::vector<FlightEntry>& entries,
                                          const std::vector<EventWay>& ways);

}  // namespace ringside
