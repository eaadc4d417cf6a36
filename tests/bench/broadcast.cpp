// broadcast: one snapshot to thousands of sessions; what the front's CPU costs for each, beside a
// plain epoll loop that sends as many bytes to as many sockets.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "benches.hpp"
#include "cpu_time.hpp"
#include "crowd.hpp"
#include "loaded.hpp"
#include "served.hpp"
#include "tests/bench/rivals/epoll_broadcast.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/histogram.hpp"
#include "ringside/ipc/doorbell.hpp"
#include "ringside/net/client.hpp"
#include "ringside/relay/relay.hpp"
#include "ringside/tron/config.hpp"
#include "ringside/tron/rules.hpp"
#include "ringside/tron/view.hpp"

namespace ringside::bench {
namespace {

constexpr const char* game_name = "broadcast";
constexpr int attempts_max = 5;  // of a round into which the next tick fell
constexpr std::int64_t round_timeout_ns = 20'000'000'000;
constexpr std::int64_t settle_ns_max = 1'000'000'000;
constexpr unsigned frames_settle_us = 20'000;
constexpr unsigned settle_us = 3'000;  // less than the period of a front's sweeps
constexpr auto answer_timeout = std::chrono::milliseconds(10'000);

/// A Hello that takes deltas and a Watch, as a client would send them.
std::vector<std::byte> watcher_greeting() {
    std::vector<std::byte> greeting;
    const auto add = [&](wire::ClientMessage type, auto build) {
        flatbuffers::FlatBufferBuilder builder(128);
        const auto message = build(builder);
        builder.FinishSizePrefixed(wire::CreateFromClient(builder, type, message));
        const auto* first = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
        greeting.insert(greeting.end(), first, first + builder.GetSize());
    };
    add(wire::ClientMessage::Hello, [](auto& builder) {
        return wire::CreateHello(builder, wire::protocol_version, true).Union();
    });
    add(wire::ClientMessage::Watch, [](auto& builder) {
        return wire::CreateWatch(builder, builder.CreateString(game_name)).Union();
    });
    return greeting;
}

Bytes bytes_of(const flatbuffers::Vector<std::uint8_t>& bytes) noexcept {
    return std::as_bytes(std::span(bytes.data(), bytes.size()));
}

/// The only player of a relay: what it sends, every watcher is sent.
class Speaker {
public:
    static Result<Speaker> start(const Endpoint& endpoint, std::uint32_t input_bytes) {
        auto client = Client::connect(endpoint);
        if (!client) {
            return std::unexpected(std::move(client.error()));
        }
        Speaker speaker(std::move(*client), input_bytes);
        speaker.client_.join({.game = game_name,
                              .type = "relay",
                              .config = relay::encode_config({.seats = 1, .history = 4}),
                              .parameters = {}});
        for (int i = 0; i < 4; ++i) {  // fills the history
            if (auto said = speaker.say(); !said) {
                return std::unexpected(std::move(said.error()));
            }
        }
        return speaker;
    }

    /// Sends one input and waits until its own snapshot is there; returns that message's bytes.
    Result<std::uint32_t> say() {
        client_.input(input_);
        ++said_;
        for (;;) {
            const auto message = client_.receive(answer_timeout);
            if (!message) {
                return std::unexpected(message.error());
            }
            if (*message == nullptr) {
                return failure(std::errc::timed_out, "the host gave no snapshot");
            }
            const auto* snapshot = (*message)->message_as_Snapshot();
            if (snapshot != nullptr && snapshot->seats()->size() == 1 &&
                snapshot->seats()->Get(0)->number() >= said_) {
                return static_cast<std::uint32_t>(client_.message_bytes());
            }
        }
    }

private:
    Speaker(Client client, std::uint32_t input_bytes)
        : client_(std::move(client)), input_(input_bytes, std::byte{7}) {}
    Client client_;
    std::vector<std::byte> input_;
    std::uint32_t said_ = 0;
};

/// The only player of a tron that runs straight on in an arena two thousand cells wide: what a tick
/// changes, every watcher is sent.
class Racer {
public:
    static Result<Racer> start(const Endpoint& endpoint, std::uint16_t tick_ms) {
        auto client = Client::connect(endpoint, Deltas::yes);
        if (!client) {
            return std::unexpected(std::move(client.error()));
        }
        Racer racer(std::move(*client));
        racer.client_.join(
            {.game = game_name,
             .type = "tron",
             .config = tron::encode_config({.width = tron::cells_max / tron::height_min,
                                            .height = tron::height_min,
                                            .tick_ms = tick_ms}),
             .parameters = {}});
        // Seated: until it starts, nothing changes that watchers would be sent.
        if (auto seated = racer.follow([](const tron::View& view) { return !view.cycles.empty(); });
            !seated) {
            return std::unexpected(std::move(seated.error()));
        }
        return racer;
    }

    Result<void> begin() {
        press(tron::Key::insert);
        if (auto started = follow(
                [](const tron::View& view) { return view.phase == tron::MatchPhase::started; });
            !started) {
            return started;
        }
        return turn_to_the_long_side();
    }
    /// Waits for a tick that has not come yet: the one after it is far away then.
    Result<void> catch_up() {
        for (;;) {
            const auto message = client_.try_receive();
            if (!message) {
                return std::unexpected(message.error());
            }
            if (*message == nullptr) {
                break;
            }
        }
        if (auto ticked = tick(); !ticked) {
            return std::unexpected(std::move(ticked.error()));
        }
        return {};
    }

    /// Waits for the next tick; returns that message's bytes.
    Result<std::uint32_t> tick() {
        const auto message = receive();
        if (!message) {
            return std::unexpected(message.error());
        }
        if ((*message)->message_as_Delta() == nullptr) {
            return failure(std::errc::protocol_error, "a racing tick was not told by a delta");
        }
        return static_cast<std::uint32_t>(client_.message_bytes());
    }

private:
    explicit Racer(Client client) : client_(std::move(client)) {}

    void press(tron::Key key) {
        const auto byte = static_cast<std::byte>(key);
        client_.input({&byte, 1});
    }

    /// Whatever way its cycle was put down: along the arena, to where there is more of it.
    Result<void> turn_to_the_long_side() {
        using enum tron::Direction;
        const tron::Cycle cycle = view_.cycles.front();
        const bool vertical = cycle.direction == up || cycle.direction == down;
        const tron::Direction way = cycle.x < view_.width / 2 ? right : left;
        if (!vertical && cycle.direction != way) {  // it cannot turn back at once
            const tron::Direction aside = cycle.y < view_.height / 2 ? down : up;
            if (auto turned = turn(aside); !turned) {
                return turned;
            }
        }
        return turn(way);
    }

    Result<void> turn(tron::Direction way) {
        press(tron::key_of(way));
        return follow(
            [way](const tron::View& view) { return view.cycles.front().direction == way; });
    }

    /// Reads what the host sends until the view is as `wanted`.
    template <class Wanted>
    Result<void> follow(Wanted wanted) {
        while (!wanted(view_)) {
            const auto message = receive();
            if (!message) {
                return std::unexpected(message.error());
            }
            bool intact = true;
            if (const auto* snapshot = (*message)->message_as_Snapshot()) {
                intact = tron::decode_view(bytes_of(*snapshot->view()), view_);
            } else if (const auto* delta = (*message)->message_as_Delta()) {
                intact = tron::apply_delta(bytes_of(*delta->bytes()), view_);
            }
            if (!intact) {
                return failure(std::errc::bad_message, "the host sent a damaged view");
            }
        }
        return {};
    }

    Result<const wire::FromHost*> receive() {
        auto message = client_.receive(answer_timeout);
        if (message && *message == nullptr) {
            return failure(std::errc::timed_out, "the host ticks no more");
        }
        return message;
    }

    Client client_;
    tron::View view_;
};

/// CPU time once the process has nothing left to do: what a sender does about sends that are over,
/// after the last message has come, is part of what they cost.
std::int64_t settled_cpu_ns(pid_t pid) {
    const std::int64_t deadline_ns = monotonic_ns() + settle_ns_max;
    std::int64_t cpu_ns = cpu_ns_of(pid);
    while (monotonic_ns() < deadline_ns) {
        usleep(settle_us);
        const std::int64_t later_ns = cpu_ns_of(pid);
        if (std::exchange(cpu_ns, later_ns) == later_ns) {
            break;
        }
    }
    return cpu_ns;
}

/// What a crowd has been sent, once nothing more comes: it may still be reading the last round.
std::vector<std::uint32_t> settled_frames(const Crowd& crowd) {
    auto frames = crowd.frames();
    for (;;) {
        usleep(frames_settle_us);
        auto later = crowd.frames();
        if (later == frames) {
            return frames;
        }
        frames = std::move(later);
    }
}

/// µs CPU of `pid` for each message of a round, in which `send` makes one come to each of a crowd.
template <class Send>
Result<double> cost(pid_t pid, const Crowd& crowd, Send send) {
    const auto before = settled_frames(crowd);
    const std::int64_t cpu_ns = settled_cpu_ns(pid);
    if (auto sent = send(); !sent) {
        return std::unexpected(std::move(sent.error()));
    }
    if (auto came = crowd.wait_for_each(before, 1, round_timeout_ns); !came) {
        return std::unexpected(std::move(came.error()));
    }
    return static_cast<double>(settled_cpu_ns(pid) - cpu_ns) / 1e3 /
           static_cast<double>(before.size());
}

/// A host, the rival, and a crowd of watchers at each.
class Arena {
public:
    static Result<std::unique_ptr<Arena>> start() {
        auto host = Served::start({"--idle-timeout", "3600"});
        auto rival = EpollBroadcast::start();
        if (!host || !rival) {
            return std::unexpected(!host ? host.error() : rival.error());
        }
        return std::unique_ptr<Arena>(new Arena(std::move(*host), std::move(*rival)));
    }

    [[nodiscard]] const Endpoint& endpoint() const noexcept { return host_.endpoint(); }

    Result<void> fill(std::uint32_t sessions) {
        auto ours = Crowd::start({.endpoint = host_.endpoint(),
                                  .connections = sessions,
                                  .greeting = watcher_greeting()});
        auto theirs = Crowd::start({.endpoint = rival_.endpoint(),
                                    .connections = sessions,
                                    .greeting = std::vector(4, std::byte{1})});
        if (!ours || !theirs) {
            return std::unexpected(!ours ? ours.error() : theirs.error());
        }
        crowd_ = std::move(*ours);
        rival_crowd_ = std::move(*theirs);
        constexpr std::uint32_t greetings = 3;  // Welcome, Watching and the first Snapshot
        return crowd_->wait_for_each(std::vector(sessions, 0u), greetings, round_timeout_ns);
    }

    [[nodiscard]] const Crowd& crowd() const noexcept { return *crowd_; }

    /// `send` makes one message come to every watcher and returns its bytes; the rival sends as
    /// many.
    template <class Send>
    Result<void> round(Send send) {
        const auto ours = cost(host_.front_pids().front(), *crowd_, [&]() -> Result<void> {
            const Result<std::uint32_t> sent = send();
            if (!sent) {
                return std::unexpected(sent.error());
            }
            message_bytes_ = *sent;
            return {};
        });
        if (!ours) {
            return std::unexpected(ours.error());
        }
        const auto theirs = cost(rival_.pid(), *rival_crowd_, [&]() -> Result<void> {
            rival_.broadcast(message_bytes_);
            return {};
        });
        if (!theirs) {
            return std::unexpected(theirs.error());
        }
        ours_.push_back(*ours);
        theirs_.push_back(*theirs);
        return {};
    }

    /// Requires rounds.
    [[nodiscard]] Figure figure(std::string note) {
        return {.name = fmt::format("{} sessions, {} B: front's CPU a snapshot",
                                    crowd_->frames().size(), message_bytes_),
                .unit = "µs",
                .value = measured(ours_),
                .floor = {},
                .rival = Yardstick{"epoll and send()", measured(theirs_)},
                .goal = Goal{.against = Against::rival, .bound = Bound::at_most, .factor = 1.0},
                .note = std::move(note)};
    }

private:
    Arena(Served host, EpollBroadcast rival) : host_(std::move(host)), rival_(std::move(rival)) {}

    Served host_;
    EpollBroadcast rival_;
    std::unique_ptr<Crowd> crowd_;
    std::unique_ptr<Crowd> rival_crowd_;
    std::uint32_t message_bytes_ = 0;
    std::vector<double> ours_;
    std::vector<double> theirs_;
};

struct Size {
    std::uint32_t sessions;
    std::uint32_t rounds;
};

/// Whole snapshots, of four inputs.
Result<Figure> measure_snapshots(const Size& size, std::uint32_t input_bytes) {
    auto arena = Arena::start();
    if (!arena) {
        return std::unexpected(std::move(arena.error()));
    }
    auto speaker = Speaker::start((*arena)->endpoint(), input_bytes);
    if (!speaker) {
        return std::unexpected(std::move(speaker.error()));
    }
    if (auto filled = (*arena)->fill(size.sessions); !filled) {
        return std::unexpected(std::move(filled.error()));
    }
    for (std::uint32_t round = 0; round < size.rounds; ++round) {
        if (auto ran = (*arena)->round([&] { return speaker->say(); }); !ran) {
            return std::unexpected(std::move(ran.error()));
        }
    }
    return (*arena)->figure("what the player's own input costs is in it");
}

/// Deltas of a racing tick.
Result<Figure> measure_deltas(const Size& size, std::uint16_t tick_ms) {
    auto arena = Arena::start();
    if (!arena) {
        return std::unexpected(std::move(arena.error()));
    }
    auto racer = Racer::start((*arena)->endpoint(), tick_ms);
    if (!racer) {
        return std::unexpected(std::move(racer.error()));
    }
    if (auto filled = (*arena)->fill(size.sessions); !filled) {
        return std::unexpected(std::move(filled.error()));
    }
    if (auto begun = racer->begin(); !begun) {
        return std::unexpected(std::move(begun.error()));
    }
    for (std::uint32_t round = 0; round < size.rounds; ++round) {
        Result<void> ran;
        for (int attempt = 0; attempt == 0 || (!ran && attempt < attempts_max); ++attempt) {
            if (auto caught_up = racer->catch_up(); !caught_up) {
                return std::unexpected(std::move(caught_up.error()));
            }
            ran = (*arena)->round([&] { return racer->tick(); });
        }
        if (!ran) {
            return std::unexpected(std::move(ran.error()));
        }
    }
    return (*arena)->figure("a racing tick of tron");
}

/// How long a game beside a crowd waits: its player's input to the view that shows it, while the
/// crowd is sent a snapshot ten times a second, and while it is sent none. In turns.
Result<Figure> measure_neighbour(std::uint32_t sessions, const Options& options) {
    constexpr std::int64_t period_ns = 100'000'000;
    const auto slice = std::chrono::milliseconds(options.smoke ? 200 : 1'500);
    auto arena = Arena::start();
    if (!arena) {
        return std::unexpected(std::move(arena.error()));
    }
    auto speaker = Speaker::start((*arena)->endpoint(), 4);
    if (!speaker) {
        return std::unexpected(std::move(speaker.error()));
    }
    if (auto filled = (*arena)->fill(sessions); !filled) {
        return std::unexpected(std::move(filled.error()));
    }
    Histogram beside_ns;
    Histogram alone_ns;
    for (int turn = 0; turn < (options.smoke ? 2 : 10); ++turn) {
        const bool crowded = turn % 2 == 0;
        Loaded neighbour;
        if (auto started = neighbour.start({.endpoint = (*arena)->endpoint(),
                                            .mode = load::Mode::relay,
                                            .games = 1,
                                            .players = 1,
                                            .inputs_per_second = 100,
                                            .input_bytes = 64,
                                            .warm_up = slice / 4,
                                            .time = slice});
            !started) {
            return std::unexpected(std::move(started.error()));
        }
        const std::int64_t end_ns =
            monotonic_ns() + std::chrono::nanoseconds(slice + slice / 4).count();
        for (std::int64_t due_ns = monotonic_ns(); crowded && due_ns < end_ns;
             due_ns += period_ns) {
            sleep_until(due_ns);
            const auto before = (*arena)->crowd().frames();
            const auto said = speaker->say();
            if (!said) {
                return std::unexpected(said.error());
            }
            if (auto came = (*arena)->crowd().wait_for_each(before, 1, round_timeout_ns); !came) {
                return std::unexpected(std::move(came.error()));
            }
        }
        const auto outcome = neighbour.outcome();
        if (!outcome) {
            return std::unexpected(outcome.error());
        }
        if (auto checked = check_outcome(*outcome); !checked) {
            return std::unexpected(std::move(checked.error()));
        }
        (crowded ? beside_ns : alone_ns).merge(outcome->latency_ns);
    }
    return Figure{.name = fmt::format("{} sessions: another game's input to its view", sessions),
                  .unit = "µs",
                  .value = measured_us(beside_ns),
                  .floor = Yardstick{"the crowd is sent nothing", measured_us(alone_ns)},
                  .note =
                      "an open loop of 100 inputs a second; the crowd, which reads on the same "
                      "CPUs, is sent ten snapshots a second"};
}

}  // namespace

Result<Report> run_broadcast(const Options& options) {
    allow_descriptors();
    Report report{.bench = "broadcast", .figures = {}, .charts = {}, .notes = {}};
    const auto add = [&report](Result<Figure> figure) -> Result<void> {
        if (!figure) {
            return std::unexpected(std::move(figure.error()));
        }
        report.figures.push_back(std::move(*figure));
        return {};
    };
    // A tick is longer than a round: so is the time it takes thousands to read it.
    const std::vector<std::pair<Size, std::uint16_t>> sizes =
        options.smoke ? std::vector<std::pair<Size, std::uint16_t>>{{{20, 3}, 200}}
                      : std::vector<std::pair<Size, std::uint16_t>>{{{1'000, 40}, 250},
                                                                    {{10'000, 20}, 1'000}};
    for (const auto& [size, tick_ms] : sizes) {
        if (auto added = add(measure_deltas(size, tick_ms)); !added) {
            return std::unexpected(std::move(added.error()));
        }
        for (const std::uint32_t input_bytes : {4u, 240u}) {
            if (auto added = add(measure_snapshots(size, input_bytes)); !added) {
                return std::unexpected(std::move(added.error()));
            }
        }
        if (auto added = add(measure_neighbour(size.sessions, options)); !added) {
            return std::unexpected(std::move(added.error()));
        }
    }
    report.notes.push_back("every watcher was sent every message of every round, once");
    return report;
}

}  // namespace ringside::bench
