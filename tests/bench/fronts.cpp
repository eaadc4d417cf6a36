// fronts: one front and two: a storm of joins, throughput, and players of one game on both.

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

Result<void> measure(std::uint32_t fronts, const Options& options, Report& report) {
    auto host = Served::start({"--fronts", std::to_string(fronts), "--games-max", "8192",
                               "--messages-per-second", "1000000"});
    if (!host) {
        return std::unexpected(std::move(host.error()));
    }
    if (fronts > 1) {
        if (auto met = meet_across(host->endpoint()); !met) {
            return met;
        }
        report.notes.push_back("two players of one game on two fronts saw each other's inputs");
    }
    const std::uint32_t games = options.smoke ? 5 : 1'000;
    Loaded storm;
    if (auto started = storm.start({.endpoint = host->endpoint(),
                                    .games = games,
                                    .players = 2,
                                    .connects_per_turn = games * 2,
                                    .warm_up = std::chrono::milliseconds(10),
                                    .time = std::chrono::milliseconds(10)});
        !started) {
        return started;
    }
    const auto joined = storm.outcome();
    if (!joined) {
        return std::unexpected(joined.error());
    }
    report.figures.push_back(
        {.name = fmt::format("{} fronts: {} joins at once, failed", fronts, games * 2),
         .unit = "joins",
         .value = {.median = static_cast<double>(joined->failed), .p99 = {}},
         .floor = {},
         .rival = {},
         .goal = Goal{.bound = Bound::at_most, .factor = 0},
         .note = fmt::format("all joined in {:.2f} s", joined->join_seconds)});
    report.figures.push_back(
        {.name = fmt::format("{} fronts: connect to Joined", fronts),
         .unit = "ms",
         .value = {.median = joined->join.p50 / 1e3, .p99 = joined->join.p99 / 1e3},
         .floor = {},
         .rival = {},
         .goal = {},
         .note = ""});
    const auto relayed =
        run_loaded({.endpoint = host->endpoint(),
                    .mode = load::Mode::relay,
                    .games = options.smoke ? 2u : 20u,
                    .players = options.smoke ? 2u : 20u,
                    .inputs_per_second = 0,
                    .time = std::chrono::milliseconds(options.smoke ? 50 : 4'000)});
    if (!relayed) {
        return std::unexpected(relayed.error());
    }
    report.figures.push_back(
        {.name = fmt::format("{} fronts: inputs through relays of 20", fronts),
         .unit = "k/s",
         .value = {.median = static_cast<double>(relayed->acknowledged) / relayed->seconds / 1e3,
                   .p99 = {}},
         .floor = {},
         .rival = {},
         .goal = {},
         .note = "the load generator needs a CPU of its own: with two there is none for a second "
                 "front"});
    return {};
}

}  // namespace

Result<Report> run_fronts(const Options& options) {
    allow_descriptors();
    Report report{.bench = "fronts", .figures = {}, .charts = {}, .notes = {}};
    for (const std::uint32_t fronts : {1u, 2u}) {
        if (auto done = measure(fronts, options, report); !done) {
            return std::unexpected(std::move(done.error()));
        }
    }
    return report;
}

}  // namespace ringside::bench
