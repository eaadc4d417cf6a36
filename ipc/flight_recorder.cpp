#include "ringside/ipc/flight_recorder.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <fmt/format.h>
#include <sys/mman.h>

#include "ringside/core/invariant.hpp"
#include "ringside/ipc/happenings.hpp"

namespace ringside {
namespace {

constexpr int moment_attempts = 8;

bool counter_is_steady() noexcept {
#if defined(__x86_64__)
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    constexpr unsigned advanced_power_management = 0x8000'0007;
    constexpr unsigned invariant_tsc = 1u << 8;
    return __get_cpuid(advanced_power_management, &eax, &ebx, &ecx, &edx) != 0 &&
           (edx & invariant_tsc) != 0;
#else
    return false;
#endif
}

std::uint64_t stamp_of(FlightClock clock) noexcept {
#if defined(__x86_64__)
    if (clock == FlightClock::counter) {
        return __builtin_ia32_rdtsc();
    }
#endif
    return static_cast<std::uint64_t>(monotonic_ns());
}

/// The closest of some attempts: an interrupt in between would put the clocks apart.
FlightMoment this_moment(FlightClock clock) noexcept {
    if (clock == FlightClock::monotonic) {
        const std::int64_t now_ns = monotonic_ns();
        return {static_cast<std::uint64_t>(now_ns), now_ns};
    }
    FlightMoment best{};
    std::uint64_t narrowest = std::numeric_limits<std::uint64_t>::max();
    for (int attempt = 0; attempt < moment_attempts; ++attempt) {
        const std::uint64_t before = stamp_of(clock);
        const std::int64_t now_ns = monotonic_ns();
        const std::uint64_t width = stamp_of(clock) - before;
        if (width < narrowest) {
            narrowest = width;
            best = {before + width / 2, now_ns};
        }
    }
    return best;
}

}  // namespace

void create_flight_recorder(MutableBytes region, std::uint32_t capacity) noexcept {
    invariant(region.size() >= flight_bytes(capacity), "a flight recorder needs its room");
    const FlightClock clock = counter_is_steady() ? FlightClock::counter : FlightClock::monotonic;
    auto* header = new (region.data()) FlightHeader{};
    header->layout_version = flight_layout_version;
    header->capacity = capacity;
    header->clock = static_cast<std::uint32_t>(clock);
    header->made = this_moment(clock);
    header->magic.store(flight_magic, std::memory_order_release);  // READY
}

FlightRecorder::FlightRecorder(MutableBytes region, std::uint32_t capacity) noexcept
    : header_(std::launder(reinterpret_cast<FlightHeader*>(region.data()))),
      records_(std::launder(reinterpret_cast<FlightRecord*>(region.data() + sizeof(FlightHeader)))),
      // Relaxed: the writer before us, if any, is dead.
      count_(header_->count.load(std::memory_order_relaxed)),
      place_mask_(capacity - 1),
      counts_(header_->clock == static_cast<std::uint32_t>(FlightClock::counter)) {
    invariant(region.size() >= flight_bytes(capacity), "a flight recorder needs its room");
}

// ---- a process's own file ----------------------------------------------------------------------

Result<void> FlightRecording::create(const std::string& path) {
    const std::size_t bytes = flight_bytes(flight_records_of_process);
    auto region =
        SharedRegion::create({.path = path, .bytes_total = bytes, .bytes_reserved = bytes});
    if (!region) {
        return std::unexpected(std::move(region.error()));
    }
    create_flight_recorder(region->bytes(), flight_records_of_process);
    return {};
}

Result<FlightRecording> FlightRecording::open(const std::string& path) {
    auto region = SharedRegion::open(path, Access::read_write);
    if (!region) {
        return std::unexpected(std::move(region.error()));
    }
    if (region->bytes().size() != flight_bytes(flight_records_of_process)) {
        return failure(std::errc::bad_message, fmt::format("{}: of another size", path));
    }
    // A game must not be able to write here, and its nursery is forked from us.
    madvise(region->bytes().data(), region->bytes().size(), MADV_DONTFORK);
    return FlightRecording(std::move(*region));
}

FlightRecording::FlightRecording(SharedRegion region) noexcept : region_(std::move(region)) {
    flight_recorder = FlightRecorder(region_.bytes(), flight_records_of_process);
}

FlightRecording::~FlightRecording() {
    if (!region_.bytes().empty()) {
        flight_recorder = FlightRecorder();
    }
}

// ---- reading -----------------------------------------------------------------------------------

FlightScale::FlightScale(const FlightHeader& header) noexcept : made_(header.made) {
    const FlightMoment now = this_moment(static_cast<FlightClock>(header.clock));
    const auto stamps = static_cast<double>(now.stamp - made_.stamp);
    ns_per_stamp_ = stamps > 0 ? static_cast<double>(now.ns - made_.ns) / stamps : 1;
}

std::int64_t FlightScale::ns(std::uint64_t stamp) const noexcept {
    // A stamp may be foreign, and then be any number; an integer has no room for all of them.
    constexpr double ns_max = 4e18;
    const auto since = static_cast<std::int64_t>(stamp - made_.stamp);
    const auto since_ns = static_cast<std::int64_t>(
        std::clamp(static_cast<double>(since) * ns_per_stamp_, -ns_max, ns_max));
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(made_.ns) +
                                     static_cast<std::uint64_t>(since_ns));
}

