#pragma once
// The host segment: directory of games and slots of fronts; mapped by supervisor, fronts and
// observers, never by a game. The doorbell segment: the only memory all games share.

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>

#include "ringside/core/limits.hpp"
#include "ringside/ipc/doorbell.hpp"
#include "ringside/ipc/shared_record.hpp"
#include "ringside/ipc/shared_region.hpp"

namespace ringside {

inline constexpr std::uint32_t host_segment_magic = 0x48534752;      // "RGSH"
inline constexpr std::uint32_t doorbell_segment_magic = 0x44534752;  // "RGSD"
inline constexpr std::uint32_t host_segment_layout_version = 4;

enum class GameState : std::uint32_t {
    free = 0,
    starting = 1,  // being forked, for the first time or again
    running = 2,
    ended = 3,  // its process is going
};

/// One game as lists show it. Written by the supervisor alone.
struct DirectoryRecord {
    std::uint32_t state;  // GameState
    std::uint32_t epoch;
    std::int32_t pid;
    std::uint32_t restarts;
    std::int64_t created_ns;  // CLOCK_MONOTONIC
    std::uint8_t phase;       // Phase
    std::uint8_t players;
    std::uint8_t seats;
    std::uint8_t unlisted;      // 1: not for lists
    std::uint8_t has_password;  // 1: it is asked for
    std::uint8_t reserved[3];   // zero
    std::uint64_t spectators;
    char name[game_name_bytes_max + 1];
    char type[type_name_bytes_max + 1];
    char size_label[size_label_bytes_max + 1];
};
static_assert(std::is_trivially_copyable_v<DirectoryRecord>);
static_assert(sizeof(DirectoryRecord) == 128, "layout changed: raise host_segment_layout_version");

/// Written by the supervisor, except the second line, which is the front's own. What a front counts
/// for observers is in its statistics.
struct alignas(cache_line_bytes) FrontSlotLine {
    std::atomic<std::uint32_t> epoch;  // of the front now in the slot; 0: never used
    std::atomic<std::int32_t> pid;     // 0: free
    // Other fronts go by it: see FrontServer::has_its_share.
    alignas(cache_line_bytes) std::atomic<std::uint64_t> connections;
    std::atomic<std::uint64_t> turns;  // of the front's loop; at least one a second
};

/// An address that fronts let nobody in from. Written by the supervisor.
struct BanLine {
    std::atomic<std::uint64_t> address;  // as in SessionRecord; 0: never used
    std::atomic<std::int64_t> until_ns;  // CLOCK_MONOTONIC; over: 0, or in the past
};
inline constexpr std::size_t bans_max = 256;

struct HostSegmentLayout {
    std::atomic<std::uint32_t> magic;  // READY
    std::uint32_t layout_version;
    std::uint64_t segment_bytes;
    std::uint32_t games_max;
    std::int32_t supervisor_pid;
    std::uint64_t supervisor_start;  // clock ticks after boot: another process may get its pid
    std::uint64_t reserved[4];       // zero
    alignas(cache_line_bytes) std::atomic<std::int64_t> swept_ns;  // when the records were current
    FrontSlotLine front[front_slots_max];
    BanLine ban[bans_max];
    // followed by SharedRecord<DirectoryRecord> × games_max
};
static_assert(std::is_standard_layout_v<HostSegmentLayout>);

[[nodiscard]] bool is_banned(const HostSegmentLayout& layout, std::uint64_t address,
                             std::int64_t now_ns) noexcept;

/// By the supervisor: until then, or no longer if that is not after `now_ns`. False: there are
/// bans_max others.
[[nodiscard]] bool ban(HostSegmentLayout& layout, std::uint64_t address, std::int64_t until_ns,
                       std::int64_t now_ns) noexcept;

class HostSegment {
public:
    [[nodiscard]] static Result<HostSegment> create(const std::string& path,
                                                    std::uint32_t games_max);
    [[nodiscard]] static Result<HostSegment> open(const std::string& path, Access);

    [[nodiscard]] HostSegmentLayout& layout() const noexcept;
    [[nodiscard]] std::span<SharedRecord<DirectoryRecord>> games() const noexcept;

private:
    SharedRegion region_;
    std::uint32_t games_max_ = 0;  // private copy
};

struct DoorbellSegmentLayout {
    std::atomic<std::uint32_t> magic;  // READY
    std::uint32_t layout_version;
    std::uint64_t segment_bytes;
    std::uint32_t games_max;
    std::uint32_t reserved;  // zero
    BellWord front[front_slots_max];
    // followed by front_slots_max bitmaps of games_max bits, each in whole cache lines
};

class DoorbellSegment {
public:
    [[nodiscard]] static Result<DoorbellSegment> create(const std::string& path,
                                                        std::uint32_t games_max);
    [[nodiscard]] static Result<DoorbellSegment> open(const std::string& path);

    [[nodiscard]] BellWord& bell(std::uint32_t front_slot) const noexcept;
    [[nodiscard]] RingingGames ringing(std::uint32_t front_slot) const noexcept;

private:
    SharedRegion region_;
    std::uint32_t games_max_ = 0;
};

}  // namespace ringside
