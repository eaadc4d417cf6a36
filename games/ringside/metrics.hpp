#pragma once
// /metrics: a host's statistics in Prometheus' text format, by a process of its own, which reads
// them as `stat` does: neither fronts nor games notice a scrape.
//
// There are as many series as game types and fronts ask for, whatever the number of games; a single
// game is shown to who asks for it: /metrics?game=NAME. docs/statistics.md names them all.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "readings.hpp"

namespace ringside {

class Metrics {
public:
    explicit Metrics(HostObserver observer) : observer_(std::move(observer)) {}

    /// Of everything, or of one game; empty: there is no such game.
    [[nodiscard]] std::string scrape();
    [[nodiscard]] std::string scrape(const std::string& game);

private:
    /// Counters of a type never go back: what a game had when it was seen last stays in the sums.
    void follow(const std::vector<GameReading>& games);

    HostObserver observer_;
    std::map<std::string, TypeSum> ended_;  // by type: games that are gone
    std::map<std::pair<std::uint32_t, std::uint32_t>, GameReading> seen_;  // by slot and epoch
};

/// Serves /metrics until `stop_fd` reads as ended. Returns the exit code.
[[nodiscard]] int serve_metrics(const std::string& instance, int listening_fd, int stop_fd);

}  // namespace ringside
