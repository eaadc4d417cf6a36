// Options of `serve` that trade CPUs for microseconds: each has its effect, and what is not
// permitted is said and left out.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "doctor_checks.hpp"
#include "player.hpp"
#include "program.hpp"
#include "served_host.hpp"

#include "ringside/ipc/supervisor.hpp"

using namespace ringside;
using namespace ringside::test;
namespace fs = std::filesystem;

namespace {

/// Two play a game for some views, and it reacts.
void play(ServedHost& host) {
    Player first(host.endpoint());
    Player second(host.endpoint());
    REQUIRE(first.join("quick", {.seats = 2}).seat.has_value());
    REQUIRE(second.join("quick", {.seats = 2}).seat.has_value());
    for (Player* player : {&first, &second}) {
        player->press(tron::Key::insert);
    }
    first.next_view();
    const std::uint64_t begun = first.tick();
    while (first.tick() <= begun + 5) {
        first.next_view();
    }
}

std::string status_of(pid_t pid, const std::string& key) {
    return Machine("/").field(fmt::format("/proc/{}/status", pid), key).value_or("");
}

/// The CPUs that this test may use, as the kernel writes them for a process that has just one.
std::vector<std::string> own_cpus() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    REQUIRE(sched_getaffinity(0, sizeof(allowed), &allowed) == 0);
    std::vector<std::string> cpus;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(static_cast<std::size_t>(cpu), &allowed)) {
            cpus.push_back(std::to_string(cpu));
        }
    }
    return cpus;
}

/// `ringside serve` in a shell that has given up what an ordinary user has not.
std::vector<std::string> without_privileges() {
    std::vector<std::string> words{"prlimit", "--memlock=8388608:8388608", "--rtprio=0:0"};
    if (geteuid() == 0) {
        words.insert(words.end(), {"setpriv", "--bounding-set=-sys_nice,-ipc_lock",
                                   "--inh-caps=-sys_nice,-ipc_lock"});
    }
    return words;
}

}  // namespace

TEST_CASE("low latency: a host plays with each option, and with all", "[e2e][low_latency]") {
    const NothingLeft nothing_left;
    const auto flags = GENERATE(values<std::vector<std::string>>({
        {"--spin-us", "200"},
        {"--busy-poll"},
        {"--sqpoll"},
        {"--sqpoll", "--busy-poll"},
        {"--napi-busy-poll"},
        {"--profile", "low-latency"},
        {"--profile", "low-latency", "--sqpoll", "--no-uring-futex", "--fronts", "2"},
    }));
    std::string said;
    for (const std::string& flag : flags) {
        said += flag + " ";
    }
    INFO(said);
    ServedHost host(flags);
    play(host);
    CHECK(host.stop() == 0);
    INFO(host.program().errors());
    // Nothing else than what is not permitted here is told.
    std::istringstream lines(host.program().errors());
    for (std::string line; std::getline(lines, line);) {
        CHECK(line.find("going on without") != std::string::npos);
    }
}

TEST_CASE("low latency: fronts and games run on the CPUs they are given", "[e2e][low_latency]") {
    const NothingLeft nothing_left;
    const std::vector<std::string> cpus = own_cpus();
    ServedHost host({"--cpus-front", cpus.back(), "--cpus-games", cpus.front()});
    Player player(host.endpoint());
    REQUIRE(player.join("placed", {.seats = 2}).seat.has_value());
    CHECK(status_of(host.process("front/0"), "Cpus_allowed_list") == cpus.back());
    CHECK(status_of(host.game_process("placed"), "Cpus_allowed_list") == cpus.front());
    CHECK(host.stop() == 0);
}

TEST_CASE("low latency: a thread of the kernel's takes a front's requests", "[e2e][low_latency]") {
    const NothingLeft nothing_left;
    ServedHost host({"--sqpoll"});
    const fs::path tasks = fmt::format("/proc/{}/task", host.process("front/0"));
    if (host.program().errors().find("going on without --sqpoll") == std::string::npos) {
        CHECK(eventually([&tasks] {
            return std::ranges::any_of(fs::directory_iterator(tasks), [](const auto& task) {
                std::string name;
                std::ifstream(task.path() / "comm") >> name;
                return name.starts_with("iou-sqp-");
            });
        }));
    }
    CHECK(host.stop() == 0);
}

TEST_CASE("low latency: a front stays in memory, and runs first", "[e2e][low_latency]") {
    const NothingLeft nothing_left;
    ServedHost host({"--mlock", "--fifo"});
    const pid_t front = host.process("front/0");
    rlimit limit{};
    REQUIRE(getrlimit(RLIMIT_MEMLOCK, &limit) == 0);
    const bool may_lock =
        limit.rlim_max == RLIM_INFINITY || has_capability(Machine("/"), cap_ipc_lock);
    const std::string errors = host.program().errors();
    INFO(errors);
    CHECK((errors.find("going on without --mlock") == std::string::npos) == may_lock);
    CHECK((errors.find("going on without --fifo") == std::string::npos) == may_run_first());
#ifndef RINGSIDE_SANITIZED  // sanitizers lock nothing: their shadow is larger than any memory
    // In the front, a moment after it was forked.
    CHECK(eventually([&] { return (status_of(front, "VmLck") != "0 kB") == may_lock; }));
#endif
    CHECK((sched_getscheduler(front) == SCHED_FIFO) == may_run_first());
    play(host);
    CHECK(host.stop() == 0);
}

TEST_CASE("low latency: what is not permitted is said, and the host goes on without",
          "[e2e][low_latency]") {
    const NothingLeft nothing_left;
    std::vector<std::string> words = without_privileges();
    const std::string path = words.front();
    words.erase(words.begin());
    words.push_back(RINGSIDE_PROGRAM);
    ServedHost host = ServedHost::wrapped(path, words, {"--profile", "low-latency"});
    const std::string errors = host.program().errors();
    INFO(errors);
    CHECK(errors.find("going on without --fifo") != std::string::npos);
    CHECK(errors.find("going on without --mlock") != std::string::npos);
    const pid_t front = host.process("front/0");
    CHECK(status_of(front, "VmLck") == "0 kB");
    CHECK(sched_getscheduler(front) == SCHED_OTHER);
    play(host);
    CHECK(host.stop() == 0);
}

TEST_CASE("low latency: a profile is what nothing else is said of", "[e2e][low_latency]") {
    const auto printed = [](std::vector<std::string> flags) {
        flags.insert(flags.begin(), {"serve", "--print-config", "--profile", "low-latency"});
        return run(flags).output;
    };
    const std::string all = printed({});
    for (const char* line : {"\nprofile = \"low-latency\"\n", "\nfifo = true\n", "\nmlock = true\n",
                             "\nnapi-busy-poll = true\n", "\nspin-us = 50\n"}) {
        CHECK(all.find(line) != std::string::npos);
    }
    const std::string some = printed({"--fifo=false", "--spin-us", "7"});
    CHECK(some.find("\nfifo = false\n") != std::string::npos);
    CHECK(some.find("\nspin-us = 7\n") != std::string::npos);
    CHECK(some.find("\nmlock = true\n") != std::string::npos);
}
