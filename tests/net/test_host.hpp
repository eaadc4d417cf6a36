#pragma once
// A host with one front on a free loopback port, and the counter and relay games.

#include <netinet/in.h>
#include <sys/types.h>

#include "test_client.hpp"

#include "ringside/net/front.hpp"

namespace ringside::test {

class TestHost {
public:
    explicit TestHost(FrontOptions front_options = {}, bool eventfd = false);
    TestHost(const TestHost&) = delete;
    TestHost& operator=(const TestHost&) = delete;
    ~TestHost();

    /// The status that waitpid() tells.
    int stop();
    void ask_to_stop();

    [[nodiscard]] TestClient connect() const;
    /// The same, when it has said Hello and heard Welcome.
    [[nodiscard]] TestClient greeted() const;
    /// The same through a WebSocket.
    [[nodiscard]] TestClient greeted_web() const;

private:
    void listen_on_loopback();

    sockaddr_in address_{};
    int listening_fd_ = -1;
    pid_t pid_ = 0;
    bool asked_ = false;
};

}  // namespace ringside::test
