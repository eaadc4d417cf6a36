#include "flight_dump.hpp"

#include <cstdio>
#include <vector>

#include <fmt/format.h>

#include "ringside/core/printable.hpp"
#include "ringside/ipc/flight_log.hpp"
#include "ringside/ipc/supervisor.hpp"

namespace ringside {
namespace {

int failed(const std::string& text) {
    fmt::print(stderr, "ringside: {}\n", printable(text));
    return 1;
}

}  // namespace

int run_dump(const DumpOptions& options) {
    auto log = FlightLog::open(HostOptions{}.root, options.instance);
    if (!log) {
        return failed(log.error().text());
    }
    const auto game = log->game(options.game);
    if (!options.game.empty() && !game) {
        return failed(fmt::format("no game is named '{}'", options.game));
    }
    const std::vector<FlightEntry> entries = log->read();
    for (const FlightEntry& entry : entries) {
        if (game && log->name(entry.source) != log->whom_text(game_key(*game))) {
            continue;
        }
        fmt::print("{}\n", options.json ? json_of(*log, entry)
                                        : text_of(*log, entry, entries.back().ns - entry.ns));
    }
    return 0;
}

}  // namespace ringside
