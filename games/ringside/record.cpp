#include "record.hpp"

#include <algorithm>
#include <cstdio>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "bot_process.hpp"

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

/// A new file, which grows at its end.
class Output {
public:
    static Result<Output> create(const std::string& path) {
        const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0) {
            return errno_failure(fmt::format("cannot make the file '{}'", path));
        }
        return Output(path, fd);
    }
    Output(Output&& other) noexcept
        : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), bytes_(other.bytes_) {}
    Output& operator=(Output&&) = delete;
    ~Output() {
        if (fd_ >= 0) {
            close(fd_);
        }
    }

    Result<void> append(Bytes bytes) {
        while (!bytes.empty()) {
            const ssize_t written = write(fd_, bytes.data(), bytes.size());
            if (written < 0 && errno != EINTR) {
                return errno_failure(
                    fmt::format("cannot write to '{}'; what is in it can be replayed", path_));
            }
            const auto taken = static_cast<std::size_t>(std::max<ssize_t>(written, 0));
            bytes = bytes.subspan(taken);
            bytes_ += taken;
        }
        return {};
    }

    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

private:
    Output(std::string path, int fd) noexcept : path_(std::move(path)), fd_(fd) {}
    std::string path_;
    int fd_;
    std::uint64_t bytes_ = 0;
};

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

Result<Outcome> follow(Recorder& recorder, const std::string& segment_path, Output& output) {
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
        switch (state) {
            case Recorder::State::ended: return Outcome::ended;
            case Recorder::State::damaged: return Outcome::damaged;
            case Recorder::State::goes_on: break;
        }
        if (gone || stopped) {
            return gone ? Outcome::gone : Outcome::stopped;
        }
        sleep_until(monotonic_ns() + poll_ns);
    }
}

}  // namespace

int run_record(const RecordOptions& options) {
    const auto segment_path = find_game(HostOptions{}.root, options.instance, options.game);
    if (!segment_path) {
        return failed(segment_path.error());
    }
    auto recorder = Recorder::open(*segment_path);
    if (!recorder) {
        return failed(recorder.error());
    }
    const std::string path = options.path.empty() ? options.game + ".replay" : options.path;
    auto output = Output::create(path);
    if (!output) {
        return failed(output.error());
    }
    const auto outcome = follow(*recorder, *segment_path, *output);
    if (!outcome) {
        return failed(outcome.error());
    }
    fmt::print("{}: {} frames to tick {}, {} gaps, {} bytes; {}\n", path, recorder->frames(),
               recorder->tick(), recorder->gaps(), output->bytes(), text_of(*outcome));
    return *outcome == Outcome::ended || *outcome == Outcome::stopped ? 0 : 1;
}

}  // namespace ringside
