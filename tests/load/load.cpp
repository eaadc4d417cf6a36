#include "load.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "cpu_time.hpp"
#include "net/ring_loop.hpp"
#include "session.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/random.hpp"

namespace ringside::load {
namespace {

constexpr std::int64_t join_ns_max = 60'000'000'000;
constexpr std::int64_t drain_ns_max = 10'000'000'000;
constexpr std::int64_t echo_ns = 50'000'000;  // after that, for an input that is applied twice

double cpu_seconds_of(pid_t pid) {
    return pid > 0 ? static_cast<double>(cpu_ns_of(pid)) / 1e9 : 0;
}

Percentiles percentiles(const Histogram& histogram) {
    const auto us = [&](double share) {
        return static_cast<double>(histogram.quantile(share)) / 1e3;
    };
    return {.p50 = us(0.5), .p90 = us(0.9), .p99 = us(0.99), .p999 = us(0.999), .max = us(1)};
}

class Engine {
public:
    Engine(const Options& options, RingLoop loop)
        : options_(options), loop_(std::move(loop)), random_(options.seed) {}

    Outcome run();

private:
    struct Player {
        Session session;
        std::vector<std::byte> in_flight;  // being sent
        std::size_t sent_bytes = 0;
        bool sending = false;
        bool receiving = false;
    };
    struct Due {
        std::int64_t at_ns;
        std::uint32_t player;
        friend bool operator>(const Due& a, const Due& b) { return a.at_ns > b.at_ns; }
    };

    void connect_some();
    void turn(std::int64_t deadline_ns);
    void received(const Completion& completion);
    void sent(const Completion& completion);
    void after(Player& player, std::uint32_t index);
    void send(Player& player, std::uint32_t index);
    void start_acting();
    void act(std::int64_t now_ns);
    template <class Holds>
    std::uint64_t count(Holds holds) const;
    [[nodiscard]] std::uint64_t in_state(Session::State state) const;
    [[nodiscard]] std::uint64_t unacknowledged() const;
    void drain();
    Outcome outcome(double seconds) const;
    void settle(Outcome& result);
    void compare_applied(Outcome& result) const;
    [[nodiscard]] std::string commonest_reason() const;

