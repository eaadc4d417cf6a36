#include "ringside/ipc/game_segment.hpp"

#include <bit>
#include <cstring>
#include <new>
#include <utility>

#include <fmt/format.h>

#include "round_up.hpp"

#include "ringside/ipc/snapshot.hpp"
#include "ringside/ipc/snapshot_ring.hpp"

namespace ringside {
namespace {

constexpr std::size_t page_bytes = 4096;

std::size_t segment_bytes_of(const GameSegmentPlan& plan) {
    return std::size_t{plan.event_rings_offset} +
           std::size_t{plan.event_ring_stride} * front_slots_max;
}

bool is_event_ring_size(std::uint32_t bytes) {
    return std::has_single_bit(bytes) && bytes >= event_ring_bytes_min &&
           bytes <= event_ring_bytes_limit;
}

// Whether a plan read from a file stays inside that file. Everything else in it is judged by
// whoever uses it.
bool fits(const GameSegmentPlan& plan, std::size_t file_bytes) {
    const std::size_t ring_end = std::size_t{plan.snapshot_ring_offset} + plan.snapshot_ring_bytes;
    return plan.snapshot_ring_offset >= sizeof(GameSegmentLayout) &&
           plan.snapshot_ring_offset % cache_line_bytes == 0 &&
           ring_end <= plan.event_rings_offset && plan.event_rings_offset % page_bytes == 0 &&
           is_event_ring_size(plan.event_ring_bytes) &&
           plan.event_ring_stride >= event_ring_region_bytes(plan.event_ring_bytes) &&
           plan.event_ring_stride % page_bytes == 0 && segment_bytes_of(plan) == file_bytes &&
           plan.config_bytes <= config_bytes_max && plan.seats >= 1 && plan.seats <= seats_max &&
           plan.tick_ns > 0 && plan.state_bytes_max <= snapshot_bytes_limit &&
           plan.view_bytes_max <= view_bytes_limit && plan.delta_bytes_max <= view_bytes_limit &&
           plan.name[game_name_bytes_max] == 0 && plan.type[type_name_bytes_max] == 0;
}

}  // namespace

Result<GameSegmentPlan> GameSegment::lay_out(GameSegmentPlan plan) {
    const GameShape shape{.seats = plan.seats,
                          .state_bytes_max = plan.state_bytes_max,
                          .view_bytes_max = plan.view_bytes_max,
                          .delta_bytes_max = plan.delta_bytes_max,
                          .tick = {},
                          .size_label = {}};
    if (plan.view_bytes_max > view_bytes_limit || plan.delta_bytes_max > view_bytes_limit) {
        return failure(std::errc::value_too_large,
                       fmt::format("a view of this game may take {} bytes and a delta {}, of {} at "
                                   "most; choose a smaller one",
                                   plan.view_bytes_max, plan.delta_bytes_max, view_bytes_limit));
    }
    if (plan.state_bytes_max > snapshot_bytes_limit ||
        snapshot_bytes_max(shape) > snapshot_bytes_limit) {
        return failure(
            std::errc::value_too_large,
            fmt::format("a snapshot of this game may take {} + {} bytes, of {} at most; "
                        "choose a smaller one",
                        plan.state_bytes_max, plan.view_bytes_max, snapshot_bytes_limit));
    }
    if (!is_event_ring_size(plan.event_ring_bytes)) {
        return failure(
            std::errc::invalid_argument,
            fmt::format("an event ring of {} bytes: its game type must declare a power of two from "
                        "{} to {}",
                        plan.event_ring_bytes, event_ring_bytes_min, event_ring_bytes_limit));
    }
    plan.snapshot_ring_offset = round_up(sizeof(GameSegmentLayout), cache_line_bytes);
    plan.snapshot_ring_bytes = static_cast<std::uint32_t>(
        snapshot_ring_region_bytes(snapshot_ring_capacity_for(snapshot_bytes_max(shape))));
    plan.event_rings_offset = static_cast<std::uint32_t>(
        round_up(std::size_t{plan.snapshot_ring_offset} + plan.snapshot_ring_bytes, page_bytes));
    plan.event_ring_stride = static_cast<std::uint32_t>(
        round_up(event_ring_region_bytes(plan.event_ring_bytes), page_bytes));
    return plan;
}

Result<GameSegment> GameSegment::create(const std::string& path, const GameSegmentPlan& plan) {
    auto region = SharedRegion::create({.path = path,
                                        .bytes_total = segment_bytes_of(plan),
                                        .bytes_reserved = plan.event_rings_offset});
    if (!region) {
        return std::unexpected(std::move(region.error()));
    }
    GameSegment segment;
    segment.plan_ = plan;
    segment.region_ = std::move(*region);
    auto* layout = new (segment.region_.bytes().data()) GameSegmentLayout{};
    layout->header.layout_version = game_segment_layout_version;
    layout->header.segment_bytes = segment.region_.bytes().size();
    layout->header.plan = plan;
    create_flight_recorder(segment.flight(), flight_records_of_game);
    create_snapshot_ring(
        segment.snapshot_ring(),
        plan.snapshot_ring_bytes - static_cast<std::uint32_t>(sizeof(SnapshotRingHeader)));
    layout->header.magic.store(game_segment_magic, std::memory_order_release);  // READY
    return segment;
}

Result<GameSegment> GameSegment::check(SharedRegion region, const std::string& what) {
    GameSegment segment;
    segment.region_ = std::move(region);
    const std::size_t file_bytes = segment.region_.bytes().size();
    if (file_bytes < sizeof(GameSegmentLayout)) {
        return failure(
            std::errc::bad_message,
            fmt::format("game segment {}: {} bytes are too few for its header", what, file_bytes));
    }
    const GameSegmentHeader& header = segment.layout().header;
    const std::uint32_t magic = header.magic.load(std::memory_order_acquire);  // READY
    if (magic != game_segment_magic) {
        return failure(
            magic == 0 ? std::errc::resource_unavailable_try_again : std::errc::bad_message,
            fmt::format("game segment {}: {}", what,
                        magic == 0 ? "not ready yet" : "not a game segment"));
    }
    if (header.layout_version != game_segment_layout_version) {
        return failure(std::errc::not_supported,
                       fmt::format("game segment {}: layout version {}, this program reads {}",
                                   what, header.layout_version, game_segment_layout_version));
    }
    segment.plan_ = header.plan;  // the private copy that is judged and used
    if (header.segment_bytes != file_bytes || !fits(segment.plan_, file_bytes)) {
        return failure(
            std::errc::bad_message,
            fmt::format("game segment {}: its header contradicts its {} bytes", what, file_bytes));
    }
    return segment;
}

Result<GameSegment> GameSegment::open(const std::string& path, Access access) {
    auto region = SharedRegion::open(path, access);
    if (!region) {
        return std::unexpected(std::move(region.error()));
    }
    return check(std::move(*region), path);
}

Result<GameSegment> GameSegment::open(int fd) {
    auto region = SharedRegion::open(fd, Access::read_write);
    if (!region) {
        return std::unexpected(std::move(region.error()));
    }
    return check(std::move(*region), "passed to this process");
}

MutableBytes GameSegment::flight() const noexcept {
    return region_.bytes().subspan(offsetof(GameSegmentLayout, flight), sizeof(GameFlight));
}

MutableBytes GameSegment::snapshot_ring() const noexcept {
    return region_.bytes().subspan(plan_.snapshot_ring_offset, plan_.snapshot_ring_bytes);
}

MutableBytes GameSegment::event_ring(std::uint32_t front_slot) const noexcept {
    return region_.bytes().subspan(
        plan_.event_rings_offset + std::size_t{front_slot} * plan_.event_ring_stride,
        event_ring_region_bytes(plan_.event_ring_bytes));
}

}  // namespace ringside
