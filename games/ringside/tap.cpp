#include "tap.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "bot_process.hpp"
#include "tap_json.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/printable.hpp"
#include "ringside/ipc/host_observer.hpp"
#include "ringside/ipc/snapshot_ring.hpp"
#include "ringside/ipc/supervisor.hpp"

namespace ringside {
namespace {

// Well within what a snapshot ring holds, also of a game of 10 ms a tick.
constexpr std::int64_t poll_ns_min = 1'000'000;
constexpr std::int64_t poll_ns_max = 20'000'000;

int failed(const Error& error) {
    fmt::print(stderr, "ringside: {}\n", printable(error.text()));
    return 1;
}

/// A game's snapshots, one after the other.
class Tap {
public:
    static Result<Tap> open(const std::string& path) {
        auto segment = GameSegment::open(path, Access::read_only);
        if (!segment) {
            return std::unexpected(std::move(segment.error()));
        }
        auto reader = SnapshotReader::attach(segment->snapshot_ring());
        if (!reader) {
            return std::unexpected(std::move(reader.error()));
        }
        return Tap(std::move(*segment), std::move(*reader));
    }

    enum class Next : std::uint8_t { snapshot, nothing, damaged };

    /// Prints the next one.
    Next print_next() {
        const MutableBytes copy =
            std::as_writable_bytes(std::span(copy_)).first(reader_.payload_bytes_max());
        std::size_t bytes = 0;
        const std::uint64_t before = reader_.sequence();
        SnapshotRead read = reader_.read_next(copy, bytes);
        if (read == SnapshotRead::lapped) {
            read = reader_.read_newest(copy, bytes);
        }
        if (read == SnapshotRead::nothing || read == SnapshotRead::lapped) {
            return Next::nothing;
        }
        const auto parts =
            read == SnapshotRead::record ? parse_snapshot(copy.first(bytes)) : std::nullopt;
        if (!parts) {
            return Next::damaged;
        }
        auto json = snapshot_json(*parts, reader_.sequence(), segment_.plan().type);
        json["missed"] = before == 0 ? 0 : reader_.sequence() - before - 1;
        fmt::print("{}\n", json.dump());
        ended_ = (parts->header.flags & snapshot_ended) != 0;
        return Next::snapshot;
    }

    [[nodiscard]] bool ended() const noexcept { return ended_; }
    [[nodiscard]] std::int64_t poll_ns() const noexcept {
        return std::clamp(segment_.plan().tick_ns / 4, poll_ns_min, poll_ns_max);
    }

private:
    Tap(GameSegment segment, SnapshotReader reader)
        : segment_(std::move(segment)),
          reader_(std::move(reader)),
          copy_((reader_.payload_bytes_max() + std::size_t{7}) / 8) {}

    GameSegment segment_;
    SnapshotReader reader_;
    std::vector<std::uint64_t> copy_;
    bool ended_ = false;
};

/// Whether nothing can follow: its file is gone, or its host is dead.
bool is_over(const HostObserver& observer, const std::string& path) {
    return access(path.c_str(), F_OK) != 0 || observer.host().life == HostLife::dead;
}

int follow(Tap& tap, const HostObserver& observer, const std::string& path,
           std::uint64_t snapshots_max) {
    constexpr int looks_between_checks = 50;  // whether the host lives is a look into /proc
    const StopSignals stop_signals;
    std::uint64_t printed = 0;
    bool over = is_over(observer, path);
    for (int look = 1; !stop_asked(); ++look) {
        Tap::Next next = Tap::Next::nothing;
        while ((next = tap.print_next()) == Tap::Next::snapshot) {
            if (tap.ended() || ++printed == snapshots_max) {
                return 0;
            }
        }
        if (next == Tap::Next::damaged) {
            return failed({{}, "what the game publishes is damaged"});
        }
        if (over) {
            return 0;
        }
        std::fflush(stdout);
        // Before the next look at what it published: the last of it counts.
        over = look % looks_between_checks == 0 && is_over(observer, path);
        sleep_until(monotonic_ns() + tap.poll_ns());
    }
    return 0;
}

}  // namespace

int run_tap(const TapOptions& options) {
    auto observer = HostObserver::open(HostOptions{}.root, options.instance);
    if (!observer) {
        return failed(observer.error());
    }
    const auto game = observer->game(options.game);
    if (!game) {
        return failed(
            {{}, fmt::format("the host '{}' has no game '{}'", options.instance, options.game)});
    }
    const std::string path = observer->game_path(game->id);
    auto tap = Tap::open(path);
    if (!tap) {
        return failed(tap.error());
    }
    return follow(*tap, *observer, path, options.snapshots_max);
}

}  // namespace ringside
