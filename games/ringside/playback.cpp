#include "playback.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "recorded_match.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/tron_terminal/terminal.hpp"

namespace ringside {
namespace {

// Doublings of the recorded speed.
constexpr int speed_min = -3;
constexpr int speed_max = 5;

constexpr std::int64_t frame_ns_min = 10'000'000;  // more than a terminal shows

class Playback {
public:
    explicit Playback(RecordedMatch match) : match_(std::move(match)) {}

    /// Until q, or a signal to stop.
    void run(tron::Terminal& terminal);

private:
    bool take_keys(tron::Terminal& terminal);  // false: quit
    void forward();
    void backward();
    void change_speed(int by);
    void draw(tron::Terminal& terminal) const;
    [[nodiscard]] std::int64_t frame_ns() const;
    [[nodiscard]] bool playing() const { return !paused_ && !at_end_; }

    RecordedMatch match_;
    bool paused_ = false;
    bool at_end_ = false;
    int speed_ = 0;
    std::int64_t due_ns_ = 0;  // of the next frame
};

// Every frame is a tick, or what players did while there were none.
std::int64_t Playback::frame_ns() const {
    const auto tick_ns = static_cast<std::int64_t>(
        std::clamp<std::uint64_t>(match_.game().tick_ns, 1'000'000, 10'000'000'000));
    return std::max(frame_ns_min, speed_ < 0 ? tick_ns << -speed_ : tick_ns >> speed_);
}

void Playback::forward() {
    at_end_ = !match_.next();
}

/// There is no way back from a delta: once more from the start.
void Playback::backward() {
    const std::uint64_t wanted = std::max<std::uint64_t>(match_.frame(), 2) - 1;
    match_.restart();
    while (match_.frame() < wanted && match_.next()) {
    }
    at_end_ = false;
}

void Playback::change_speed(int by) {
    speed_ = std::clamp(speed_ + by, speed_min, speed_max);
    due_ns_ = std::min(due_ns_, monotonic_ns() + frame_ns());
}

bool Playback::take_keys(tron::Terminal& terminal) {
    while (const auto key = terminal.read_key()) {
        switch (*key) {
            case tron::TerminalKey::quit: return false;
            case tron::TerminalKey::pause:
                if (std::exchange(at_end_, false)) {
                    match_.restart();
                    paused_ = false;
                } else {
                    paused_ = !paused_;
                }
                due_ns_ = monotonic_ns() + frame_ns();
                break;
            case tron::TerminalKey::right:
                paused_ = true;
                forward();
                break;
            case tron::TerminalKey::left:
                paused_ = true;
                backward();
                break;
            case tron::TerminalKey::up: change_speed(1); break;
            case tron::TerminalKey::down: change_speed(-1); break;
            default: break;
        }
        draw(terminal);
    }
    return true;
}

void Playback::draw(tron::Terminal& terminal) const {
    const std::string speed =
        speed_ < 0 ? fmt::format("1/{}", 1 << -speed_) : fmt::format("{}", 1 << speed_);
    const std::string where = fmt::format("replay  tick {}  {}x  {}", match_.tick(), speed,
                                          at_end_   ? "at its end"
                                          : paused_ ? "paused"
                                                    : "playing");
    const tron::Scene scene{.view = match_.view(),
                            .game = match_.game().name,
                            .seats = match_.seats(),
                            .nicknames = match_.nicknames(),
                            .replay = where};
    terminal.draw(tron::lay_out(scene, terminal.size()));
}

void Playback::run(tron::Terminal& terminal) {
    due_ns_ = monotonic_ns() + frame_ns();
    draw(terminal);
    while (take_keys(terminal)) {
        int timeout_ms = -1;
        if (playing()) {
            const std::int64_t now_ns = monotonic_ns();
            if (now_ns >= due_ns_) {
                forward();
                due_ns_ = std::max(due_ns_, now_ns - frame_ns()) + frame_ns();
                draw(terminal);
            }
            // Whole ms, upwards: woken early it would only wait again.
            timeout_ms = static_cast<int>(
                std::max<std::int64_t>(0, (due_ns_ - monotonic_ns() + 999'999) / 1'000'000));
        }
        std::array<pollfd, 2> waited{
            pollfd{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
            pollfd{.fd = terminal.stop_fd(), .events = POLLIN, .revents = 0}};
        if (!terminal.wait(waited, playing() ? timeout_ms : -1) || waited[1].revents != 0 ||
            (waited[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) {
            return;
        }
    }
}

}  // namespace

Result<void> play_back(Bytes file) {
    auto match = RecordedMatch::open(file);
    if (!match) {
        return std::unexpected(std::move(match.error()));
    }
    if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1) {
        return failure(std::error_code{},
                       "is a recorded match: showing it needs a terminal, --verify does not");
    }
    auto terminal = tron::Terminal::open();
    if (!terminal) {
        return std::unexpected(std::move(terminal.error()));
    }
    Playback(std::move(*match)).run(**terminal);
    return {};
}

}  // namespace ringside