Result<FlightReader> FlightReader::attach(Bytes region, std::uint32_t capacity,
                                          const std::string& name) {
    if (region.size() < flight_bytes(capacity)) {
        return failure(
            std::errc::bad_message,
            fmt::format("flight recorder of {}: {} bytes are too few", name, region.size()));
    }
    FlightReader reader;
    reader.header_ = std::launder(reinterpret_cast<const FlightHeader*>(region.data()));
    reader.records_ =
        std::launder(reinterpret_cast<const FlightRecord*>(region.data() + sizeof(FlightHeader)));
    reader.capacity_ = capacity;
    const FlightHeader& header = *reader.header_;
    if (header.magic.load(std::memory_order_acquire) != flight_magic) {  // READY
        return failure(std::errc::bad_message,
                       fmt::format("flight recorder of {}: there is none", name));
    }
    if (header.layout_version != flight_layout_version || header.capacity != capacity) {
        return failure(std::errc::not_supported,
                       fmt::format("flight recorder of {}: layout version {} with {} records, "
                                   "this program reads {} with {}",
                                   name, header.layout_version, header.capacity,
                                   flight_layout_version, capacity));
    }
    return reader;
}

std::uint64_t FlightReader::read(std::vector<Happened>& into) {
    const std::uint64_t count = header_->count.load(std::memory_order_acquire);  // COUNT
    std::uint64_t first = next_;
    if (count - first > capacity_) {  // also when a foreign count has gone back
        first = count - std::min<std::uint64_t>(count, capacity_);
    }
    const auto before = static_cast<std::ptrdiff_t>(into.size());
    for (std::uint64_t number = first; number != count; ++number) {
        const FlightRecord& record = records_[number & (capacity_ - 1)];
        const std::uint64_t what = record.what.load(std::memory_order_acquire);  // COUNT
        into.push_back({.stamp = record.stamp.load(std::memory_order_acquire),   // COUNT
                        .number = number,
                        .what = static_cast<Happening>(what & 0xffff),
                        .third = static_cast<std::uint32_t>(what >> 32),
                        .first = record.first.load(std::memory_order_acquire),      // COUNT
                        .second = record.second.load(std::memory_order_acquire)});  // COUNT
    }
    // COUNT: behind the loads above. The writer may be at work on the record with this number.
    const std::uint64_t now = header_->count.load(std::memory_order_acquire);
    const std::uint64_t oldest_whole = now >= capacity_ ? now - capacity_ + 1 : 0;
    const auto read_now = std::ranges::subrange(into.begin() + before, into.end());
    const auto unusable = std::ranges::remove_if(read_now, [&](const Happened& each) {
        return each.number < oldest_whole || static_cast<std::size_t>(each.what) >= happening_count;
    });
    into.erase(unusable.begin(), unusable.end());
    const std::uint64_t lost = std::max(first, std::min(oldest_whole, count)) - next_;
    next_ = count;
    return lost;
}

}  // namespace ringside
