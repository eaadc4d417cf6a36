#pragma once
// GameLog: what games and nurseries write to standard error, on its way to the host's own. A game
// is not trusted: it gets a pipe instead of the terminal, and what comes out is cut into lines,
// freed of control characters and limited in rate.

#include <cstdint>
#include <string>

#include "ringside/core/result.hpp"
#include "ringside/core/token_bucket.hpp"
#include "ringside/ipc/statistics.hpp"

namespace ringside {

class GameLog {
public:
    [[nodiscard]] static Result<GameLog> open();
    GameLog() noexcept = default;
    GameLog(GameLog&&) noexcept;
    GameLog& operator=(GameLog&&) noexcept;
    ~GameLog();

    /// Non-blocking. Readable while something waits.
    [[nodiscard]] int fd() const noexcept { return read_fd_; }

    /// In a forked nursery: makes the pipe its standard error, and its games'. A full pipe takes
    /// nothing and makes nobody wait: the two ends are non-blocking.
    void become_standard_error() noexcept;

    /// Prints what waits, a bounded part of it, and has it kept. False: more comes than is printed.
    bool print_some(std::int64_t now_ns, StatisticsFile& errors);

    /// Prints what is left, when those who write have gone.
    void print_rest(std::int64_t now_ns, StatisticsFile& errors);

private:
    void print_line(std::int64_t now_ns, StatisticsFile& errors);

    int read_fd_ = -1;
    int write_fd_ = -1;
    std::string line_;  // so far
    TokenBucket lines_;
    std::uint64_t dropped_ = 0;  // lines, since one was printed
};

}  // namespace ringside
