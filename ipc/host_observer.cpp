#include "ringside/ipc/host_observer.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "instance.hpp"
#include "observe.hpp"
#include "process.hpp"

#include "ringside/ipc/event_ring.hpp"

namespace ringside {
namespace {

bool is_there(const DirectoryRecord& record) {
    return record.state == static_cast<std::uint32_t>(GameState::running) ||
           record.state == static_cast<std::uint32_t>(GameState::starting);
}

template <std::size_t size>
std::string text_of(const char (&characters)[size]) {
    return {characters, strnlen(characters, size)};
}

/// What waits in the fullest of its event rings. Positions are foreign.
std::uint32_t event_ring_bytes_of(const GameSegment& segment) {
    std::uint64_t most = 0;
    std::uint64_t active =
        segment.layout().fronts.active.load(std::memory_order_acquire);  // ACTIVE
    active &= (std::uint64_t{1} << front_slots_max) - 1;
    for (; active != 0; active &= active - 1) {
        const auto slot = static_cast<std::uint32_t>(std::countr_zero(active));
        const auto& ring =
            *reinterpret_cast<const EventRingHeader*>(segment.event_ring(slot).data());
        // Head first: then the tail is not behind it. Relaxed: a statistic.
        const std::uint64_t head = ring.head_position.load(std::memory_order_relaxed);
        const std::uint64_t waiting = ring.tail_position.load(std::memory_order_relaxed) - head;
        most = std::max(most, std::min<std::uint64_t>(waiting, segment.plan().event_ring_bytes));
    }
    return static_cast<std::uint32_t>(most);
}

HostLife life_of(const HostSegmentLayout& layout) {
    const auto found = look_at_process(layout.supervisor_pid);
    if (!found || found->start != layout.supervisor_start) {
        return HostLife::dead;
    }
    return found->state == 'T' || found->state == 't' ? HostLife::stopped : HostLife::running;
}

}  // namespace

HostObserver::HostObserver(std::string instance_path, HostSegment host) noexcept
    : instance_path_(std::move(instance_path)), host_(std::move(host)) {}

Result<HostObserver> HostObserver::open(const std::string& root, const std::string& instance) {
    auto host = observe_host(root, instance);
    if (!host) {
        return std::unexpected(std::move(host.error()));
    }
    return HostObserver(instance_path(root, instance), std::move(*host));
}

bool HostObserver::is_current() const {
    const auto now = HostSegment::open(host_segment_path(instance_path_), Access::read_only);
    return now && now->layout().supervisor_pid == host_.layout().supervisor_pid &&
           now->layout().supervisor_start == host_.layout().supervisor_start;
}

std::string HostObserver::game_path(GameId id) const {
    return game_segment_path(instance_path_, id);
}

HostReading HostObserver::host() const {
    const HostSegmentLayout& layout = host_.layout();
    HostReading reading{.life = life_of(layout),
                        .pid = layout.supervisor_pid,
                        .games_max = static_cast<std::uint32_t>(host_.games().size()),
                        .statistics = {},
                        .fronts = {}};
    if (auto statistics =
            read_statistics({.instance_path = instance_path_, .kind = StatisticsKind::host})) {
        reading.statistics = std::move(*statistics);
    }
    for (std::uint32_t slot = 0; slot < front_slots_max; ++slot) {
        auto statistics = read_statistics(
            {.instance_path = instance_path_, .kind = StatisticsKind::front, .slot = slot});
        if (!statistics) {
            continue;  // never used, or an embedder's
        }
        const FrontSlotLine& line = layout.front[slot];  // statistics: relaxed
        reading.fronts.push_back({.slot = slot,
                                  .pid = line.pid.load(std::memory_order_relaxed),
                                  .connections = line.connections.load(std::memory_order_relaxed),
                                  .turns = line.turns.load(std::memory_order_relaxed),
                                  .statistics = std::move(*statistics)});
    }
    return reading;
}

const GameSegment* HostObserver::segment_of(GameId id) {
    const auto known = segments_.find(id.slot);
    if (known != segments_.end() && known->second.first == id.epoch) {
        return &known->second.second;
    }
    segments_.erase(id.slot);
    auto segment = GameSegment::open(game_path(id), Access::read_only);
    if (!segment) {
        return nullptr;  // on its way in or out
    }
    return &segments_.emplace(id.slot, std::pair(id.epoch, std::move(*segment)))
                .first->second.second;
}

std::optional<GameReading> HostObserver::read_game(std::uint32_t slot,
                                                   const DirectoryRecord& record) {
    const GameSegment* segment = segment_of({.slot = slot, .epoch = record.epoch});
    if (segment == nullptr) {
        return std::nullopt;
    }
    constexpr auto relaxed = std::memory_order_relaxed;  // statistics
    const GameSegmentPlan& plan = segment->plan();
    const GameSegmentLayout& layout = segment->layout();
    const GameCounters& counters = layout.counters;
    std::uint64_t spectators = 0;
    for (const FrontLine& line : layout.front) {
        spectators += line.watchers.load(relaxed);
    }
    return GameReading{.id = {.slot = slot, .epoch = record.epoch},
                       .name = text_of(record.name),  // its segment the game could write
                       .type = text_of(record.type),
                       .size_label = text_of(record.size_label),
                       .state = static_cast<GameState>(record.state),
                       .pid = record.pid,
                       .restarts = record.restarts,
                       .created_ns = record.created_ns,
                       .progress = game_progress(layout.status.progress.load(relaxed)),
                       .spectators = spectators,
                       .tick_ns = plan.tick_ns,
                       .ticks = layout.status.tick.load(relaxed),
                       .deadline_ns = layout.status.deadline_ns.load(relaxed),
                       .missed_ticks = layout.status.missed_ticks.load(relaxed),
                       .snapshots = layout.status.sequence.load(relaxed),
                       .snapshot_bytes = counters.snapshot_bytes.load(relaxed),
                       .snapshot_bytes_high = counters.snapshot_bytes_high.load(relaxed),
                       .events_applied = counters.events_applied.load(relaxed),
                       .events_dropped = layout.status.dropped_events.load(relaxed),
                       .event_ring_bytes = event_ring_bytes_of(*segment),
                       .event_ring_bytes_high = counters.event_ring_bytes_high.load(relaxed),
                       .event_ring_capacity = plan.event_ring_bytes,
                       .cpu_ns = counters.cpu_ns.load(relaxed),
                       .usage_looked_at_ns = counters.usage_looked_at_ns.load(relaxed),
                       .memory_kib_high = counters.memory_kib_high.load(relaxed),
                       .waits = counters.waits.load(relaxed),
                       .preemptions = counters.preemptions.load(relaxed),
                       .segment_bytes = plan.event_rings_offset,
                       .lateness = layout.lateness.read(),
                       .tick_time = layout.tick_time.read()};
}

std::vector<GameReading> HostObserver::games() {
    std::vector<GameReading> found;
    for (std::uint32_t slot = 0; slot < host_.games().size(); ++slot) {
        DirectoryRecord record;
        if (!host_.games()[slot].read(record)) {
            continue;  // being written, or its writer died doing so
        }
        if (!is_there(record)) {
            segments_.erase(slot);
        } else if (auto game = read_game(slot, record)) {
            found.push_back(std::move(*game));
        }
    }
    return found;
}

std::optional<GameReading> HostObserver::game(const std::string& name) {
    for (std::uint32_t slot = 0; slot < host_.games().size(); ++slot) {
        DirectoryRecord record;
        if (host_.games()[slot].read(record) && is_there(record) && text_of(record.name) == name) {
            return read_game(slot, record);
        }
    }
    return std::nullopt;
}

}  // namespace ringside
