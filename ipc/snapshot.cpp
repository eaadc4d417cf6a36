#include "ringside/ipc/snapshot.hpp"

#include <cstring>

namespace ringside {

std::optional<SnapshotParts> parse_snapshot(Bytes copy) noexcept {
    SnapshotParts parts{};
    if (copy.size() < sizeof(SnapshotHeader)) {
        return std::nullopt;
    }
    std::memcpy(&parts.header, copy.data(), sizeof(SnapshotHeader));
    const SnapshotHeader& header = parts.header;
    if (header.fronts > front_slots_max || header.roster_entries > seats_max ||
        header.roster_answers > answers_max || header.journal_bytes > journal_bytes_max ||
        header.delta_bytes > snapshot_bytes_limit || header.state_bytes > snapshot_bytes_limit ||
        header.view_bytes > snapshot_bytes_limit) {
        return std::nullopt;  // and so the sums below cannot overflow
    }
    const std::size_t fronts_at = sizeof(SnapshotHeader);
    const std::size_t roster_at = fronts_at + header.fronts * sizeof(FrontMark);
    const std::size_t answers_at = roster_at + header.roster_entries * sizeof(RosterEntry);
    const std::size_t journal_at = answers_at + header.roster_answers * sizeof(RosterAnswer);
    const std::size_t delta_at = journal_at + padded_bytes(header.journal_bytes);
    const std::size_t state_at = delta_at + padded_bytes(header.delta_bytes);
    const std::size_t view_at = state_at + padded_bytes(header.state_bytes);
    if (view_at + header.view_bytes != copy.size()) {
        return std::nullopt;
    }
    parts.fronts = {reinterpret_cast<const FrontMark*>(copy.data() + fronts_at), header.fronts};
    parts.roster = {reinterpret_cast<const RosterEntry*>(copy.data() + roster_at),
                    header.roster_entries};
    parts.answers = {reinterpret_cast<const RosterAnswer*>(copy.data() + answers_at),
                     header.roster_answers};
    parts.journal = copy.subspan(journal_at, header.journal_bytes);
    parts.delta = copy.subspan(delta_at, header.delta_bytes);
    parts.state = copy.subspan(state_at, header.state_bytes);
    parts.view = copy.subspan(view_at, header.view_bytes);
    return parts;
}

}  // namespace ringside
