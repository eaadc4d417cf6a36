#include "replay.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <string_view>

#include <fmt/format.h>

#include "playback.hpp"
#include "recorded_match.hpp"
#include "verify.hpp"

#include "ringside/core/recording.hpp"
#include "ringside/tron/trace.hpp"

namespace ringside {
namespace {

constexpr int exit_passed = 0;
constexpr int exit_failed = 1;
constexpr int exit_unusable = 2;

int unusable(std::string_view path, std::string_view why) {
    fmt::print(stderr, "{}: {}\n", path, why);
    return exit_unusable;
}

enum class LineRead { line, end, too_long };

/// The next line, without ever holding more than the longest one allowed.
LineRead read_line(std::istream& in, std::string& line) {
    line.clear();
    std::streambuf& buffer = *in.rdbuf();
    for (int c = buffer.sbumpc(); c != std::char_traits<char>::eof(); c = buffer.sbumpc()) {
        if (c == '\n') {
            return LineRead::line;
        }
        if (line.size() == tron::trace_line_bytes_max) {
            return LineRead::too_long;
        }
        line.push_back(static_cast<char>(c));
    }
    return line.empty() ? LineRead::end : LineRead::line;
}

struct Tally {
    unsigned passed = 0;
    unsigned failed = 0;
};

void replay_one(const tron::Trace& trace, const tron::TraceDriverFactory& factory, Tally& tally) {
    const auto fail = [&](std::string_view what) {
        fmt::print("{}: {}\n", trace.id, what);
        ++tally.failed;
    };
    auto driver = factory(tron::config_of(trace));
    if (!driver) {
        fail(driver.error().text());
        return;
    }
    const auto outcome = tron::replay_trace(trace, **driver);
    if (!outcome) {
        fail(outcome.error().text());
    } else if (outcome->has_value()) {
        fail(fmt::format("tick {}: {}", (*outcome)->tick, (*outcome)->what));
    } else {
        ++tally.passed;
    }
}

}  // namespace

bool holds_recording(const std::string& path) {
    std::array<char, 12> begin{};
    std::ifstream in(path, std::ios::binary);
    in.read(begin.data(), begin.size());
    return in && recording::is_recording(std::as_bytes(std::span(begin)));
}

int run_replay_recording(const ReplayOptions& options) {
    const auto file = read_recording(options.path);
    if (!file) {
        return unusable(options.path, file.error().text());
    }
    if (!options.verify) {
        const auto played = play_back(*file);
        return played ? exit_passed : unusable(options.path, played.error().message);
    }
    const auto verdict = verify(*file);
    if (!verdict) {
        return unusable(options.path, verdict.error().message);
    }
    if (!verdict->difference.empty()) {
        fmt::print("{}: {}\n", options.path, verdict->difference);
        return exit_failed;
    }
    fmt::print("{}: {} frames, ticks {} to {}, {} gaps: the same states{}\n", options.path,
               verdict->frames, verdict->first_tick, verdict->last_tick, verdict->gaps,
               verdict->unfinished ? "; its last entry is not whole"
               : verdict->ended    ? ""
                                   : "; the game went on");
    return exit_passed;
}

int run_replay(const ReplayOptions& options) try {
    const auto factory = options.driver ? options.driver : tron::direct_driver_factory({});
    errno = 0;
    std::ifstream in(options.path, std::ios::binary);
    if (!in) {
        return unusable(options.path, errno_failure("cannot be opened").error().text());
    }
    Tally tally;
    std::string line;
    std::size_t line_number = 0;
    LineRead read{};
    while ((read = read_line(in, line)) == LineRead::line) {
        ++line_number;
        const auto trace = tron::parse_trace(line);
        if (!trace) {
            return unusable(options.path, fmt::format("line {} is damaged: {}", line_number,
                                                      trace.error().message));
        }
        replay_one(*trace, factory, tally);
    }
    if (read == LineRead::too_long) {
        return unusable(options.path, fmt::format("line {} is damaged: longer than {} bytes",
                                                  line_number + 1, tron::trace_line_bytes_max));
    }
    if (line_number == 0) {
        return unusable(options.path, "holds no traces: the file is empty");
    }
    if (options.kills) {
        fmt::print("{} processes killed, seed {}\n", options.kills->count, options.kills->seed);
    }
    fmt::print("{} passed, {} failed\n", tally.passed, tally.failed);
    return tally.failed == 0 ? exit_passed : exit_failed;
} catch (const std::exception& unreadable) {  // a directory reads as an exception of its buffer
    return unusable(options.path, fmt::format("cannot be read: {}", unreadable.what()));
}

}  // namespace ringside