    const Options& options_;
    RingLoop loop_;
    Random random_;
    std::vector<std::unique_ptr<Player>> players_;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
    Counts counts_;
    std::int64_t now_ns_ = 0;
    std::int64_t period_ns_ = 0;  // between two inputs of a session
    bool acting_ = false;
};

// Connect, join, warm up, measure, and hear the last answers.
Outcome Engine::run() {
    const std::uint64_t wanted = std::uint64_t{options_.games} * options_.players;
    const std::int64_t begin_ns = monotonic_ns();
    now_ns_ = begin_ns;
    while (players_.size() < wanted ||
           in_state(Session::State::greeting) + in_state(Session::State::joining) != 0) {
        if (now_ns_ - begin_ns > join_ns_max) {
            break;
        }
        connect_some();
        turn(players_.size() < wanted ? 0 : now_ns_ + 10'000'000);
    }
    for (auto& player : players_) {
        if (player->session.state() != Session::State::playing) {
            player->session.fail("not let in within 60 s");
        }
    }
    const double join_seconds = static_cast<double>(now_ns_ - begin_ns) / 1e9;
    const Histogram joins = counts_.join;

    start_acting();
    const std::int64_t warm_ns = now_ns_ + std::chrono::nanoseconds(options_.warm_up).count();
    while (now_ns_ < warm_ns) {
        turn(warm_ns);
    }
    const std::int64_t measured_ns = now_ns_;
    const double own_cpu = cpu_seconds_of(getpid());
    const double watched_cpu = cpu_seconds_of(options_.watched_pid);
    const std::int64_t end_ns = now_ns_ + std::chrono::nanoseconds(options_.time).count();
    counts_ = Counts{.measured_from_ns = measured_ns, .measured_to_ns = end_ns};
    while (now_ns_ < end_ns) {
        turn(end_ns);
    }
    Outcome result = outcome(static_cast<double>(now_ns_ - measured_ns) / 1e9);
    result.own_cpu_seconds = cpu_seconds_of(getpid()) - own_cpu;
    result.watched_cpu_seconds = cpu_seconds_of(options_.watched_pid) - watched_cpu;
    result.join_seconds = join_seconds;
    result.join = percentiles(joins);
    result.join_ns = joins;
    drain();
    settle(result);
    return result;
}

void Engine::drain() {
    acting_ = false;
    for (const std::int64_t drained_ns = now_ns_ + drain_ns_max;
         unacknowledged() != 0 && now_ns_ < drained_ns;) {
        turn(now_ns_ + 10'000'000);
    }
    if (options_.mode == Mode::relay) {
        for (const std::int64_t heard_ns = now_ns_ + echo_ns; now_ns_ < heard_ns;) {
            turn(heard_ns);
        }
    }
}

void Engine::connect_some() {
    const std::uint64_t wanted = std::uint64_t{options_.games} * options_.players;
    for (std::uint32_t i = 0; i < options_.connects_per_turn && players_.size() < wanted; ++i) {
        const auto index = static_cast<std::uint32_t>(players_.size());
        const std::int64_t connect_ns = monotonic_ns();  // the wait for a connection is the host's
        const auto fd = connect_to(options_.endpoint, std::chrono::seconds(5));
        now_ns_ = monotonic_ns();
        players_.push_back(std::make_unique<Player>(Player{
            .session = Session(options_, index, fd.value_or(-1), connect_ns), .in_flight = {}}));
        if (!fd) {
            players_.back()->session.fail(fd.error().text());
            continue;
        }
        // The kernel then waits for room and bytes instead of saying EAGAIN.
        fcntl(*fd, F_SETFL, fcntl(*fd, F_GETFL) & ~O_NONBLOCK);
        after(*players_.back(), index);
    }
}

void Engine::turn(std::int64_t deadline_ns) {
    std::int64_t wait_ns = deadline_ns;
    if (acting_ && !due_.empty() && deadline_ns != 0) {
        wait_ns = std::min(wait_ns, due_.top().at_ns);
    }
    loop_.submit_and_wait(wait_ns <= now_ns_ ? 0 : wait_ns);
    now_ns_ = monotonic_ns();
    loop_.take_completions([this](const Completion& completion) {
        if (completion.token.operation == Operation::receive) {
            received(completion);
        } else if (completion.token.operation == Operation::send) {
            sent(completion);
        }
    });
    act(now_ns_);
}

void Engine::received(const Completion& completion) {
    const std::uint32_t index = completion.token.index;
    Player& player = *players_[index];
    player.receiving = completion.more;
    if (completion.result > 0) {
        player.session.take(loop_.received(completion), now_ns_, counts_);
        if (acting_ && options_.inputs_per_second == 0 && player.session.unacknowledged() == 0) {
            player.session.act(now_ns_, now_ns_, counts_);  // the closed loop
        }
    }
    if (completion.has_buffer) {
        loop_.give_back(completion.buffer);
    }
    const int result = completion.result;
    if (result == 0 || (result < 0 && result != -ENOBUFS && result != -EINTR)) {
        player.session.fail("the host closed the connection");
        return;
    }
    after(player, index);
}

void Engine::sent(const Completion& completion) {
    const std::uint32_t index = completion.token.index;
    Player& player = *players_[index];
    player.sending = false;
    if (completion.result < 0 && completion.result != -EINTR && completion.result != -EAGAIN) {
        player.session.fail("the host closed the connection");
        return;
    }
    player.sent_bytes += static_cast<std::size_t>(std::max(completion.result, 0));
    send(player, index);
}

/// After anything that may have given it something to send.
void Engine::after(Player& player, std::uint32_t index) {
    if (player.session.state() == Session::State::failed) {
        return;
    }
    if (!std::exchange(player.receiving, true)) {
        loop_.receive_multishot(player.session.fd(), {Operation::receive, 0, index});
    }
    if (!player.sending) {
        send(player, index);
    }
}

void Engine::send(Player& player, std::uint32_t index) {
    if (player.sent_bytes == player.in_flight.size()) {
        player.in_flight.clear();
        player.sent_bytes = 0;
        player.in_flight.swap(player.session.outbox());
    }
    if (!player.in_flight.empty()) {
        player.sending = true;
        loop_.send(player.session.fd(), Bytes(player.in_flight).subspan(player.sent_bytes),
                   {Operation::send, 0, index});
    }
}

void Engine::start_acting() {
    acting_ = true;
    if (options_.inputs_per_second == 0) {
        for (std::uint32_t index = 0; index < players_.size(); ++index) {
            players_[index]->session.act(now_ns_, now_ns_, counts_);
            after(*players_[index], index);
        }
        return;
    }
    period_ns_ = static_cast<std::int64_t>(1e9 / options_.inputs_per_second);
    for (std::uint32_t index = 0; index < players_.size(); ++index) {
        const auto phase_ns =
            static_cast<std::int64_t>(random_.next() % static_cast<std::uint64_t>(period_ns_));
        due_.push({now_ns_ + phase_ns, index});
    }
}

void Engine::act(std::int64_t now_ns) {
    while (acting_ && !due_.empty() && due_.top().at_ns <= now_ns) {
        const Due due = due_.top();
        due_.pop();
        Player& player = *players_[due.player];
        player.session.act(due.at_ns, now_ns, counts_);
        after(player, due.player);
        due_.push({due.at_ns + period_ns_, due.player});
    }
}

template <class Holds>
std::uint64_t Engine::count(Holds holds) const {
    return static_cast<std::uint64_t>(
        std::ranges::count_if(players_, [&](const auto& player) { return holds(*player); }));
}

std::uint64_t Engine::in_state(Session::State state) const {
    return count([&](const Player& player) { return player.session.state() == state; });
}

std::uint64_t Engine::unacknowledged() const {
    std::uint64_t inputs = 0;
    for (const auto& player : players_) {
        inputs += player->session.unacknowledged();
    }
    return inputs;
}

Outcome Engine::outcome(double seconds) const {
    Outcome result;
    result.sessions = players_.size();
    result.sent = counts_.sent;
    result.acknowledged = counts_.acknowledged;
    result.snapshots = counts_.snapshots;
    result.deltas = counts_.deltas;
    result.bytes = counts_.bytes;
    result.tick_gaps = counts_.tick_gaps;
    result.seconds = seconds;
    result.lateness = percentiles(counts_.lateness);
    return result;
}

/// What is known only after the drain.
void Engine::settle(Outcome& result) {
    for (const auto& player : players_) {
        player->session.give_up(now_ns_, counts_);
    }
    result.latency = percentiles(counts_.latency);
    result.latency.max = counts_.latency_max;
    result.latency_ns = counts_.latency;
    result.service = percentiles(counts_.service);
    result.lost = unacknowledged();
    if (options_.mode == Mode::relay) {
        compare_applied(result);
    }
    result.failed = in_state(Session::State::failed);
    const std::string reason = commonest_reason();
    reason.copy(result.reason.data(), result.reason.size() - 1);
}

/// Of each relay: the inputs of all its sessions, and how many it says it has applied.
void Engine::compare_applied(Outcome& result) const {
    for (std::size_t first = 0; first < players_.size(); first += options_.players) {
        const std::size_t end = std::min<std::size_t>(first + options_.players, players_.size());
        std::uint64_t sent = 0;
        std::uint64_t applied = 0;
        bool all_answered = true;
        for (std::size_t i = first; i < end; ++i) {
            const Session& session = players_[i]->session;
            sent += session.inputs();
            applied = std::max(applied, session.applied());
            all_answered = all_answered && session.unacknowledged() == 0;
        }
        result.doubled += applied > sent ? applied - sent : 0;
        // One that was acknowledged all the same; the others are counted already.
        result.lost += all_answered && applied < sent ? sent - applied : 0;
    }
}

std::string Engine::commonest_reason() const {
    std::map<std::string, std::uint64_t> counts;
    for (const auto& player : players_) {
        if (player->session.state() == Session::State::failed) {
            ++counts[player->session.reason()];
        }
    }
    const auto commonest = std::ranges::max_element(
        counts, {}, [](const auto& reason_and_count) { return reason_and_count.second; });
    return commonest == counts.end() ? "" : commonest->first;
}

nlohmann::ordered_json json_of(const Percentiles& value) {
    return {{"p50", value.p50},
            {"p90", value.p90},
            {"p99", value.p99},
            {"p99.9", value.p999},
            {"max", value.max}};
}

}  // namespace

std::string to_json(const Outcome& outcome) {
    const nlohmann::ordered_json json{{"sessions", outcome.sessions},
                                      {"failed", outcome.failed},
                                      {"reason", outcome.reason.data()},
                                      {"sent", outcome.sent},
                                      {"acknowledged", outcome.acknowledged},
                                      {"lost", outcome.lost},
                                      {"doubled", outcome.doubled},
                                      {"snapshots", outcome.snapshots},
                                      {"deltas", outcome.deltas},
                                      {"bytes", outcome.bytes},
                                      {"tick_gaps", outcome.tick_gaps},
                                      {"seconds", outcome.seconds},
                                      {"join_seconds", outcome.join_seconds},
                                      {"own_cpu_seconds", outcome.own_cpu_seconds},
                                      {"watched_cpu_seconds", outcome.watched_cpu_seconds},
                                      {"latency_us", json_of(outcome.latency)},
                                      {"service_us", json_of(outcome.service)},
                                      {"lateness_us", json_of(outcome.lateness)},
                                      {"join_us", json_of(outcome.join)}};
    // A reason that was cut short may end within a character.
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<Outcome> run_load(const Options& options) {
    auto loop = RingLoop::create();
    if (!loop) {
        return std::unexpected(std::move(loop.error()));
    }
    Engine engine(options, std::move(*loop));
    const Outcome result = engine.run();
    if (result.failed == result.sessions) {
        return failure(std::errc::connection_refused,
                       fmt::format("none of {} sessions stayed at {}: {}; does a host listen "
                                   "there, with --games-max and --messages-per-second for these?",
                                   result.sessions, options.endpoint.text(), result.reason.data()));
    }
    return result;
}

}  // namespace ringside::load
