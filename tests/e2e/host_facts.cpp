#include "host_facts.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "ipc/instance.hpp"
#include "program.hpp"

#include "ringside/ipc/host_segment.hpp"

namespace fs = std::filesystem;

namespace ringside::test {
namespace {

std::map<std::string, DirectoryRecord> directory_of(const std::string& instance) {
    std::map<std::string, DirectoryRecord> by_file;
    const std::string path = instance_directory(instance);
    const auto host = HostSegment::open(host_segment_path(path), Access::read_only);
    if (!host) {
        return by_file;
    }
    for (std::uint32_t slot = 0; slot < host->games().size(); ++slot) {
        DirectoryRecord record;
        if (host->games()[slot].read(record)) {  // else its writer died half-way
            by_file.emplace(game_segment_path(path, {slot, record.epoch}), record);
        }
    }
    return by_file;
}

std::size_t count_in(const fs::path& folder) {
    std::error_code gone;
    std::size_t count = 0;
    for (auto entry = fs::directory_iterator(folder, gone);
         !gone && entry != fs::directory_iterator(); entry.increment(gone)) {
        ++count;
    }
    return count;
}

}  // namespace

std::vector<GameFacts> look_at_games(const std::string& instance) {
    std::vector<GameFacts> games;
    for (const auto& [file, record] : directory_of(instance)) {
        const auto segment = GameSegment::open(file);
        if (!segment) {
            continue;  // free, or on its way in or out
        }
        const GameStatusLine& status = segment->layout().status;  // statistics: relaxed
        const GameProgress progress =
            game_progress(status.progress.load(std::memory_order_relaxed));
        std::array<std::uint32_t, LatenessHistogram::bucket_count> lateness{};
        std::ranges::transform(
            segment->layout().lateness.counts, lateness.begin(),
            [](const auto& count) { return count.load(std::memory_order_relaxed); });
        games.push_back({.name = segment->plan().name,
                         .pid = record.pid,
                         .tick = status.tick.load(std::memory_order_relaxed),
                         .sequence = status.sequence.load(std::memory_order_relaxed),
                         .missed_ticks = status.missed_ticks.load(std::memory_order_relaxed),
                         .lateness = lateness,
                         .restarts = record.restarts,
                         .players = progress.players,
                         .ended = progress.ended});
    }
    return games;
}

std::optional<GameSegment> segment_of(const std::string& instance, pid_t game) {
    for (const auto& [file, record] : directory_of(instance)) {
        if (record.pid == game) {
            auto segment = GameSegment::open(file);
            return segment ? std::optional(std::move(*segment)) : std::nullopt;
        }
    }
    return std::nullopt;
}

std::vector<pid_t> children_of(pid_t parent) {
    std::vector<pid_t> children;
    std::error_code gone;
    for (auto task = fs::directory_iterator(fmt::format("/proc/{}/task", parent), gone);
         !gone && task != fs::directory_iterator(); task.increment(gone)) {
        std::ifstream in(task->path() / "children");
        for (pid_t child = 0; in >> child;) {
            children.push_back(child);
        }
    }
    return children;
}

Footprint footprint_of(pid_t host, const std::string& instance) {
    Footprint found;
    found.descriptors = count_in(fmt::format("/proc/{}/fd", host));
    found.files = count_in(instance_directory(instance));
    std::ifstream maps(fmt::format("/proc/{}/maps", host));
    for (std::string line; std::getline(maps, line);) {
        ++found.mappings;
    }
    std::vector<pid_t> processes{host};
    for (std::size_t i = 0; i < processes.size(); ++i) {
        const auto children = children_of(processes[i]);
        processes.insert(processes.end(), children.begin(), children.end());
    }
    found.processes = processes.size();
    return found;
}

}  // namespace ringside::test
