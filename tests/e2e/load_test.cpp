// The load generator against a real host: nothing is lost, and it notices if there is no host.

#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "program.hpp"
#include "served_host.hpp"

using namespace ringside::test;

namespace {

nlohmann::json load(const ServedHost& host, std::vector<std::string> flags) {
    flags.insert(flags.end(), {"-P", host.port(), "--seconds", "1", "--json"});
    const Outcome outcome = run_program(RINGSIDE_LOAD, flags);
    INFO(outcome.errors);
    INFO(outcome.output);
    REQUIRE(outcome.exit_code == 0);
    return nlohmann::json::parse(outcome.output);
}

}  // namespace

TEST_CASE("load: every input of many sessions is applied once", "[e2e][load]") {
    const NothingLeft nothing_left;
    ServedHost host({"--messages-per-second", "1000000"});
    const auto races = load(host, {"--games", "20", "--players", "2", "--rate", "5"});
    REQUIRE(races.at("sessions") == 40);
    REQUIRE(races.at("deltas") > 0);
    for (const char* players : {"1", "8"}) {
        const auto relayed =
            load(host, {"--mode", "relay", "--games", "4", "--players", players, "--closed"});
        REQUIRE(relayed.at("acknowledged") > 0);
        REQUIRE(relayed.at("lost") == 0);
    }
    REQUIRE(host.stop() == 0);
}

TEST_CASE("load: without a host it says so", "[e2e][load]") {
    const Outcome outcome = run_program(RINGSIDE_LOAD, {"-A", "unix:/nonexistent/ringside"});
    REQUIRE(outcome.exit_code == 1);
    REQUIRE(outcome.errors.find("none of 2 sessions") != std::string::npos);
}

TEST_CASE("load: it says why sessions failed", "[e2e][load]") {
    const NothingLeft nothing_left;
    ServedHost host({"--games-max", "1"});
    const Outcome outcome =
        run_program(RINGSIDE_LOAD, {"-P", host.port(), "--mode", "relay", "--games", "2",
                                    "--players", "1", "--seconds", "0.1", "--json"});
    INFO(outcome.output);
    REQUIRE(outcome.exit_code == 1);
    const auto told = nlohmann::json::parse(outcome.output);
    REQUIRE(told.at("failed") == 1);
    REQUIRE(told.at("lost") == 0);
    const auto reason = told.at("reason").get<std::string>();
    REQUIRE(!reason.empty());
    REQUIRE(outcome.errors.find("1 sessions failed; most often: " + reason) != std::string::npos);
    REQUIRE(host.stop() == 0);
}
