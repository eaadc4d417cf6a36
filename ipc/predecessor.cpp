#include "predecessor.hpp"

#include <algorithm>
#include <fstream>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "process.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/log.hpp"
#include "ringside/ipc/host_segment.hpp"

namespace ringside {
namespace {

constexpr std::int64_t gone_give_up_ns = 5'000'000'000;
constexpr std::int64_t gone_poll_ns = 1'000'000;

// The kernel drops a dying process's lock a moment before it kills the children, so they may still
// run when the next host has the name.
template <class IsIt>
Result<void> wait_until_gone(pid_t pid, IsIt is_it) {
    const std::int64_t give_up_ns = monotonic_ns() + gone_give_up_ns;
    for (;;) {
        const bool other = pid > 0 && pid != getpid();  // a host may take over from itself
        const auto found = other ? look_at_process(pid) : std::nullopt;
        if (!found || !is_it(*found)) {
            return {};
        }
        if (monotonic_ns() > give_up_ns) {
            return failure(std::errc::device_or_resource_busy,
                           fmt::format("process {} ({}) of the host before this one still runs; "
                                       "end it",
                                       pid, found->name));
        }
        sleep_until(monotonic_ns() + gone_poll_ns);
    }
}

bool is_of_other_version(const Error& error) {
    return error.code == std::errc::not_supported;
}

// Whether the file itself is at fault: half-made, foreign, or gone meanwhile. Everything else that
// keeps it from being opened is the system's doing, and can be mended: descriptors, memory,
// mappings, permissions.
bool is_unusable(const Error& error) {
    constexpr std::array faults{std::errc::bad_message,
                                std::errc::resource_unavailable_try_again,  // not ready
                                std::errc::invalid_argument,                // empty, or no file
                                std::errc::too_many_symbolic_link_levels,
                                std::errc::is_a_directory,
                                std::errc::no_such_device_or_address,
                                std::errc::no_such_file_or_directory};
    return std::ranges::any_of(faults, [&](std::errc fault) { return error.code == fault; });
}

Error with_cure(std::string text, std::string_view cure) {
    return {std::make_error_code(std::errc::not_supported),
            fmt::format("{}; {}, or end its games with --fresh", text, cure)};
}

// Why a file that somebody could go on with was not opened.
Error refusal(const Error& error) {
    if (is_of_other_version(error)) {
        return with_cure(error.message, "start the version that made it");
    }
    return {error.code, fmt::format("{}; its games are kept: start it again when that is mended, "
                                    "or end them with --fresh",
                                    error.message)};
}

Result<void> judge_plan(const GameSegmentPlan& plan, std::uint32_t games_max,
                        std::span<const GameType* const> types) {
    if (plan.slot >= games_max) {
        return std::unexpected(
            with_cure(fmt::format("game '{}' is in slot {} of a host of {} games", plan.name,
                                  plan.slot, games_max),
                      fmt::format("raise --games-max to {} or more", plan.slot + 1)));
    }
    if (std::ranges::none_of(types, [&](const GameType* type) {
            return type->name() == std::string_view(plan.type);
        })) {
        return std::unexpected(with_cure(
            fmt::format("game '{}' is a {}, a type this host does not have", plan.name, plan.type),
            "start it with that type"));
    }
    return {};
}

class Taking {
public:
    Taking(std::string instance_path, std::uint32_t games_max,
           std::span<const GameType* const> types)
        : path_(std::move(instance_path)), games_max_(games_max), types_(types) {}

