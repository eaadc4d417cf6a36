#pragma once
// Flight recorder: what a process of a host did last, in shared memory: readable from outside while
// it runs, when it is stopped, and when it is dead.
//
// Roles    one writer, the process; any number of readers, which it never knows.
// Memory   [FlightHeader 128 B][FlightRecord 32 B × capacity, a power of two]. Record n is at place
//          n & (capacity - 1): the oldest is overwritten. 4,096 in a file of each front and of the
//          supervisor, 256 in each game's segment.
// Time     A record has the processor's time-stamp counter where that runs at one rate on all CPUs,
//          else CLOCK_MONOTONIC in ns: reading the former costs a third. The header has one
//          moment in both; a reader takes a second one when it reads, and scales in between.
// Ordering COUNT: release by the writer after each record ⇄ acquire by the reader, before it copies
//          and again after: what the writer may have touched meanwhile is thrown away. Each word of
//          a record is stored with release and loaded with acquire, so that whoever sees a word of
//          record n sees a count of n at least; on x86 neither costs anything.
// Errors   None for the writer. What a game's recorder holds is foreign: kinds beyond the table are
//          left out, numbers are only shown.
// See      happenings.hpp: what is recorded, and where it comes from; docs/flight-recorder.md

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "ringside/core/clock.hpp"
#include "ringside/core/game.hpp"
#include "ringside/core/limits.hpp"
#include "ringside/core/result.hpp"
#include "ringside/ipc/shared_region.hpp"

namespace ringside {

inline constexpr std::uint32_t flight_magic = 0x46534752;  // "RGSF"
inline constexpr std::uint32_t flight_layout_version = 1;
inline constexpr std::uint32_t flight_records_of_process = 4096;  // a front, the supervisor
inline constexpr std::uint32_t flight_records_of_game = 256;

enum class Happening : std::uint16_t;

/// One moment in both clocks.
struct FlightMoment {
    std::uint64_t stamp;
    std::int64_t ns;  // CLOCK_MONOTONIC
};

enum class FlightClock : std::uint32_t {
    monotonic = 0,
    counter = 1,  // the time-stamp counter
};

struct FlightHeader {
    std::atomic<std::uint32_t> magic;  // READY: stored last
    std::uint32_t layout_version;
    std::uint32_t capacity;  // records
    std::uint32_t clock;     // FlightClock
    FlightMoment made;
    std::uint64_t reserved[4];                                   // zero
    alignas(cache_line_bytes) std::atomic<std::uint64_t> count;  // COUNT: of records, ever
};
static_assert(sizeof(FlightHeader) == 128, "layout changed: raise flight_layout_version");

struct FlightRecord {
    std::atomic<std::uint64_t> stamp;
    std::atomic<std::uint64_t> what;  // Happening | third argument << 32
    std::atomic<std::uint64_t> first;
    std::atomic<std::uint64_t> second;
};
static_assert(sizeof(FlightRecord) == 32, "layout changed: raise flight_layout_version");

[[nodiscard]] constexpr std::size_t flight_bytes(std::uint32_t capacity) noexcept {
    return sizeof(FlightHeader) + std::size_t{capacity} * sizeof(FlightRecord);
}

/// A game's, as a member of its segment.
struct alignas(cache_line_bytes) GameFlight {
    FlightHeader header;
    FlightRecord record[flight_records_of_game];
};
static_assert(sizeof(GameFlight) == flight_bytes(flight_records_of_game));
static_assert(std::is_standard_layout_v<GameFlight> &&
              std::is_trivially_destructible_v<GameFlight>);

/// Makes an empty recorder in zeroed memory. Requires capacity to be a power of two and the region
/// to hold flight_bytes(capacity).
void create_flight_recorder(MutableBytes region, std::uint32_t capacity) noexcept;

/// The writer's side.
class FlightRecorder {
public:
    /// Records nothing.
    constexpr FlightRecorder() noexcept = default;

