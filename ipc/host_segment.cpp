#include "ringside/ipc/host_segment.hpp"

#include <algorithm>
#include <iterator>
#include <new>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "process.hpp"
#include "round_up.hpp"

namespace ringside {
namespace {

std::size_t host_bytes(std::uint32_t games_max) {
    return sizeof(HostSegmentLayout) + games_max * sizeof(SharedRecord<DirectoryRecord>);
}

std::size_t bitmap_bytes(std::uint32_t games_max) {
    return round_up((games_max + 7) / 8, cache_line_bytes);
}

std::size_t doorbell_bytes(std::uint32_t games_max) {
    return sizeof(DoorbellSegmentLayout) + bitmap_bytes(games_max) * front_slots_max;
}

// Both segments begin alike; `bytes_for` gives the size that a number of games asks for.
template <class Layout>
Result<std::uint32_t> checked_games_max(const SharedRegion& region, const std::string& path,
                                        std::uint32_t magic_wanted,
                                        std::size_t (*bytes_for)(std::uint32_t)) {
    const std::size_t file_bytes = region.bytes().size();
    if (file_bytes < sizeof(Layout)) {
        return failure(std::errc::bad_message, fmt::format("segment {}: too small", path));
    }
    const auto& layout = *std::launder(reinterpret_cast<const Layout*>(region.bytes().data()));
    const std::uint32_t magic = layout.magic.load(std::memory_order_acquire);  // READY
    if (magic != magic_wanted) {
        return failure(
            magic == 0 ? std::errc::resource_unavailable_try_again : std::errc::bad_message,
            fmt::format("segment {}: {}", path,
                        magic == 0 ? "not ready yet" : "not one of Ringside's"));
    }
    if (layout.layout_version != host_segment_layout_version) {
        return failure(std::errc::not_supported,
                       fmt::format("segment {}: layout version {}, this program reads {}", path,
                                   layout.layout_version, host_segment_layout_version));
    }
    const std::uint32_t games_max = layout.games_max;  // read once, then judged
    if (games_max == 0 || games_max > games_max_limit || bytes_for(games_max) != file_bytes) {
        return failure(
            std::errc::bad_message,
            fmt::format("segment {}: its header contradicts its {} bytes", path, file_bytes));
    }
    return games_max;
}

template <class Layout>
Layout& make(SharedRegion& region, std::uint32_t games_max) {
    auto* layout = new (region.bytes().data()) Layout{};
    layout->layout_version = host_segment_layout_version;
    layout->segment_bytes = region.bytes().size();
    layout->games_max = games_max;
    return *layout;
}

}  // namespace

// BAN: an address is read only behind the time that is stored after it, so that a ban that takes
// the place of an old one is never seen half.
bool is_banned(const HostSegmentLayout& layout, std::uint64_t address,
               std::int64_t now_ns) noexcept {
    return address != 0 && std::ranges::any_of(layout.ban, [&](const BanLine& line) {
               return line.until_ns.load(std::memory_order_acquire) > now_ns &&  // BAN
                      line.address.load(std::memory_order_relaxed) == address;
           });
}

bool ban(HostSegmentLayout& layout, std::uint64_t address, std::int64_t until_ns,
         std::int64_t now_ns) noexcept {
    // Relaxed: we alone write.
    auto line = std::ranges::find_if(layout.ban, [&](const BanLine& each) {
        return each.address.load(std::memory_order_relaxed) == address;
    });
    if (line == std::end(layout.ban)) {
        line = std::ranges::find_if(layout.ban, [&](const BanLine& each) {
            return each.until_ns.load(std::memory_order_relaxed) <= now_ns;
        });
    }
    if (line == std::end(layout.ban)) {
        return false;
    }
    line->until_ns.store(0, std::memory_order_relaxed);
    line->address.store(address, std::memory_order_release);  // BAN: behind the 0
    line->until_ns.store(until_ns > now_ns ? until_ns : 0, std::memory_order_release);  // BAN
    return true;
}

Result<HostSegment> HostSegment::create(const std::string& path, std::uint32_t games_max) {
    const std::size_t bytes = host_bytes(games_max);
    auto region =
        SharedRegion::create({.path = path, .bytes_total = bytes, .bytes_reserved = bytes});
    if (!region) {
        return std::unexpected(std::move(region.error()));
    }
    auto& layout = make<HostSegmentLayout>(*region, games_max);
    layout.supervisor_pid = getpid();
    if (const auto self = look_at_process(getpid())) {
        layout.supervisor_start = self->start;
    }
    HostSegment segment;
    segment.region_ = std::move(*region);
    segment.games_max_ = games_max;
    layout.magic.store(host_segment_magic, std::memory_order_release);  // READY
    return segment;
}

Result<HostSegment> HostSegment::open(const std::string& path, Access access) {
    auto region = SharedRegion::open(path, access);
    if (!region) {
        return std::unexpected(std::move(region.error()));
    }
    const auto games_max =
        checked_games_max<HostSegmentLayout>(*region, path, host_segment_magic, host_bytes);
    if (!games_max) {
        return std::unexpected(games_max.error());
    }
    HostSegment segment;
    segment.region_ = std::move(*region);
    segment.games_max_ = *games_max;
    return segment;
}

HostSegmentLayout& HostSegment::layout() const noexcept {
    return *std::launder(reinterpret_cast<HostSegmentLayout*>(region_.bytes().data()));
}

std::span<SharedRecord<DirectoryRecord>> HostSegment::games() const noexcept {
    auto* first = region_.bytes().data() + sizeof(HostSegmentLayout);
    return {std::launder(reinterpret_cast<SharedRecord<DirectoryRecord>*>(first)), games_max_};
}

Result<DoorbellSegment> DoorbellSegment::create(const std::string& path, std::uint32_t games_max) {
    const std::size_t bytes = doorbell_bytes(games_max);
    auto region =
        SharedRegion::create({.path = path, .bytes_total = bytes, .bytes_reserved = bytes});
    if (!region) {
        return std::unexpected(std::move(region.error()));
    }
    auto& layout = make<DoorbellSegmentLayout>(*region, games_max);
    DoorbellSegment segment;
    segment.region_ = std::move(*region);
    segment.games_max_ = games_max;
    layout.magic.store(doorbell_segment_magic, std::memory_order_release);  // READY
    return segment;
}

Result<DoorbellSegment> DoorbellSegment::open(const std::string& path) {
    auto region = SharedRegion::open(path, Access::read_write);
    if (!region) {
        return std::unexpected(std::move(region.error()));
    }
    const auto games_max = checked_games_max<DoorbellSegmentLayout>(
        *region, path, doorbell_segment_magic, doorbell_bytes);
    if (!games_max) {
        return std::unexpected(games_max.error());
    }
    DoorbellSegment segment;
    segment.region_ = std::move(*region);
    segment.games_max_ = *games_max;
    return segment;
}

BellWord& DoorbellSegment::bell(std::uint32_t front_slot) const noexcept {
    return std::launder(reinterpret_cast<DoorbellSegmentLayout*>(region_.bytes().data()))
        ->front[front_slot];
}

RingingGames DoorbellSegment::ringing(std::uint32_t front_slot) const noexcept {
    auto* first = region_.bytes().data() + sizeof(DoorbellSegmentLayout) +
                  bitmap_bytes(games_max_) * front_slot;
    return RingingGames({reinterpret_cast<std::atomic<std::uint64_t>*>(first),
                         bitmap_bytes(games_max_) / sizeof(std::uint64_t)});
}

}  // namespace ringside
