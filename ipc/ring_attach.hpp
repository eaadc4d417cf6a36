#pragma once
// What attaching to either ring checks first: absent, not ready, another layout, damaged.

#include <atomic>
#include <bit>
#include <cstdint>
#include <span>

#include <fmt/format.h>

#include "ringside/core/game.hpp"
#include "ringside/core/invariant.hpp"

namespace ringside {

struct RingLayout {
    const char* name;
    std::uint32_t magic;
    std::uint32_t layout_version;
    std::uint32_t capacity_bytes_min;
};

inline bool is_ring_capacity(std::uint32_t capacity_bytes, const RingLayout& layout) noexcept {
    return std::has_single_bit(capacity_bytes) && capacity_bytes >= layout.capacity_bytes_min;
}

// One load of a header field that another process could overwrite. Relaxed: READY came before.
inline std::uint32_t load_field(const std::uint32_t& field) noexcept {
    return std::atomic_ref(const_cast<std::uint32_t&>(field)).load(std::memory_order_relaxed);
}

/// The capacity of the ring in `region`, as a private copy that every later access is clamped to.
template <class Header>
Result<std::uint32_t> checked_ring_capacity(Bytes region, const RingLayout& layout) {
    if (region.size() < sizeof(Header)) {
        return failure(std::errc::no_such_file_or_directory,
                       fmt::format("{}: absent: a region of {} bytes has no room for the header",
                                   layout.name, region.size()));
    }
    invariant(std::bit_cast<std::uintptr_t>(region.data()) % alignof(Header) == 0,
              "a ring starts on a cache line");
    const auto& header = *reinterpret_cast<const Header*>(region.data());
    // READY: release in create; carries the rest of the header.
    const std::uint32_t magic = header.magic.load(std::memory_order_acquire);
    if (magic == 0) {
        return failure(std::errc::resource_unavailable_try_again,
                       fmt::format("{}: not ready: its creator has not finished", layout.name));
    }
    if (magic != layout.magic) {
        return failure(std::errc::bad_message,
                       fmt::format("{}: damaged: magic {:#x}", layout.name, magic));
    }
    const std::uint32_t layout_version = load_field(header.layout_version);
    if (layout_version != layout.layout_version) {
        return failure(std::errc::protocol_not_supported,
                       fmt::format("{}: layout {}, this program reads {}: run the same build at "
                                   "both ends",
                                   layout.name, layout_version, layout.layout_version));
    }
    const std::uint32_t capacity_bytes = load_field(header.capacity_bytes);
    if (!is_ring_capacity(capacity_bytes, layout) ||
        capacity_bytes > region.size() - sizeof(Header)) {
        return failure(std::errc::bad_message,
                       fmt::format("{}: damaged: capacity {} in a region of {} bytes", layout.name,
                                   capacity_bytes, region.size()));
    }
    return capacity_bytes;
}

}  // namespace ringside
