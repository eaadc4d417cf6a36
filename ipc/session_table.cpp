#include "ringside/ipc/session_table.hpp"

#include <algorithm>
#include <new>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace ringside {
namespace {

using Record = SharedRecord<SessionRecord>;

constexpr std::size_t table_bytes =
    sizeof(SessionTableLayout) + session_table_places * sizeof(Record);
constexpr std::uint32_t places_step = 56;  // about a page

std::string table_path(const std::string& instance_path, std::uint32_t front_slot) {
    return fmt::format("{}/sessions-{}", instance_path, front_slot);
}

std::span<Record> records_of(const SharedRegion& region) noexcept {
    auto* first = region.bytes().data() + sizeof(SessionTableLayout);
    return {std::launder(reinterpret_cast<Record*>(first)), session_table_places};
}

}  // namespace

SessionTable::SessionTable(std::string path, SharedRegion region) noexcept
    : path_(std::move(path)), region_(std::move(region)) {}

Result<SessionTable> SessionTable::create(const std::string& instance_path,
                                          std::uint32_t front_slot, std::uint32_t front_epoch) {
    std::string path = table_path(instance_path, front_slot);
    unlink(path.c_str());
    auto region = SharedRegion::create(
        {.path = path, .bytes_total = table_bytes, .bytes_reserved = sizeof(SessionTableLayout)});
    if (!region) {
        return std::unexpected(std::move(region.error()));
    }
    SessionTable table(std::move(path), std::move(*region));
    auto* layout = new (table.region_.bytes().data()) SessionTableLayout{};
    layout->layout_version = session_table_layout_version;
    layout->front_epoch = front_epoch;
    layout->magic.store(session_table_magic, std::memory_order_release);  // READY
    return table;
}

SessionTableLayout& SessionTable::layout() const noexcept {
    return *std::launder(reinterpret_cast<SessionTableLayout*>(region_.bytes().data()));
}

void SessionTable::write(std::uint32_t place, const SessionRecord& record) noexcept {
    if (show(place)) {
        records_of(region_)[place].write(record);
    }
}

/// Whether there is a page for it: to write where there is none would kill us if there is no
/// memory.
bool SessionTable::show(std::uint32_t place) noexcept {
    std::uint32_t shown =
        layout().places_shown.load(std::memory_order_relaxed);  // only we write it
    while (place >= shown) {
        const std::uint32_t more = std::min(shown + places_step, session_table_places);
        if (more == shown ||
            !SharedRegion::reserve(path_, sizeof(SessionTableLayout) + shown * sizeof(Record),
                                   (more - shown) * sizeof(Record))) {
            return false;
        }
        shown = more;
        layout().places_shown.store(shown, std::memory_order_release);  // SHOWN: they have pages
    }
    return true;
}

std::vector<SessionRecord> read_sessions(const std::string& instance_path, std::uint32_t front_slot,
                                         std::uint32_t front_epoch) {
    std::vector<SessionRecord> found;
    const auto region =
        SharedRegion::open(table_path(instance_path, front_slot), Access::read_only);
    if (!region || region->bytes().size() != table_bytes) {
        return found;
    }
    const auto& layout =
        *std::launder(reinterpret_cast<const SessionTableLayout*>(region->bytes().data()));
    if (layout.magic.load(std::memory_order_acquire) != session_table_magic ||  // READY
        layout.layout_version != session_table_layout_version ||
        layout.front_epoch != front_epoch) {
        return found;
    }
    const std::uint32_t shown =
        std::min(layout.places_shown.load(std::memory_order_acquire),  // SHOWN
                 session_table_places);
    for (const Record& shared : records_of(*region).first(shown)) {
        SessionRecord record{};
        if (shared.read(record) && record.session != 0) {
            found.push_back(record);
        }
    }
    return found;
}

}  // namespace ringside
