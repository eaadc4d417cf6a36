// broadcast: one snapshot to thousands of sessions; what the front's CPU costs for each, beside a
// plain epoll loop that sends as many bytes to as many sockets.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "benches.hpp"
#include "crowd.hpp"
#include "served.hpp"
#include "tests/bench/rivals/epoll_broadcast.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/net/client.hpp"
#include "ringside/relay/relay.hpp"

namespace ringside::bench {
namespace {

constexpr const char* game_name = "broadcast";
constexpr std::int64_t round_timeout_ns = 20'000'000'000;
constexpr std::int64_t settle_ns_max = 1'000'000'000;
constexpr unsigned settle_us = 3'000;  // less than the period of a front's sweeps
constexpr auto answer_timeout = std::chrono::milliseconds(10'000);

/// A Hello and a Watch, as a client would send them.
std::vector<std::byte> watcher_greeting() {
    std::vector<std::byte> greeting;
    const auto add = [&](wire::ClientMessage type, auto build) {
        flatbuffers::FlatBufferBuilder builder(128);
        const auto message = build(builder);
        builder.FinishSizePrefixed(wire::CreateFromClient(builder, type, message));
        const auto* first = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
        greeting.insert(greeting.end(), first, first + builder.GetSize());
    };
    add(wire::ClientMessage::Hello,
        [](auto& builder) { return wire::CreateHello(builder, wire::protocol_version).Union(); });
    add(wire::ClientMessage::Watch, [](auto& builder) {
        return wire::CreateWatch(builder, builder.CreateString(game_name)).Union();
    });
    return greeting;
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

struct Size {
    std::uint32_t sessions;
    std::uint32_t input_bytes;  // four of them are in each snapshot
    std::uint32_t rounds;
};

std::unexpected<Error> lost(const char* who, std::uint64_t wanted, std::uint64_t got) {
    return failure(std::errc::timed_out,
                   fmt::format("{}: {} of {} messages came", who, got, wanted));
}

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

/// µs CPU of `pid` for each of so many messages that `send` makes come.
template <class Send>
Result<double> cost(pid_t pid, const Crowd& crowd, std::uint64_t messages, const char* who,
                    Send send) {
    const std::uint64_t before = crowd.frames();
    const std::int64_t cpu_ns = settled_cpu_ns(pid);
    if (auto sent = send(); !sent) {
        return std::unexpected(std::move(sent.error()));
    }
    if (!crowd.wait_for_frames(before + messages, round_timeout_ns)) {
        return lost(who, messages, crowd.frames() - before);
    }
    return static_cast<double>(settled_cpu_ns(pid) - cpu_ns) / 1e3 / static_cast<double>(messages);
}

Result<Figure> measure(const Size& size) {
    auto host = Served::start({"--idle-timeout", "3600"});
    auto rival = EpollBroadcast::start();
    if (!host || !rival) {
        return std::unexpected(!host ? host.error() : rival.error());
    }
    auto speaker = Speaker::start(host->endpoint(), size.input_bytes);
    if (!speaker) {
        return std::unexpected(std::move(speaker.error()));
    }
    auto crowd = Crowd::start({.endpoint = host->endpoint(),
                               .connections = size.sessions,
                               .greeting = watcher_greeting()});
    auto rival_crowd = Crowd::start({.endpoint = rival->endpoint(),
                                     .connections = size.sessions,
                                     .greeting = std::vector(4, std::byte{1})});
    if (!crowd || !rival_crowd) {
        return std::unexpected(!crowd ? crowd.error() : rival_crowd.error());
    }
    constexpr std::uint64_t greetings = 3;  // Welcome, Watching and the first Snapshot
    if (!crowd->wait_for_frames(greetings * size.sessions, round_timeout_ns)) {
        return lost("watchers", greetings * size.sessions, crowd->frames());
    }
    std::vector<double> ours;
    std::vector<double> theirs;
    std::uint32_t message_bytes = 0;
    for (std::uint32_t round = 0; round < size.rounds; ++round) {
        const auto our_cost =
            cost(host->front_pids().front(), *crowd, size.sessions, "ringside", [&] {
                auto said = speaker->say();
                message_bytes = said.value_or(0);
                return said;
            });
        if (!our_cost) {
            return std::unexpected(our_cost.error());
        }
        const auto their_cost =
            cost(rival->pid(), *rival_crowd, size.sessions, "epoll", [&]() -> Result<void> {
                rival->broadcast(message_bytes);
                return {};
            });
        if (!their_cost) {
            return std::unexpected(their_cost.error());
        }
        ours.push_back(*our_cost);
        theirs.push_back(*their_cost);
    }
    return Figure{.name = fmt::format("{} sessions, {} B: front's CPU a snapshot", size.sessions,
                                      message_bytes),
                  .unit = "µs",
                  .value = measured(ours),
                  .floor = {},
                  .rival = Yardstick{"epoll and send()", measured(theirs)},
                  .goal = Goal{.against = Against::rival, .bound = Bound::at_most, .factor = 1.0},
                  .note = "what the player's own input costs is in it"};
}

}  // namespace

Result<Report> run_broadcast(const Options& options) {
    allow_descriptors();
    Report report{.bench = "broadcast", .figures = {}, .charts = {}, .notes = {}};
    const std::vector<Size> sizes =
        options.smoke ? std::vector<Size>{{20, 1, 3}}
                      : std::vector<Size>{
                            {1'000, 4, 100}, {1'000, 240, 100}, {10'000, 4, 20}, {10'000, 240, 20}};
    for (const Size& size : sizes) {
        auto figure = measure(size);
        if (!figure) {
            return std::unexpected(std::move(figure.error()));
        }
        report.figures.push_back(std::move(*figure));
    }
    report.notes.push_back("every message of every round was counted at its receiver");
    return report;
}

}  // namespace ringside::bench
