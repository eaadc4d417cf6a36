#include "ringside/ipc/flight_log.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "instance.hpp"
#include "observe.hpp"
#include "process.hpp"

#include "ringside/core/printable.hpp"
#include "ringside/ipc/game_segment.hpp"

namespace ringside {
namespace {

constexpr std::string_view front_prefix = "flight-front-";

bool is_hexadecimal(std::string_view argument) {
    return argument == "session" || argument == "address" || argument == "creator";
}

bool is_key(std::string_view argument) {
    return argument == "game" || argument == "whom";
}

}  // namespace

struct FlightLog::Source {
    SharedRegion region;  // of a process's own file
    GameSegment segment;  // of a game
    FlightReader reader;
    std::uint32_t index = 0;
    std::optional<GameId> game;
    bool is_read = false;  // at least once
};

FlightLog::FlightLog(std::string directory) : directory_(std::move(directory)) {}
FlightLog::FlightLog(FlightLog&&) noexcept = default;
FlightLog& FlightLog::operator=(FlightLog&&) noexcept = default;
FlightLog::~FlightLog() = default;

void FlightLog::add_process(const std::string& path, std::string name) {
    auto region = SharedRegion::open(path, Access::read_only);
    if (!region) {
        return;
    }
    auto reader = FlightReader::attach(region->bytes(), flight_records_of_process, name);
    if (!reader) {
        return;
    }
    if (!scale_) {
        scale_ = reader->scale();
    }
    auto source = std::make_unique<Source>();
    source->region = std::move(*region);
    source->reader = *reader;
    source->index = sources();
    names_.push_back(std::move(name));
    source_games_.emplace_back();
    open_.push_back(std::move(source));
}

Result<FlightLog> FlightLog::open(const std::string& root, const std::string& instance) {
    if (auto judged = judge_instance_name(instance); !judged) {
        return std::unexpected(std::move(judged.error()));
    }
    const std::string directory = instance_path(root, instance);
    FlightLog log(directory);
    log.add_process(supervisor_flight_path(directory), "supervisor");
    std::vector<std::string> fronts;
    std::error_code error;
    for (std::filesystem::directory_iterator each(directory, error), end; !error && each != end;
         each.increment(error)) {
        const std::string file = each->path().filename();
        if (file.starts_with(front_prefix)) {
            fronts.push_back(file.substr(front_prefix.size()));
        }
    }
    std::ranges::sort(fronts);
    for (const std::string& slot : fronts) {
        log.add_process(directory + "/" + std::string(front_prefix) + slot, "front/" + slot);
    }
    log.refresh();
    if (log.open_.empty()) {
        return failure(
            std::errc::no_such_file_or_directory,
            fmt::format("no host named '{}' runs here or has left anything; name another "
                        "with --instance",
                        instance));
    }
    return log;
}

void FlightLog::refresh() {
    const auto games = games_in(directory_);
    if (!games) {
        return;  // the directory has gone; what is mapped is still there
    }
    for (const GameId id : *games) {
        if (games_.contains(game_key(id))) {
            continue;
        }
        auto segment = GameSegment::open(game_segment_path(directory_, id), Access::read_only);
        if (!segment) {
            continue;  // being made, or gone again
        }
        const std::string name = printable(game_process_name(segment->plan()));
        auto reader = FlightReader::attach(segment->flight(), flight_records_of_game, name);
        if (!reader) {
            continue;
        }
        if (!scale_) {
            scale_ = reader->scale();
        }
        auto source = std::make_unique<Source>();
        source->segment = std::move(*segment);
        source->reader = *reader;
        source->index = sources();
        source->game = id;
        games_.emplace(game_key(id), name);
        names_.push_back(name);
        source_games_.emplace_back(id);
        open_.push_back(std::move(source));
    }
    std::erase_if(open_, [&](const std::unique_ptr<Source>& source) {
        return source->game && std::ranges::find(*games, *source->game) == games->end();
    });
}

std::vector<FlightEntry> FlightLog::read() {
    std::vector<FlightEntry> entries;
    std::vector<Happened> read_now;
    for (const auto& source : open_) {
        read_now.clear();
        const std::uint64_t lost = source->reader.read(read_now);
        // What was overwritten before anybody looked is no loss.
        lost_ += std::exchange(source->is_read, true) ? lost : 0;
        for (const Happened& each : read_now) {
            entries.push_back({scale_->ns(each.stamp), source->index, each});
        }
    }
    std::ranges::stable_sort(entries, {},
                             [](const FlightEntry& entry) { return entry.happened.stamp; });
    return entries;
}

std::optional<GameId> FlightLog::game(const std::string& name) const {
    std::optional<GameId> found;
    for (const auto& [key, process_name] : games_) {
        if (process_name.ends_with("/" + name)) {
            found = game_of_key(key);
        }
    }
    return found;
}

std::string FlightLog::whom_text(std::uint64_t whom) const {
    if (const auto found = games_.find(whom); found != games_.end()) {
        return found->second;
    }
    const auto index = static_cast<std::uint32_t>(whom);
    if (whom == front_key(index)) {
        return fmt::format("front/{}", index);
    }
    if (whom == nursery_key(index)) {
        return fmt::format("nursery {}", index);
    }
    const GameId game = game_of_key(whom);
    return fmt::format("game {}-{}", game.slot, game.epoch);
}

namespace {

/// Calls visit(name, value, is text) for each argument that means something.
template <class Visit>
void visit_arguments(const FlightLog& log, const Happened& happened, Visit visit) {
    const HappeningNames& names = happening_names[static_cast<std::size_t>(happened.what)];
    const std::pair<std::string_view, std::uint64_t> arguments[] = {
        {names.first, happened.first},
        {names.second, happened.second},
        {names.third, happened.third},
    };
    for (const auto& [name, argument] : arguments) {
        if (name == "none") {
            continue;
        }
        if (is_key(name)) {
            visit(name, log.whom_text(argument), true);
        } else if (is_hexadecimal(name)) {
            visit(name, fmt::format("{:016x}", argument), true);
        } else {
            visit(name, std::to_string(argument), false);
        }
    }
}

}  // namespace

std::string json_of(const FlightLog& log, const FlightEntry& entry) {
    // Names have neither quotes nor backslashes: is_game_name(), and what printable() leaves of a
    // foreign one is shown with them replaced.
    const auto quoted = [](std::string text) {
        std::ranges::replace_if(text, [](char c) { return c == '"' || c == '\\'; }, '?');
        return '"' + text + '"';
    };
    std::string line = fmt::format(
        R"({{"ns":{},"process":{},"what":"{}")", entry.ns, quoted(log.name(entry.source)),
        happening_names[static_cast<std::size_t>(entry.happened.what)].name);
    visit_arguments(log, entry.happened,
                    [&](std::string_view name, const std::string& value, bool is_text) {
                        line += fmt::format(R"(,"{}":{})", name, is_text ? quoted(value) : value);
                    });
    return line + '}';
}

std::string text_of(const FlightLog& log, const FlightEntry& entry, std::int64_t ns_ago) {
    std::string line = fmt::format(
        "{:>14.6f} ms  {:<32}  {:<18}", -static_cast<double>(ns_ago) / 1e6, log.name(entry.source),
        happening_names[static_cast<std::size_t>(entry.happened.what)].name);
    visit_arguments(log, entry.happened,
                    [&](std::string_view name, const std::string& value, bool) {
                        line += fmt::format("  {}={}", name, value);
                    });
    return line;
}

}  // namespace ringside
