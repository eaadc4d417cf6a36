#include "ringside/ipc/statistics.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ringside/core/clock.hpp"
#include "ringside/core/printable.hpp"
#include "ringside/ipc/shared_words.hpp"

namespace ringside {
namespace {

std::string path_of(const StatisticsFile::Owner& owner) {
    return owner.kind == StatisticsKind::host
               ? owner.instance_path + "/statistics-host"
               : fmt::format("{}/statistics-front-{}", owner.instance_path, owner.slot);
}

const StatisticsLayout& layout_of(const SharedRegion& region) {
    return *std::launder(reinterpret_cast<const StatisticsLayout*>(region.bytes().data()));
}

Result<void> judge(const SharedRegion& region, const StatisticsFile::Owner& owner) {
    const auto refused = [&](std::errc code, std::string_view why) {
        return failure(code, fmt::format("statistics {}: {}", path_of(owner), why));
    };
    if (region.bytes().size() != sizeof(StatisticsLayout)) {
        return refused(std::errc::bad_message, "of another size than this program's");
    }
    const StatisticsLayout& layout = layout_of(region);
    const std::uint32_t magic = layout.magic.load(std::memory_order_acquire);  // READY
    if (magic != statistics_magic) {
        return refused(
            magic == 0 ? std::errc::resource_unavailable_try_again : std::errc::bad_message,
            magic == 0 ? "not ready yet" : "not one of Ringside's");
    }
    if (layout.layout_version != statistics_layout_version) {
        return refused(std::errc::not_supported,
                       fmt::format("layout version {}, this program reads {}",
                                   layout.layout_version, statistics_layout_version));
    }
    if (layout.kind != static_cast<std::uint32_t>(owner.kind) || layout.slot != owner.slot) {
        return refused(std::errc::bad_message, "another process's");
    }
    return {};
}

/// What is left of an error's text without numbers and without what stands in quotes.
std::string skeleton_of(std::string_view text) {
    std::string skeleton;
    bool quoted = false;
    for (const char each : text) {
        if (each == '\'') {
            quoted = !quoted;
            skeleton += each;
        } else if (!quoted && (each < '0' || each > '9')) {
            skeleton += each;
        }
    }
    return skeleton;
}

std::string text_of(const ErrorEntry& entry) {
    // Foreign: what another process wrote. Read once, then judged.
    const std::uint64_t bytes = std::min<std::uint64_t>(entry.text_bytes, error_text_bytes_max);
    std::array<std::byte, error_text_bytes_max> copy{};
    load_shared(copy, entry.text);
    return {reinterpret_cast<const char*>(copy.data()), static_cast<std::size_t>(bytes)};
}

std::uint64_t kept_count_of(const ErrorLogLayout& errors) {
    return std::min<std::uint64_t>(errors.kept_count.load(std::memory_order_acquire),  // KEPT
                                   distinct_errors_max);
}

std::int64_t now_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace

StatisticsFile::StatisticsFile() : unshared_(sizeof(StatisticsLayout) + alignof(StatisticsLayout)) {
    void* place = unshared_.data();
    std::size_t room = unshared_.size();
    layout_ = new (std::align(alignof(StatisticsLayout), sizeof(StatisticsLayout), place, room))
        StatisticsLayout{};
}

Result<StatisticsFile> StatisticsFile::open(const Owner& owner) {
    const std::string path = path_of(owner);
    StatisticsFile file;
    auto region = SharedRegion::open(path, Access::read_write);
    if (region && judge(*region, owner)) {
        file.region_ = std::move(*region);
        file.layout_ =
            std::launder(reinterpret_cast<StatisticsLayout*>(file.region_.bytes().data()));
        for (std::uint64_t i = 0; i < kept_count_of(file.layout_->errors); ++i) {
            file.skeletons_.push_back(skeleton_of(text_of(file.layout_->errors.entry[i])));
        }
    } else {
        unlink(path.c_str());
        region = SharedRegion::create({.path = path,
                                       .bytes_total = sizeof(StatisticsLayout),
                                       .bytes_reserved = sizeof(StatisticsLayout)});
        if (!region) {
            return std::unexpected(std::move(region.error()));
        }
        file.region_ = std::move(*region);
        file.layout_ = new (file.region_.bytes().data()) StatisticsLayout{};
        file.layout_->layout_version = statistics_layout_version;
        file.layout_->file_bytes = sizeof(StatisticsLayout);
        file.layout_->kind = static_cast<std::uint32_t>(owner.kind);
        file.layout_->slot = owner.slot;
    }
    file.unshared_ = {};
    // No game, forked by way of a nursery, may write into what its supervisor counts.
    madvise(file.region_.bytes().data(), file.region_.bytes().size(), MADV_DONTFORK);
    file.layout_->pid.store(getpid(), std::memory_order_relaxed);
    file.layout_->started_ns.store(monotonic_ns(), std::memory_order_relaxed);
    file.layout_->magic.store(statistics_magic, std::memory_order_release);  // READY
    return file;
}

void StatisticsFile::report(LogLevel level, std::string_view text) {
    log(level, text);
    note_error(text);
}

void StatisticsFile::note_error(std::string_view text) {
    if constexpr (!statistics_enabled) {
        return;
    }
    ErrorLogLayout& errors = layout_->errors;  // stores are relaxed: nobody else writes it
    std::string skeleton = skeleton_of(text);
    const auto known = std::ranges::find(skeletons_, skeleton);
    if (known == skeletons_.end() && skeletons_.size() == distinct_errors_max) {
        errors.not_kept_count.store(errors.not_kept_count.load(std::memory_order_relaxed) + 1,
                                    std::memory_order_relaxed);
        return;
    }
    ErrorEntry& entry = errors.entry[known - skeletons_.begin()];
    const std::int64_t time_ns = now_ns();
    entry.last_ns.store(time_ns, std::memory_order_relaxed);
    if (known != skeletons_.end()) {
        entry.count.store(entry.count.load(std::memory_order_relaxed) + 1,
                          std::memory_order_relaxed);
        return;
    }
    entry.count.store(1, std::memory_order_relaxed);  // whatever one who died here has left
    const std::string_view kept = text.substr(0, error_text_bytes_max);
    entry.first_ns.store(time_ns, std::memory_order_relaxed);
    entry.text_bytes = kept.size();
    store_shared(entry.text, std::as_bytes(std::span(kept)));
    skeletons_.push_back(std::move(skeleton));
    errors.kept_count.store(skeletons_.size(), std::memory_order_release);  // KEPT
}

Result<StatisticsReading> read_statistics(const StatisticsFile::Owner& owner) {
    const auto region = SharedRegion::open(path_of(owner), Access::read_only);
    if (!region) {
        return std::unexpected(region.error());
    }
    if (auto judged = judge(*region, owner); !judged) {
        return std::unexpected(std::move(judged.error()));
    }
    const StatisticsLayout& layout = layout_of(*region);
    StatisticsReading reading;
    reading.pid = layout.pid.load(std::memory_order_relaxed);
    reading.started_ns = layout.started_ns.load(std::memory_order_relaxed);
    for (std::uint32_t i = 0; i < statistics_max; ++i) {
        reading.values[i] = layout.counters[i].load(std::memory_order_relaxed);
    }
    reading.times = layout.times.read();
    for (std::uint64_t i = 0; i < kept_count_of(layout.errors); ++i) {
        const ErrorEntry& entry = layout.errors.entry[i];
        reading.errors.push_back({.text = text_of(entry),
                                  .count = entry.count.load(std::memory_order_relaxed),
                                  .first_ns = entry.first_ns.load(std::memory_order_relaxed),
                                  .last_ns = entry.last_ns.load(std::memory_order_relaxed)});
    }
    reading.errors_not_kept = layout.errors.not_kept_count.load(std::memory_order_relaxed);
    return reading;
}

}  // namespace ringside