    /// Goes on with what is there, as the successor of a writer that died. Requires a region that
    /// create_flight_recorder made with this capacity, and that outlives this.
    FlightRecorder(MutableBytes region, std::uint32_t capacity) noexcept;

    [[gnu::always_inline]] void record(Happening what, std::uint64_t first, std::uint64_t second,
                                       std::uint32_t third) noexcept {
        if (records_ == nullptr) {
            return;
        }
        FlightRecord& place = records_[count_ & place_mask_];
        place.stamp.store(stamp(), std::memory_order_release);  // COUNT: of the count before
        place.what.store(static_cast<std::uint64_t>(what) | std::uint64_t{third} << 32,
                         std::memory_order_release);                // COUNT
        place.first.store(first, std::memory_order_release);        // COUNT
        place.second.store(second, std::memory_order_release);      // COUNT
        header_->count.store(++count_, std::memory_order_release);  // COUNT: carries the record
    }

    /// Now, in the clock of this recorder.
    [[nodiscard, gnu::always_inline]] std::uint64_t stamp() const noexcept {
#if defined(__x86_64__)
        if (counts_) {
            return __builtin_ia32_rdtsc();
        }
#endif
        return static_cast<std::uint64_t>(monotonic_ns());
    }

private:
    FlightHeader* header_ = nullptr;
    FlightRecord* records_ = nullptr;
    std::uint64_t count_ = 0;  // nobody else writes it
    std::uint64_t place_mask_ = 0;
    bool counts_ = false;  // FlightClock::counter
};

/// This process's. A process of a host has one thread, and so one writer. It records nothing until
/// the process has been given one of its own; a forked child must not keep its parent's.
inline constinit FlightRecorder flight_recorder;

/// A recorder in a file, which this process writes to as long as the object lives. Its mapping is
/// not inherited by children.
class FlightRecording {
public:
    /// Makes the file, with all its pages.
    [[nodiscard]] static Result<void> create(const std::string& path);
    /// Makes it this process's.
    [[nodiscard]] static Result<FlightRecording> open(const std::string& path);

    FlightRecording(FlightRecording&&) noexcept = default;
    FlightRecording& operator=(FlightRecording&&) = delete;
    ~FlightRecording();

private:
    explicit FlightRecording(SharedRegion region) noexcept;
    SharedRegion region_;  // empty when moved from
};

// ---- reading -----------------------------------------------------------------------------------

/// One record, copied. `what` is in the table.
struct Happened {
    std::uint64_t stamp;
    std::uint64_t number;  // of the record, from 0
    Happening what;
    std::uint32_t third;
    std::uint64_t first;
    std::uint64_t second;
};

/// From stamps to CLOCK_MONOTONIC. All recorders of a machine share the counter, so one scale for
/// all of them keeps the order and distance of what happened in different processes.
class FlightScale {
public:
    /// From the moment in a header and this one.
    explicit FlightScale(const FlightHeader&) noexcept;
    [[nodiscard]] std::int64_t ns(std::uint64_t stamp) const noexcept;

private:
    FlightMoment made_;
    double ns_per_stamp_;
};

class FlightReader {
public:
    FlightReader() noexcept = default;
    /// The Error tells absent, other version and damaged apart; `name` is for it. The region has to
    /// outlive this.
    [[nodiscard]] static Result<FlightReader> attach(Bytes region, std::uint32_t capacity,
                                                     const std::string& name);

    /// Appends what has happened since the last call, oldest first. Returns how many records were
    /// overwritten before they could be read.
    std::uint64_t read(std::vector<Happened>& into);

    [[nodiscard]] FlightScale scale() const noexcept { return FlightScale(*header_); }

private:
    const FlightHeader* header_ = nullptr;
    const FlightRecord* records_ = nullptr;
    std::uint32_t capacity_ = 0;
    std::uint64_t next_ = 0;
};

}  // namespace ringside
