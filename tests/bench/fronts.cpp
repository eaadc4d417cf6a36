// fronts: one front and two: a storm of joins, throughput, and players of one game on both.

#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "benches.hpp"
#include "loaded.hpp"
#include "served.hpp"

#include "ringside/net/client.hpp"
#include "ringside/relay/relay.hpp"

namespace ringside::bench {
namespace {

// The generator only speaks between its batches of connects: with one batch of all, each join would
// be measured from its connect to the last one's.
constexpr std::uint32_t connects_per_turn = 32;
constexpr auto patience = std::chrono::milliseconds(10'000);

/// A player of the relay game "both", and on which front it is.
struct Player {
    Client client;
    std::uint32_t front_slot = 0;
};

Result<Player> connect(const Endpoint& endpoint) {
    auto client = Client::connect(endpoint);
    if (!client) {
        return std::unexpected(std::move(client.error()));
    }
    const auto message = client->receive(patience);
    const auto* welcome =
        message && *message != nullptr ? (*message)->message_as_Welcome() : nullptr;
    if (welcome == nullptr) {
        return failure(std::errc::timed_out, "the host says no Welcome");
    }
    const auto front_slot = static_cast<std::uint32_t>(welcome->session() >> 56);  // SessionId
    return Player{std::move(*client), front_slot};
}

/// Waits until a view counts so many events.
Result<void> see(Player& player, std::uint64_t events) {
    for (;;) {
        const auto message = player.client.receive(patience);
        if (!message || *message == nullptr) {
            return failure(std::errc::timed_out,
                           "what one front's player sent did not reach the other's");
        }
        const auto* snapshot = (*message)->message_as_Snapshot();
        if (snapshot == nullptr) {
            continue;
        }
        const auto view = relay::decode_view(
            std::as_bytes(std::span(snapshot->view()->data(), snapshot->view()->size())));
        if (view && view->count >= events) {
            return {};
        }
    }
}

/// Two players on different fronts, each of whom sees what the other sends.
Result<void> meet_across(const Endpoint& endpoint) {
    std::vector<Player> players;
    for (int attempt = 0; attempt < 200 && players.size() < 2; ++attempt) {
        auto player = connect(endpoint);
        if (!player) {
            return std::unexpected(std::move(player.error()));
        }
        if (players.empty() || players.front().front_slot != player->front_slot) {
            players.push_back(std::move(*player));
        }
    }
    if (players.size() < 2) {
        return failure(std::errc::protocol_error, "200 connections all came to one front");
    }
    for (Player& player : players) {
        player.client.join({.game = "both", .type = "relay", .config = {}, .parameters = {}});
    }
    const std::byte hello{1};
    for (std::uint64_t events = 1; events <= 20; ++events) {
        players[events % 2].client.input({&hello, 1});
        for (Player& player : players) {
            if (auto seen = see(player, events); !seen) {
                return seen;
            }
        }
    }
    return {};
}

/// Of all repeats with one number of fronts.
struct Seen {
    std::uint64_t failed = 0;
    Histogram join_ns;
    std::vector<double> join_seconds;  // until all had joined
    std::vector<double> relayed;       // thousand inputs a second
};

Result<void> storm(const Served& host, std::uint32_t games, Seen& seen) {
    Loaded load;
    if (auto started = load.start({.endpoint = host.endpoint(),
                                   .games = games,
                                   .players = 2,
                                   .connects_per_turn = connects_per_turn,
                                   .warm_up = std::chrono::milliseconds(10),
                                   .time = std::chrono::milliseconds(10)});
        !started) {
        return started;
    }
    const auto joined = load.outcome();
    if (!joined) {
        return std::unexpected(joined.error());
    }
    seen.failed += joined->failed;
    seen.join_ns.merge(joined->join_ns);
    seen.join_seconds.push_back(joined->join_seconds);
    return {};
}

Result<void> relay_inputs(const Served& host, const Options& options, Seen& seen) {
    const auto relayed =
        run_loaded({.endpoint = host.endpoint(),
                    .mode = load::Mode::relay,
                    .games = options.smoke ? 2u : 20u,
                    .players = options.smoke ? 2u : 20u,
                    .inputs_per_second = 0,
                    .time = std::chrono::milliseconds(options.smoke ? 50 : 2'000)});
    if (!relayed) {
        return std::unexpected(relayed.error());
    }
    seen.relayed.push_back(static_cast<double>(relayed->acknowledged) / relayed->seconds / 1e3);
    return {};
}

Result<void> measure(std::uint32_t fronts, std::uint32_t games, const Options& options,
                     Seen& seen) {
    auto host = Served::start({"--fronts", std::to_string(fronts), "--games-max", "8192",
                               "--messages-per-second", "1000000"});
    if (!host) {
        return std::unexpected(std::move(host.error()));
    }
    if (fronts > 1) {
        if (auto met = meet_across(host->endpoint()); !met) {
            return met;
        }
    }
    if (auto stormed = storm(*host, games, seen); !stormed) {
        return stormed;
    }
    return relay_inputs(*host, options, seen);
}

void add_figures(std::uint32_t fronts, std::uint32_t games, Seen& seen, Report& report) {
    const Measured join_us = measured_us(seen.join_ns);
    report.figures.push_back(
        {.name = fmt::format("{} fronts: {} joins at once, failed", fronts, games * 2),
         .unit = "joins",
         .value = {.median = static_cast<double>(seen.failed), .p99 = {}},
         .floor = {},
         .rival = {},
         .goal = Goal{.bound = Bound::at_most, .factor = 0},
         .note = fmt::format("of {} repeats; all joined in {:.2f} s", seen.join_seconds.size(),
                             measured(seen.join_seconds).median)});
    report.figures.push_back(
        {.name = fmt::format("{} fronts: connect to Joined", fronts),
         .unit = "ms",
         .value = {.median = join_us.median / 1e3, .p99 = *join_us.p99 / 1e3},
         .floor = {},
         .rival = {},
         .goal = {},
         .note = fmt::format("from each connect(); {} are made before the first of them says Hello",
                             connects_per_turn)});
    report.figures.push_back(
        {.name = fmt::format("{} fronts: inputs through relays of 20", fronts),
         .unit = "k/s",
         .value = {.median = measured(seen.relayed).median, .p99 = {}},
         .floor = {},
         .rival = {},
         .goal = {},
         .note = "the load generator needs a CPU of its own: with two there is none for a second "
                 "front"});
}

}  // namespace

Result<Report> run_fronts(const Options& options) {
    allow_descriptors();
    Report report{.bench = "fronts", .figures = {}, .charts = {}, .notes = {}};
    const std::uint32_t games = options.smoke ? 5 : 1'000;
    std::array<Seen, 2> seen;  // by one front, by two: in turns, since the machine's mood changes
    for (int repeat = 0; repeat < (options.smoke ? 1 : 3); ++repeat) {
        for (std::uint32_t fronts = 1; fronts <= seen.size(); ++fronts) {
            if (auto done = measure(fronts, games, options, seen[fronts - 1]); !done) {
                return std::unexpected(std::move(done.error()));
            }
        }
    }
    for (std::uint32_t fronts = 1; fronts <= seen.size(); ++fronts) {
        add_figures(fronts, games, seen[fronts - 1], report);
    }
    report.notes.push_back("two players of one game on two fronts saw each other's inputs");
    return report;
}

}  // namespace ringside::bench
