#include "test_host.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counter_game.hpp"

#include "ringside/ipc/supervisor.hpp"
#include "ringside/relay/relay.hpp"

namespace ringside::test {
namespace {

std::string unique_instance() {
    static int count = 0;
    return "front-test-" + std::to_string(getpid()) + "-" + std::to_string(++count);
}

}  // namespace

TestHost::TestHost(FrontOptions front_options, bool eventfd) {
    listen_on_loopback();
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    HostOptions options;
    options.instance = unique_instance();
    options.games_max = 64;
    options.games_per_creator_max = 1;
    options.wake_by_eventfd = eventfd;
    options.resume_grace = front_options.resume_grace;
    std::cout.flush();  // or each process of the host prints what is buffered
    std::fflush(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
        close(ready[0]);
        const std::array<const GameType*, 2> types{&counter_type(), &relay::relay_type()};
        const std::vector<int> sockets{listening_fd_};
        const auto code = run_host(
            options, types,
            [&](FrontLink link) { return run_front(std::move(link), sockets, front_options); },
            [&] { (void)!write(ready[1], "r", 1); });
        _exit(code ? *code : 1);
    }
    close(ready[1]);
    char byte = 0;
    REQUIRE(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
}

TestHost::~TestHost() {
    if (pid_ > 0) {
        (void)stop();
    }
}

int TestHost::stop() {
    if (!std::exchange(asked_, true)) {
        kill(pid_, SIGTERM);  // a second one would stop at once
    }
    int status = 0;
    waitpid(std::exchange(pid_, 0), &status, 0);
    close(listening_fd_);
    return status;
}

void TestHost::ask_to_stop() {
    asked_ = true;
    kill(pid_, SIGTERM);
}

TestClient TestHost::connect() const {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int bytes = 4096;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) == 0);
    return TestClient(fd);
}

TestClient TestHost::greeted() const {
    TestClient client = connect();
    client.hello();
    (void)client.expect<wire::Welcome>();
    return client;
}

TestClient TestHost::greeted_web() const {
    TestClient client = connect();
    client.upgrade();
    client.hello();
    (void)client.expect<wire::Welcome>();
    return client;
}

void TestHost::listen_on_loopback() {
    listening_fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // Small, so that a client that does not read is noticed soon; inherited when accepted.
    const int bytes = 4096;
    setsockopt(listening_fd_, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    socklen_t size = sizeof address_;
    REQUIRE(bind(listening_fd_, reinterpret_cast<const sockaddr*>(&address_), size) == 0);
    REQUIRE(listen(listening_fd_, 128) == 0);
    REQUIRE(getsockname(listening_fd_, reinterpret_cast<sockaddr*>(&address_), &size) == 0);
}

}  // namespace ringside::test
