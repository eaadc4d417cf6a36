#pragma once
// Statistics of a front, and of the supervisor, in a file of its own beside the segments:
//
//   statistics-host          by the supervisor
//   statistics-front-SLOT    by the front in that slot
//
//   [header][counters × 96: core/statistics.hpp names them][time histogram][error log: 64 entries]
//
// (A game's are in its own segment: game_segment.hpp.)
//
// Roles    one writer, whose every store is relaxed; any readers, which map the file read-only.
//          What belongs together may be read a moment apart: each number is right by itself.
// Life     A front that takes the place of a dead one goes on with its numbers; gauges begin at 0.
//          A new host begins anew. After kill -9 the files stay, with the last numbers.
// Ordering READY: magic. KEPT: an error's entry, by the release store of how many there are.
// Errors   are kept once each: two texts are the same error if they differ in numbers and in what
//          is in quotes alone. The first text stays; what comes when all entries are taken is only
//          counted.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "ringside/core/log.hpp"
#include "ringside/core/result.hpp"
#include "ringside/core/statistics.hpp"
#include "ringside/ipc/shared_region.hpp"
#include "ringside/ipc/time_counts.hpp"

namespace ringside {

inline constexpr std::uint32_t statistics_magic = 0x54534752;  // "RGST"
inline constexpr std::uint32_t statistics_layout_version = 1;
inline constexpr std::uint32_t statistics_max = 96;
inline constexpr std::uint32_t distinct_errors_max = 64;
inline constexpr std::uint32_t error_text_bytes_max = 224;

struct ErrorEntry {
    std::atomic<std::uint64_t> count;
    std::atomic<std::int64_t> first_ns;  // CLOCK_REALTIME
    std::atomic<std::int64_t> last_ns;
    std::uint64_t text_bytes;
    alignas(8) std::byte text[error_text_bytes_max];  // of the first; KEPT
};
static_assert(sizeof(ErrorEntry) == 256, "layout changed: raise statistics_layout_version");

struct ErrorLogLayout {
    alignas(cache_line_bytes) std::atomic<std::uint64_t> kept_count;  // KEPT
    std::atomic<std::uint64_t> not_kept_count;  // errors for which no entry was left
    alignas(cache_line_bytes) ErrorEntry entry[distinct_errors_max];
};

enum class StatisticsKind : std::uint32_t { host = 1, front = 2 };

struct StatisticsLayout {
    std::atomic<std::uint32_t> magic;  // READY
    std::uint32_t layout_version;
    std::uint64_t file_bytes;
    std::uint32_t kind;  // StatisticsKind
    std::uint32_t slot;  // of a front
    std::atomic<std::int32_t> pid;
    std::uint32_t reserved;                // zero
    std::atomic<std::int64_t> started_ns;  // CLOCK_MONOTONIC; this process
    alignas(cache_line_bytes) std::atomic<std::uint64_t> counters[statistics_max];
    TimeCounts times;  // a front's turns, without their sleep; a supervisor's restores
    ErrorLogLayout errors;
};
static_assert(std::is_standard_layout_v<StatisticsLayout>);
static_assert(std::is_trivially_destructible_v<StatisticsLayout>);
static_assert(sizeof(StatisticsLayout) ==
                  64 + 8 * statistics_max + 384 + 64 + 256 * distinct_errors_max,
              "layout changed: raise statistics_layout_version");

/// What the writers have in common; see ProcessStatistics.
class StatisticsFile {
public:
    struct Owner {
        std::string instance_path;
        StatisticsKind kind{};
        std::uint32_t slot = 0;  // of a front
    };

    /// Logs it, and keeps it for `ringside errors`.
    void report(LogLevel level, std::string_view text);
    /// Only keeps it.
    void note_error(std::string_view text);

protected:
    StatisticsFile();  // private memory, which nobody reads
    static Result<StatisticsFile> open(const Owner& owner);
    [[nodiscard]] StatisticsLayout& layout() noexcept { return *layout_; }

private:
    std::vector<std::byte> unshared_;
    SharedRegion region_;
    StatisticsLayout* layout_;
    std::vector<std::string> skeletons_;  // of the errors kept, by entry
};

/// The writer's side: made once by the process whose numbers they are.
template <class Statistic>
class ProcessStatistics : public StatisticsFile {
    static_assert(static_cast<std::uint32_t>(Statistic::count_) <= statistics_max);

public:
    /// Counts where nobody sees it, until open() has succeeded: a host short of memory goes on.
    ProcessStatistics() = default;

    /// Takes over the file of a process before this one in its place, or makes it.
    [[nodiscard]] static Result<ProcessStatistics> open(const Owner& owner) {
        auto file = StatisticsFile::open(owner);
        if (!file) {
            return std::unexpected(std::move(file.error()));
        }
        ProcessStatistics statistics(std::move(*file));
        const auto rows = rows_of(Statistic{});
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (rows[i].gauge) {
                statistics.layout().counters[i].store(0, std::memory_order_relaxed);
            }
        }
        return statistics;
    }

    void add(Statistic statistic, std::uint64_t count = 1) noexcept {
        if constexpr (statistics_enabled) {
            auto& counter = layout().counters[static_cast<std::size_t>(statistic)];
            // Relaxed, and no read-modify-write: nobody else writes it.
            counter.store(counter.load(std::memory_order_relaxed) + count,
                          std::memory_order_relaxed);
        }
    }
    void set(Statistic statistic, std::uint64_t value) noexcept {
        if constexpr (statistics_enabled) {
            layout().counters[static_cast<std::size_t>(statistic)].store(value,
                                                                         std::memory_order_relaxed);
        }
    }
    void record_time(std::int64_t time_ns, std::uint32_t unit_bits) noexcept {
        if constexpr (statistics_enabled) {
            layout().times.record(time_ns, unit_bits);
        }
    }

private:
    explicit ProcessStatistics(StatisticsFile file) : StatisticsFile(std::move(file)) {}
};

using FrontStatistics = ProcessStatistics<FrontStatistic>;
using HostStatistics = ProcessStatistics<HostStatistic>;

// ---- the reader's side -------------------------------------------------------------------------

struct ErrorReading {
    std::string text;  // foreign
    std::uint64_t count = 0;
    std::int64_t first_ns = 0;  // CLOCK_REALTIME
    std::int64_t last_ns = 0;
};

struct StatisticsReading {
    pid_t pid = 0;
    std::int64_t started_ns = 0;  // CLOCK_MONOTONIC
    std::array<std::uint64_t, statistics_max> values{};
    LatenessHistogram times;
    std::vector<ErrorReading> errors;
    std::uint64_t errors_not_kept = 0;

    template <class Statistic>
    [[nodiscard]] std::uint64_t operator[](Statistic statistic) const noexcept {
        return values[static_cast<std::size_t>(statistic)];
    }
};

/// Reads without writing, locking or waiting. The Error tells absent, not ready, other version and
/// damaged apart.
[[nodiscard]] Result<StatisticsReading> read_statistics(const StatisticsFile::Owner& owner);

}  // namespace ringside
