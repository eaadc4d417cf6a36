#pragma once
// One line of `tap`: a snapshot with everything that its game was told since the one before.

#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "ringside/ipc/snapshot.hpp"

namespace ringside {

/// Decodes what this program knows: the events and views of tron. Other types' bytes are written in
/// hexadecimal.
[[nodiscard]] nlohmann::ordered_json snapshot_json(const SnapshotParts& parts,
                                                   std::uint64_t sequence, const std::string& type);

}  // namespace ringside
