#pragma once
// OperatorSocket: the supervisor's end of ask_host(): it listens in the instance's directory and
// takes one question a connection.

#include <functional>
#include <string>

#include <sys/un.h>

#include "control.hpp"

#include "ringside/core/result.hpp"

namespace ringside {

[[nodiscard]] Result<sockaddr_un> operator_address(const std::string& instance_path);

class OperatorSocket {
public:
    [[nodiscard]] static Result<OperatorSocket> listen(const std::string& instance_path);
    OperatorSocket() noexcept = default;
    OperatorSocket(OperatorSocket&&) noexcept;
    OperatorSocket& operator=(OperatorSocket&&) noexcept;
    ~OperatorSocket();

    [[nodiscard]] int fd() const noexcept { return fd_; }

    /// Answers one of those who wait, if there is one: `answer` turns the question into its answer.
    void serve_one(const std::function<void(ControlPacket&)>& answer) const;

private:
    explicit OperatorSocket(int fd) noexcept : fd_(fd) {}
    int fd_ = -1;
};

}  // namespace ringside
