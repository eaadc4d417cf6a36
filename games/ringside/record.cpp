#include "record.hpp"

#include <algorithm>
#include <cstdio>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "bot_process.hpp"
#include "output_file.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/printable.hpp"
#include "ringside/ipc/recorder.hpp"
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

enum class Outcome { ended, stopped, gone, damaged };

std::string_view text_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::ended: return "the game ended";
        case Outcome::stopped: return "the game goes on";
        case Outcome::gone: return "the game was taken away without an end";
        case Outcome::damaged: return "what the game publishes is damaged";
    }
    return "";
}

Result<Outcome> follow(Recorder& recorder, const std::string& segment_path, OutputFile& output) {
    const StopSignals stop_signals;
    const std::int64_t poll_ns = std::clamp(recorder.plan().tick_ns / 4, poll_ns_min, poll_ns_max);
    std::vector<std::byte> news;
    for (;;) {
        // Before the look at what it published: the last of it counts.
        const bool gone = access(segment_path.c_str(), F_OK) != 0;
        const bool stopped = stop_asked();
        const Recorder::State state = recorder.record(news);
        if (auto written = output.append(news); !written) {
            return std::unexpected(std::move(written.error()));
        }
        news.clear();
        if (state == Recorder::State::ended || state == Recorder::State::damaged) {
            return state == Recorder::State::ended ? Outcome::ended : Outcome::damaged;
        }
        if (gone || stopped) {
            return gone ? Outcome::gone : Outcome::stopped;
        }
        sleep_until(monotonic_ns() + poll_ns);
    }
}

}  // namespace

int run_record(const RecordOptions& options) {
    const auto observer = GameObserver::open(HostOptions{}.root, options.instance);
    if (!observer) {
        return failed(observer.error());
    }
    const std::vector<ObservedGame> games = observer->games();
    const auto game = std::ranges::find(games, options.game, &ObservedGame::name);
    if (game == games.end()) {
        return failed(
            {{}, fmt::format("the host '{}' has no game '{}'", options.instance, options.game)});
    }
    auto recorder = Recorder::open(game->segment_path, Recorder::Extent::all);
    if (!recorder) {
        return failed(recorder.error());
    }
    const std::string path = options.path.empty() ? options.game + ".replay" : options.path;
    auto output = OutputFile::create(path);
    if (!output) {
        return failed(output.error());
    }
    const auto outcome = follow(*recorder, game->segment_path, *output);
    if (!outcome) {
        return failed(outcome.error());
    }
    fmt::print("{}: {} frames to tick {}, {} gaps, {} bytes; {}\n", path, recorder->frames(),
               recorder->tick(), recorder->gaps(), output->bytes(), text_of(*outcome));
    return *outcome == Outcome::ended || *outcome == Outcome::stopped ? 0 : 1;
}

}  // namespace ringside