    Result<Predecessor> run() {
        const auto files = games_in(path_);
        if (!files) {
            return std::unexpected(refusal(files.error()));
        }
        if (auto read = read_host(); !read && !files->empty()) {
            return std::unexpected(std::move(read.error()));
        }
        for (const GameId id : *files) {
            if (auto judged = judge(id); !judged) {
                return std::unexpected(std::move(judged.error()));
            }
        }
        for (const std::string& path : unusable_) {
            unlink(path.c_str());
        }
        return std::move(found_);
    }

private:
    Result<void> read_host() {
        auto host = HostSegment::open(host_segment_path(path_), Access::read_only);
        if (!host && is_unusable(host.error())) {
            return {};  // its games tell the epochs too
        }
        if (!host) {
            return std::unexpected(refusal(host.error()));
        }
        const auto is_supervisor = [&](const ProcessFacts& found) {
            return found.start == host->layout().supervisor_start;
        };
        if (auto gone = wait_until_gone(host->layout().supervisor_pid, is_supervisor); !gone) {
            return gone;
        }
        for (std::uint32_t slot = 0; slot < front_slots_max; ++slot) {
            found_.front_epochs[slot] =
                host->layout().front[slot].epoch.load(std::memory_order_relaxed);
        }
        for (const BanLine& line : host->layout().ban) {
            const std::int64_t until_ns = line.until_ns.load(std::memory_order_relaxed);
            if (until_ns > monotonic_ns()) {
                found_.bans.emplace_back(line.address.load(std::memory_order_relaxed), until_ns);
            }
        }
        host_ = std::move(*host);
        return {};
    }

    Result<void> judge(GameId id) {
        const std::string path = game_segment_path(path_, id);
        auto segment = GameSegment::open(path);
        if (!segment && !is_unusable(segment.error())) {
            return std::unexpected(refusal(segment.error()));
        }
        if (!segment || segment->plan().slot != id.slot || segment->plan().epoch != id.epoch) {
            log(LogLevel::warning, (segment ? fmt::format("game segment {}: of another name", path)
                                            : segment.error().text()) +
                                       "; removing it");
            unusable_.push_back(path);
            return {};
        }
        return keep(std::move(*segment));
    }

    Result<void> keep(GameSegment segment) {
        const GameSegmentPlan& plan = segment.plan();
        if (auto judged = judge_plan(plan, games_max_, types_); !judged) {
            return judged;
        }
        const GameSegmentLayout& layout = segment.layout();
        const pid_t owner = layout.header.owner_pid.load(std::memory_order_relaxed);
        const auto is_game = [&plan](const ProcessFacts& found) {
            return game_process_name(plan).starts_with(found.name);
        };
        if (auto gone = wait_until_gone(owner, is_game); !gone) {
            return gone;
        }
        for (std::uint32_t slot = 0; slot < front_slots_max; ++slot) {
            const std::uint32_t epoch =
                layout.front_epochs.epoch[slot].load(std::memory_order_relaxed);
            found_.front_epochs[slot] = std::max(found_.front_epochs[slot], epoch);
        }
        LeftGame game{.segment = std::move(segment)};
        DirectoryRecord record;
        if (host_ && plan.slot < host_->games().size() && host_->games()[plan.slot].read(record) &&
            record.epoch == plan.epoch) {
            game.created_ns = record.created_ns;
            game.restarts = record.restarts;
        }
        found_.games.push_back(std::move(game));
        return {};
    }

    std::string path_;
    std::uint32_t games_max_;
    std::span<const GameType* const> types_;
    std::optional<HostSegment> host_;
    Predecessor found_;
    std::vector<std::string> unusable_;
};

}  // namespace

Result<Predecessor> take_over(const Instance& instance, std::uint32_t games_max,
                              std::span<const GameType* const> types) {
    return Taking(instance.path(), games_max, types).run();
}

Result<std::size_t> check_take_over(const std::string& instance_path, std::uint32_t games_max,
                                    std::span<const GameType* const> types) {
    const auto files = games_in(instance_path);
    if (!files) {
        return std::unexpected(files.error());
    }
    std::size_t count = 0;
    for (const GameId id : *files) {
        const auto segment = GameSegment::open(game_segment_path(instance_path, id));
        if (!segment && is_unusable(segment.error())) {
            continue;  // half-made, or gone meanwhile
        }
        if (!segment) {
            return std::unexpected(segment.error());
        }
        if (auto judged = judge_plan(segment->plan(), games_max, types); !judged) {
            return std::unexpected(std::move(judged.error()));
        }
        ++count;
    }
    const auto host = HostSegment::open(host_segment_path(instance_path), Access::read_only);
    if (!host && !is_unusable(host.error()) && count != 0) {
        return std::unexpected(host.error());
    }
    return count;
}

}  // namespace ringside
