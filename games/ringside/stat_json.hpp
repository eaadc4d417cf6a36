#pragma once
// The JSON of `stat` and `errors`. Times are whole ns, sizes bytes; docs/statistics.md has it all.

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "ringside/ipc/host_observer.hpp"

namespace ringside {

enum class Histograms : bool { no, yes };

[[nodiscard]] nlohmann::ordered_json game_json(const GameReading& game, Histograms histograms);
[[nodiscard]] nlohmann::ordered_json host_json(const std::string& instance, const HostReading& host,
                                               const std::vector<GameReading>& games);
[[nodiscard]] nlohmann::ordered_json errors_json(const HostReading& host);

}  // namespace ringside
