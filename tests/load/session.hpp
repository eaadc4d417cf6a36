#pragma once
// Session: one player of the load: what it says, what it hears, and how long that took.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "games/ringside/view_follower.hpp"
#include "load.hpp"

#include "ringside/core/histogram.hpp"
#include "ringside/net/frame.hpp"

namespace ringside::load {

/// What all sessions count together; taken anew when the warm-up is over.
struct Counts {
    // Inputs meant for this time, whenever they are answered, are those in latency and service.
    std::int64_t measured_from_ns = 0;
    std::int64_t measured_to_ns = 0;
    std::uint64_t sent = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t snapshots = 0;
    std::uint64_t deltas = 0;
    std::uint64_t bytes = 0;
    std::uint64_t tick_gaps = 0;
    Histogram latency;
    Histogram service;
    Histogram lateness;
    Histogram join;
    double latency_max = 0;
};

class Session {
public:
    enum class State : std::uint8_t { greeting, joining, playing, failed };

    Session(const Options& options, std::uint32_t index, int fd, std::int64_t connect_ns);

    /// Takes bytes of the host; answers go to outbox().
    void take(Bytes bytes, std::int64_t now_ns, Counts& counts);

    /// Its input's time has come.
    void act(std::int64_t intended_ns, std::int64_t now_ns, Counts& counts);

    void fail(std::string reason);

    /// Counts what was never acknowledged with its age by now.
    void give_up(std::int64_t now_ns, Counts& counts) const;

    [[nodiscard]] int fd() const noexcept { return fd_; }
    [[nodiscard]] State state() const noexcept { return state_; }
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
    [[nodiscard]] std::size_t unacknowledged() const noexcept { return in_flight_.size(); }

    /// Inputs of the whole run, and how many its relay had applied, of all sessions, when last
    /// heard.
    [[nodiscard]] std::uint64_t inputs() const noexcept { return number_; }
    [[nodiscard]] std::uint64_t applied() const noexcept { return applied_; }

    /// Bytes to be sent; whoever sends them takes them away.
    [[nodiscard]] std::vector<std::byte>& outbox() noexcept { return outbox_; }

private:
    struct Sent {
        std::uint32_t number;
        std::int64_t intended_ns;
        std::int64_t sent_ns;
    };

    template <class Build>
    void say(Build build);
    void join();
    void input(Bytes bytes, std::int64_t intended_ns, std::int64_t now_ns, Counts& counts);
    void hear(const wire::FromHost& message, std::int64_t now_ns, Counts& counts);
    void hear_view(const wire::FromHost& message, std::int64_t now_ns, Counts& counts);
    void acknowledge(std::uint32_t number, std::int64_t now_ns, Counts& counts);
    static void record(const Sent& sent, std::int64_t now_ns, Counts& counts);
    void note_tick(std::uint64_t tick, std::int64_t now_ns, Counts& counts);
    void note_lateness(std::uint64_t tick, std::int64_t now_ns, Counts& counts);
    [[nodiscard]] std::optional<std::byte> tron_key() const;

    const Options& options_;
    std::uint32_t index_;
    int fd_;
    State state_ = State::greeting;
    std::string reason_;
    FrameParser parser_;
    ViewFollower follower_;
    std::vector<std::byte> outbox_;
    std::deque<Sent> in_flight_;
    std::uint32_t number_ = 0;  // of the last input
    std::uint64_t applied_ = 0;
    std::uint8_t seat_ = 0;
    std::uint64_t tick_ = 0;
    bool ticking_ = false;                     // the view before was of a race or its countdown
    bool parked_ = true;                       // since the last tick that was noted
    std::optional<std::int64_t> earliest_ns_;  // arrival - tick × tick time, the least so far
    std::int64_t connect_ns_;                  // when it began to
};

}  // namespace ringside::load
