// /metrics of a real host, as Prometheus would read it.

#include <chrono>
#include <cmath>
#include <csignal>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "player.hpp"
#include "program.hpp"
#include "served_host.hpp"
#include "tests/ipc/process_watch.hpp"

#include "ringside/core/statistics.hpp"
#include "ringside/net/endpoint.hpp"

using namespace ringside;
using namespace ringside::test;

namespace {

/// Everything a server answers to one request; empty when nobody listens.
std::string ask(const Endpoint& endpoint, const std::string& request) {
    const auto fd = connect_to(endpoint, patience);
    if (!fd) {
        return "";
    }
    std::string answer;
    (void)!::send(*fd, request.data(), request.size(), MSG_NOSIGNAL);
    for (;;) {
        pollfd readable{.fd = *fd, .events = POLLIN, .revents = 0};
        if (poll(&readable, 1,
                 static_cast<int>(
                     std::chrono::duration_cast<std::chrono::milliseconds>(patience).count())) <=
            0) {
            break;
        }
        char chunk[4096];
        const ssize_t count = ::read(*fd, chunk, sizeof(chunk));
        if (count <= 0) {
            break;
        }
        answer.append(chunk, static_cast<std::size_t>(count));
    }
    close(*fd);
    return answer;
}

std::string get(const Endpoint& endpoint, const std::string& path) {
    return ask(endpoint,
               "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
}

/// A page in Prometheus' text format, judged line by line as it is read.
struct Page {
    std::map<std::string, std::string> types;   // by family
    std::map<std::string, double> samples;      // by name and labels
    std::set<std::string> families_of_samples;  // names as the dashboard would use them

    [[nodiscard]] double operator[](const std::string& sample) const {
        INFO(sample);
        const auto found = samples.find(sample);
        REQUIRE(found != samples.end());
        return found->second;
    }
};

Page scrape(const Endpoint& endpoint, const std::string& path = "/metrics") {
    std::string answer;
    REQUIRE(eventually([&] {
        answer = get(endpoint, path);
        return !answer.empty();
    }));
    INFO(answer.substr(0, 400));
    REQUIRE(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    REQUIRE(answer.find("Content-Type: text/plain; version=0.0.4") != std::string::npos);
    const std::size_t body = answer.find("\r\n\r\n");
    REQUIRE(body != std::string::npos);

    static const std::regex name_rule("[a-z_:][a-z0-9_:]*");
    static const std::regex sample_rule(
        R"re(^([a-z_][a-z0-9_]*)(\{[a-z_]+="[^"\n]*"(,[a-z_]+="[^"\n]*")*\})? ([0-9.eE+-]+|\+Inf)$)re");
    Page page;
    std::string family;
    std::istringstream lines(answer.substr(body + 4));
    for (std::string line; std::getline(lines, line);) {
        INFO(line);
        std::istringstream words(line);
        std::string hash;
        std::string what;
        words >> hash >> what;
        if (hash == "#") {
            REQUIRE((what == "HELP" || what == "TYPE"));
            std::string name;
            std::string rest;
            words >> name >> rest;
            REQUIRE(std::regex_match(name, name_rule));
            REQUIRE_FALSE(rest.empty());
            if (what == "TYPE") {
                CHECK(page.types.emplace(name, rest).second);  // each family once
                family = name;
                CHECK(name.ends_with("_total") == (rest == "counter"));
            }
            continue;
        }
        std::smatch match;
        REQUIRE(std::regex_match(line, match, sample_rule));
        const std::string name = match[1];
        const std::string sample = name + std::string(match[2]);
        CHECK(name.starts_with(family));  // samples stand under their family
        CHECK(page.samples.emplace(sample, std::stod(match[4])).second);
        page.families_of_samples.insert(name);
    }
    return page;
}

/// Buckets grow, and the last one counts everything.
void expect_histogram(const Page& page, const std::string& name, const std::string& labels) {
    INFO(name << labels);
    REQUIRE(page.types.contains(name));
    CHECK(page.types.at(name) == "histogram");
    const std::string inside = labels.empty() ? "" : labels.substr(1, labels.size() - 2) + ",";
    std::map<double, double> buckets;
    for (const auto& [sample, value] : page.samples) {
        const std::string head = name + "_bucket{" + inside + "le=\"";
        if (sample.starts_with(head)) {
            buckets[std::stod(sample.substr(head.size()))] = value;
        }
    }
    REQUIRE(buckets.size() >= 10);
    double last = 0;
    for (const auto& [bound, count] : buckets) {
        CHECK(count >= last);
        last = count;
    }
    CHECK(last == page[name + "_count" + labels]);
    CHECK(std::isinf(buckets.rbegin()->first));
}

struct MetricsSocket {
    MetricsSocket() : path("/tmp/" + new_instance() + ".metrics") {}
    MetricsSocket(const MetricsSocket&) = delete;
    MetricsSocket& operator=(const MetricsSocket&) = delete;
    ~MetricsSocket() { unlink(path.c_str()); }
    [[nodiscard]] std::vector<std::string> flags() const {
        return {"--metrics-listen", "unix:" + path};
    }
    [[nodiscard]] Endpoint endpoint() const { return {.unix_path = path}; }
    std::string path;
};

void play_and_leave(const ServedHost& host, const std::string& game) {
    Player player(host.endpoint());
    REQUIRE(player.join(game, {.seats = 2}).seat == 0u);
    player.press(tron::Key::insert);
    watch_until(player, [&](const tron::View&) { return player.applied() == 1; });
    player.leave();
    CHECK(player.left() == LeaveReason::left);
}

}  // namespace

TEST_CASE("metrics: a scrape is well formed, bounded, and only grows", "[e2e][metrics]") {
    const NothingLeft nothing_left;
    if (!statistics_enabled) {
        return;  // nothing is counted
    }
    const MetricsSocket socket;
    ServedHost host(socket.flags());
    Player first(host.endpoint());
    REQUIRE(first.join("kept-0", {.seats = 2}).seat == 0u);
    const Page few = scrape(socket.endpoint());
    CHECK(few["ringside_host_running"] == 1);
    CHECK(few["ringside_host_games"] == 1);
    CHECK(few["ringside_host_games_created_total"] == 1);
    CHECK(few["ringside_type_games{type=\"tron\"}"] == 1);
    CHECK(few["ringside_type_players{type=\"tron\"}"] == 1);
    CHECK(few["ringside_front_sessions{front=\"0\"}"] == 1);
    CHECK(few["ringside_front_accepts_total{front=\"0\"}"] == 1);
    CHECK(few["ringside_front_closes_total{front=\"0\",reason=\"client\"}"] == 0);
    CHECK(few["ringside_host_deaths_total{process=\"game\"}"] == 0);
    expect_histogram(few, "ringside_type_tick_lateness_seconds", "{type=\"tron\"}");
    expect_histogram(few, "ringside_type_tick_seconds", "{type=\"tron\"}");
    expect_histogram(few, "ringside_front_turn_seconds", "{front=\"0\"}");
    expect_histogram(few, "ringside_host_restore_seconds", "");

    // However many games there are, there are no more series.
    std::vector<Player> players;
    for (int i = 1; i <= 20; ++i) {
        players.emplace_back(host.endpoint());
        REQUIRE(players.back().join("kept-" + std::to_string(i), {.seats = 2}).seat == 0u);
    }
    play_and_leave(host, "short");
    Page many;
    REQUIRE(eventually([&] {  // a game counts what it has applied after it has published it
        many = scrape(socket.endpoint());
        return many["ringside_type_events_applied_total{type=\"tron\"}"] >= 21;
    }));
    CHECK(many.samples.size() == few.samples.size());

    // What ended games had done stays counted: no counter goes back.
    players.clear();
    first.leave();
    CHECK(first.left() == LeaveReason::left);
    REQUIRE(eventually(
        [&] { return scrape(socket.endpoint())["ringside_type_games{type=\"tron\"}"] < 21; }));
    const Page after = scrape(socket.endpoint());
    for (const auto& [sample, value] : many.samples) {
        const std::string name = sample.substr(0, sample.find('{'));
        if (name.ends_with("_total") || name.ends_with("_count") || name.ends_with("_bucket")) {
            INFO(sample);
            CHECK(after[sample] >= value);
        }
    }
    CHECK(host.stop() == 0);
    CHECK(get(socket.endpoint(), "/metrics").empty());
}

TEST_CASE("metrics: one game on request, and nothing else", "[e2e][metrics]") {
    const NothingLeft nothing_left;
    if (!statistics_enabled) {
        return;
    }
    const MetricsSocket socket;
    ServedHost host(socket.flags());
    Player player(host.endpoint());
    REQUIRE(player.join("single", {.seats = 2}).seat == 0u);
    const std::string labels = "{game=\"single\",type=\"tron\"}";
    Page page;
    REQUIRE(eventually([&] {
        page = scrape(socket.endpoint(), "/metrics?game=single");
        return page["ringside_game_events_applied_total" + labels] >= 1;
    }));
    CHECK(page["ringside_game_players" + labels] == 1);
    CHECK(page["ringside_game_seats" + labels] == 2);
    expect_histogram(page, "ringside_game_tick_seconds", labels);
    CHECK(page.types.contains("ringside_type_games") == false);

    const auto status = [&](const std::string& request) {
        const std::string answer = ask(socket.endpoint(), request);
        return answer.substr(0, answer.find("\r\n"));
    };
    CHECK(status("GET /metrics?game=nobody HTTP/1.1\r\nHost: a\r\n\r\n") ==
          "HTTP/1.1 404 Not Found");
    CHECK(status("GET /metrics?game=%00 HTTP/1.1\r\nHost: a\r\n\r\n") == "HTTP/1.1 404 Not Found");
    CHECK(status("GET / HTTP/1.1\r\nHost: a\r\n\r\n") == "HTTP/1.1 404 Not Found");
    CHECK(status("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n") ==
          "HTTP/1.1 405 Method Not Allowed");
    CHECK(status("HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n") == "HTTP/1.1 200 OK");
    CHECK(status("nonsense\r\n\r\n").starts_with("HTTP/1.1 4"));
    // Not for those who play.
    CHECK(get(host.endpoint(), "/metrics").starts_with("HTTP/1.1 404"));
    CHECK(host.stop() == 0);
}

TEST_CASE("metrics: their process dies alone and comes back, and idlers keep nobody out",
          "[e2e][metrics]") {
    const NothingLeft nothing_left;
    if (!statistics_enabled) {
        return;
    }
    const MetricsSocket socket;
    ServedHost host(socket.flags());
    const pid_t metrics = host.process("metrics");
    kill(metrics, SIGKILL);
    wait_until_gone(metrics);
    CHECK(scrape(socket.endpoint())["ringside_host_deaths_total{process=\"companion\"}"] == 1);
    std::vector<int> idlers;
    for (int i = 0; i < 20; ++i) {  // more than it keeps
        const auto fd = connect_to(socket.endpoint(), patience);
        REQUIRE(fd.has_value());
        idlers.push_back(*fd);
    }
    CHECK(scrape(socket.endpoint())["ringside_host_running"] == 1);
    for (const int fd : idlers) {
        close(fd);
    }
    CHECK(host.stop() == 0);
}

TEST_CASE("metrics: without an address they are served on this machine alone", "[e2e][metrics]") {
    const NothingLeft nothing_left;
    ServedHost host({"--metrics-listen", ":0"});
    CHECK(host.stop() == 0);
    INFO(host.program().output());
    CHECK(host.program().output().find("\nmetrics: http://127.0.0.1:") != std::string::npos);
    CHECK(run({"serve", "--metrics-listen", ":99999"}).exit_code == 2);
}

TEST_CASE("metrics: the dashboard asks for nothing that a host does not have", "[e2e][metrics]") {
    const NothingLeft nothing_left;
    if (!statistics_enabled) {
        return;
    }
    const MetricsSocket socket;
    ServedHost host(socket.flags());
    Player player(host.endpoint());  // a type is told of while it has, or had at a scrape, a game
    REQUIRE(player.join("any", {.seats = 2}).seat.has_value());
    const Page page = scrape(socket.endpoint());
    std::ifstream file(RINGSIDE_DASHBOARD);
    const auto dashboard = nlohmann::json::parse(file);
    static const std::regex metric("ringside_[a-z_]+");
    std::set<std::string> used;
    for (const auto& panel : dashboard.at("panels")) {
        CHECK_FALSE(panel.at("title").get<std::string>().empty());
        for (const auto& target : panel.at("targets")) {
            const std::string expression = target.at("expr");
            for (auto found = std::sregex_iterator(expression.begin(), expression.end(), metric);
                 found != std::sregex_iterator(); ++found) {
                used.insert(found->str());
            }
        }
    }
    CHECK(used.size() >= 30);
    for (const std::string& name : used) {
        INFO(name);
        CHECK(page.families_of_samples.contains(name));
    }
    CHECK(host.stop() == 0);
}
