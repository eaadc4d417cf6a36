// A host under a service manager, of which the tests are one: readiness, signs of life, sockets
// that were passed, the journal.

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ipc/process.hpp"
#include "player.hpp"
#include "program.hpp"
#include "served_host.hpp"
#include "tests/ipc/process_watch.hpp"

#include "ringside/net/client.hpp"
#include "ringside/net/endpoint.hpp"

using namespace ringside;
using namespace ringside::test;
namespace fs = std::filesystem;

namespace {

std::string temporary_socket(const std::string& name) {
    return fs::temp_directory_path() / (instance_prefix() + name);
}

/// What systemd is to a service: it has the socket that NOTIFY_SOCKET names.
class Manager {
public:
    Manager() : path_(temporary_socket("notify")) {
        fs::remove(path_);
        fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::ranges::copy(path_, address.sun_path);
        REQUIRE(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    }
    Manager(const Manager&) = delete;
    Manager& operator=(const Manager&) = delete;
    ~Manager() {
        close(fd_);
        fs::remove(path_);
    }

    /// The next thing it is told, within so long; none: nothing.
    std::optional<std::string> told(int within_ms) {
        pollfd readable{.fd = fd_, .events = POLLIN, .revents = 0};
        std::array<char, 4096> text{};
        if (poll(&readable, 1, within_ms) <= 0) {
            return std::nullopt;
        }
        const ssize_t count = recv(fd_, text.data(), text.size(), 0);
        REQUIRE(count > 0);
        return std::string(text.data(), static_cast<std::size_t>(count));
    }

    /// Waits until it is told something with this line, and returns that.
    std::string wait_for(const std::string& line) {
        for (;;) {
            const auto text = told(static_cast<int>(std::chrono::milliseconds(patience).count()));
            if (!text) {
                FAIL("nothing said " << line);
            }
            if (("\n" + *text + "\n").find("\n" + line + "\n") != std::string::npos) {
                return *text;
            }
        }
    }

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
    int fd_ = -1;
};

struct Passed {
    std::vector<int> fds{};  // that become 3, 4 …
    std::vector<std::string> environment{};
};

std::vector<std::string> wrapped(const Passed& passed, std::vector<std::string> arguments) {
    std::string script;
    for (std::size_t i = 0; i < passed.fds.size(); ++i) {
        script += "exec " + std::to_string(3 + i) + "<&" + std::to_string(passed.fds[i]) + "; ";
    }
    if (!passed.fds.empty()) {
        script += "export LISTEN_PID=$$ LISTEN_FDS=" + std::to_string(passed.fds.size()) + "; ";
    }
    for (const std::string& variable : passed.environment) {
        script += "export " + variable + "; ";
    }
    std::vector<std::string> all{"-c", script + "exec \"$0\" \"$@\"", RINGSIDE_PROGRAM, "serve"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
}

/// The host becomes the process that the shell was, as a service manager starts it.
Program start(const Passed& passed, std::vector<std::string> arguments) {
    for (const int fd : passed.fds) {
        fcntl(fd, F_SETFD, 0);
    }
    Program program("bash", wrapped(passed, std::move(arguments)));
    for (const int fd : passed.fds) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    return program;
}

pid_t process_of(const Program& host, const std::string& name) {
    pid_t found = 0;
    INFO(name << "\n" << host.errors());
    REQUIRE(eventually([&] { return (found = child_named(host.pid(), name)) != 0; }));
    return found;
}

/// A socket that listens, as a .socket unit has it: on a port, or at a path.
class Listening {
public:
    explicit Listening(std::string unix_path = {}) {
        Endpoint wanted{.host = "127.0.0.1", .port = 0, .unix_path = std::move(unix_path)};
        auto made = listen_on(wanted);
        REQUIRE(made.has_value());
        // Well away from the small numbers that it gets in the host.
        fd = fcntl(*made, F_DUPFD_CLOEXEC, 20);
        close(*made);
        endpoint = wanted;
        if (endpoint.unix_path.empty()) {
            endpoint.port = bound_port(fd);
        }
    }
    Listening(const Listening&) = delete;
    Listening& operator=(const Listening&) = delete;
    ~Listening() {
        close(fd);
        if (!endpoint.unix_path.empty()) {
            fs::remove(endpoint.unix_path);
        }
    }
    int fd = -1;
    Endpoint endpoint;
};

std::vector<std::string> on_loopback(const std::string& instance) {
    return {"--listen", "127.0.0.1:0", "--instance", instance};
}

}  // namespace

TEST_CASE("service: the manager is told when the host serves, lives and stops", "[e2e][service]") {
    const NothingLeft nothing_left;
    Manager manager;
    const std::string instance = new_instance();
    Program host =
        start({.environment = {"NOTIFY_SOCKET=" + manager.path(), "WATCHDOG_USEC=2000000"}},
              on_loopback(instance));
    const std::string ready = manager.wait_for("READY=1");
    CHECK(ready.find("\nMAINPID=" + std::to_string(host.pid())) != std::string::npos);
    CHECK(ready.find("\nSTATUS=listening on 127.0.0.1") != std::string::npos);
    CHECK(run({"sessions", "--instance", instance}).exit_code == 0);  // it is true
    for (int kicks = 0; kicks < 3; ++kicks) {
        CHECK(manager.wait_for("WATCHDOG=1") == "WATCHDOG=1");
    }
    host.signal(SIGTERM);
    manager.wait_for("STOPPING=1");
    CHECK(host.wait() == 0);
}

TEST_CASE("service: a manager that wants no signs of life is given none", "[e2e][service]") {
    const NothingLeft nothing_left;
    Manager manager;
    Program host =
        start({.environment = {"NOTIFY_SOCKET=" + manager.path()}}, on_loopback(new_instance()));
    manager.wait_for("READY=1");
    host.signal(SIGTERM);
    CHECK(host.wait() == 0);
    CHECK(manager.told(0).value_or("").starts_with("STOPPING=1"));
    CHECK_FALSE(manager.told(0).has_value());
}

TEST_CASE("service: a front that does not turn is no sign of life", "[e2e][service]") {
    const NothingLeft nothing_left;
    Manager manager;
    Program host =
        start({.environment = {"NOTIFY_SOCKET=" + manager.path(), "WATCHDOG_USEC=2000000"}},
              on_loopback(new_instance()));
    manager.wait_for("WATCHDOG=1");
    const pid_t front = process_of(host, "front/0");
    kill(front, SIGSTOP);
    REQUIRE(eventually([front] {
        const auto facts = look_at_process(front);
        return !facts || facts->state == 'T';
    }));
    while (manager.told(0)) {  // what was said before
    }
    // What it answered before counts once. Its pid is no other's before the host has reaped it and
    // forked, so a kick while the process is there came while it was stopped.
    int kicks_while_stopped = 0;
    while (child_named(host.pid(), "front/0") == front) {
        if (manager.told(100) && child_named(host.pid(), "front/0") == front) {
            ++kicks_while_stopped;
        }
    }
    CHECK(kicks_while_stopped <= 1);
    CHECK(process_of(host, "front/0") != front);
    manager.wait_for("WATCHDOG=1");
    manager.wait_for("WATCHDOG=1");  // the new one answers
    host.signal(SIGTERM);
    CHECK(host.wait() == 0);
    CHECK(host.errors().find("front 0 hangs; killing it") != std::string::npos);
}

TEST_CASE("service: a host serves the sockets it is passed, and leaves them", "[e2e][service]") {
    const NothingLeft nothing_left;
    const Listening tcp;
    const Listening unix_socket(temporary_socket("passed"));
    Program host = start({.fds = {tcp.fd, unix_socket.fd}}, {"--instance", new_instance()});
    const std::string line = host.first_line();
    INFO(line << host.errors());
    CHECK(line.find("listening on 127.0.0.1:" + std::to_string(tcp.endpoint.port) +
                    ", unix:" + unix_socket.endpoint.unix_path) != std::string::npos);
    for (const Listening* socket : {&tcp, &unix_socket}) {
        Player player(socket->endpoint);
        CHECK(player.join("passed", {.seats = 3}).seat.has_value());
    }
    host.signal(SIGTERM);
    CHECK(host.wait() == 0);
    CHECK(fs::exists(unix_socket.endpoint.unix_path));
    CHECK(connect_to(tcp.endpoint, patience).has_value());  // it waits for the next host
}

TEST_CASE("service: what was passed comes first, and --listen adds to it", "[e2e][service]") {
    const NothingLeft nothing_left;
    const Listening passed;
    Program host = start({.fds = {passed.fd}}, on_loopback(new_instance()));
    const std::string line = host.first_line();
    INFO(line << host.errors());
    const std::string first = "listening on 127.0.0.1:" + std::to_string(passed.endpoint.port);
    CHECK(line.starts_with(first + ", 127.0.0.1:"));
    host.signal(SIGTERM);
    CHECK(host.wait() == 0);
}

TEST_CASE("service: over a crash and a restart, games stay and nobody is refused",
          "[e2e][service]") {
    const NothingLeft nothing_left;
    Manager manager;
    const Listening socket;
    const std::string instance = new_instance();
    const Passed passed{.fds = {socket.fd}, .environment = {"NOTIFY_SOCKET=" + manager.path()}};
    Program first = start(passed, {"--instance", instance});
    manager.wait_for("READY=1");
    Player player(socket.endpoint);
    REQUIRE(player.join("kept", {.seats = 2}).seat == 0u);
    first.signal(SIGKILL);
    CHECK(first.wait() == -SIGKILL);
    REQUIRE_FALSE(player.left().has_value());  // its front is gone, too, and accepts nobody
    // There is no host, and the connection waits for one.
    auto early = Client::connect(socket.endpoint);
    REQUIRE(early.has_value());
    Program second = start(passed, {"--instance", instance});
    manager.wait_for("READY=1");
    const auto welcome = early->receive(patience);
    REQUIRE(welcome.has_value());
    CHECK(*welcome != nullptr);
    player.come_back();
    CHECK(player.seat() == 0u);
    second.signal(SIGTERM);
    CHECK(second.wait() == 0);
    CHECK(second.errors().find("restoring 1 games of the host before this one") !=
          std::string::npos);
}

TEST_CASE("service: an upgraded host is the same process to its manager", "[e2e][service]") {
    const NothingLeft nothing_left;
    Manager manager;
    const Listening socket(temporary_socket("upgraded"));
    const std::string instance = new_instance();
    Program host =
        start({.fds = {socket.fd},
               .environment = {"NOTIFY_SOCKET=" + manager.path(), "WATCHDOG_USEC=2000000"}},
              {"--instance", instance});
    manager.wait_for("READY=1");
    Player player(socket.endpoint);
    REQUIRE(player.join("kept", {.seats = 2}).seat == 0u);
    for (int times = 0; times < 2; ++times) {
        const Outcome upgraded = run({"upgrade", "--instance", instance});
        INFO(upgraded.errors);
        REQUIRE(upgraded.exit_code == 0);
        manager.wait_for("RELOADING=1");
        const std::string ready = manager.wait_for("READY=1");
        CHECK(ready.find("\nMAINPID=" + std::to_string(host.pid())) != std::string::npos);
        CHECK(ready.find(socket.endpoint.unix_path) != std::string::npos);
        manager.wait_for("WATCHDOG=1");
        REQUIRE_FALSE(player.left().has_value());
        player.come_back();
    }
    host.signal(SIGTERM);
    CHECK(host.wait() == 0);
    CHECK(fs::exists(socket.endpoint.unix_path));  // it is the manager's still
}

TEST_CASE("service: a socket that no client can reach is refused", "[e2e][service]") {
    const NothingLeft nothing_left;
    const int made = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int fd = fcntl(made, F_DUPFD_CLOEXEC, 20);
    close(made);
    Program host = start({.fds = {fd}}, {"--instance", new_instance()});
    CHECK(host.wait() == 1);
    CHECK(host.errors().find("descriptor 3 that was passed is no listening stream socket") !=
          std::string::npos);
    close(fd);
}

TEST_CASE("service: lines of the journal begin with their level", "[e2e][service]") {
    const NothingLeft nothing_left;
    const auto errors_of = [](const std::string& stream, const std::string& level) {
        auto arguments = on_loopback(new_instance());
        arguments.insert(arguments.end(), {"--log-level", level});
        Program host = start({.environment = {"JOURNAL_STREAM=" + stream}}, arguments);
        const std::string line = host.first_line();
        const std::string port = line.substr(line.find(':') + 1);
        {
            Player player({.host = "127.0.0.1",
                           .port = static_cast<std::uint16_t>(std::stoul(port)),
                           .unix_path = {}});
            REQUIRE(player.join("logged").seat.has_value());
        }
        kill(process_of(host, "front/0"), SIGKILL);
        REQUIRE(eventually([&host] {
            return host.errors().find("front 0 died; starting another\n") != std::string::npos;
        }));
        host.signal(SIGTERM);
        CHECK(host.wait() == 0);
        return host.errors();
    };
    const std::string own = "$(stat --dereference --format %d:%i /dev/stderr)";
    const std::string journal = errors_of(own, "info");
    INFO(journal);
    CHECK(journal.find("<6>ringside: game 'logged' (tron) made\n") == 0);
    CHECK(journal.find("\n<4>ringside: front 0 died; starting another\n") != std::string::npos);
    CHECK(errors_of("1:1", "notice") == "ringside: front 0 died; starting another\n");
}

TEST_CASE("service: of the log, what is less urgent is left out", "[e2e][service]") {
    const NothingLeft nothing_left;
    const std::string instance = new_instance();
    ServedHost host({"--log-level", "error"}, instance);
    const pid_t front = host.process("front/0");
    kill(front, SIGKILL);
    REQUIRE(eventually([&] {
        const pid_t now = host.process("front/0");
        return now != front;
    }));
    CHECK(host.stop() == 0);
    CHECK(host.program().errors().empty());
}
