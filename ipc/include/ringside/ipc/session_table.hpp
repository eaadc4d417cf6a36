#pragma once
// SessionTable: a front's sessions, as observers of the instance see them: one file a front,
// written by that front alone.

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "ringside/core/ids.hpp"
#include "ringside/core/nickname.hpp"
#include "ringside/core/result.hpp"
#include "ringside/ipc/shared_record.hpp"
#include "ringside/ipc/shared_region.hpp"

namespace ringside {

inline constexpr std::uint32_t session_table_magic = 0x53534752;  // "RGSS"
inline constexpr std::uint32_t session_table_layout_version = 2;
inline constexpr std::uint32_t session_table_places = 65'536;  // sessions beyond are not shown

struct SessionRecord {
    std::uint64_t session;   // SessionId; 0: nobody
    std::uint64_t address;   // of the client: an IPv4 one, the /64 of an IPv6 one; 0: a Unix socket
    std::int64_t since_ns;   // CLOCK_MONOTONIC; when it said Hello
    std::uint32_t in_game;   // 0: in none, and the next three say nothing
    std::uint32_t watching;  // 1: without a seat
    GameId game;
    Nickname nickname;  // of the player
};
static_assert(std::is_trivially_copyable_v<SessionRecord> && sizeof(SessionRecord) == 64,
              "layout changed: raise session_table_layout_version");

struct SessionTableLayout {
    std::atomic<std::uint32_t> magic;  // READY
    std::uint32_t layout_version;
    std::uint32_t front_epoch;                // of the front that writes it
    std::atomic<std::uint32_t> places_shown;  // the records behind them have no pages yet
    // followed by SharedRecord<SessionRecord> × session_table_places
};

class SessionTable {
public:
    /// By a front, at its start; replaces the table of an earlier front in its slot.
    [[nodiscard]] static Result<SessionTable> create(const std::string& instance_path,
                                                     std::uint32_t front_slot,
                                                     std::uint32_t front_epoch);

    /// What the front has in this place now. Without memory for more places it is not shown.
    void write(std::uint32_t place, const SessionRecord& record) noexcept;

private:
    explicit SessionTable(std::string path, SharedRegion region) noexcept;
    [[nodiscard]] SessionTableLayout& layout() const noexcept;
    [[nodiscard]] bool show(std::uint32_t place) noexcept;

    std::string path_;
    SharedRegion region_;
};

/// The sessions of the front in this slot, if its table is of this epoch. Those that come or go in
/// this very moment may be missing.
[[nodiscard]] std::vector<SessionRecord> read_sessions(const std::string& instance_path,
                                                       std::uint32_t front_slot,
                                                       std::uint32_t front_epoch);

}  // namespace ringside
