#include "game_log.hpp"

#include <array>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "ringside/core/log.hpp"
#include "ringside/core/printable.hpp"

namespace ringside {
namespace {

constexpr std::size_t line_bytes_max = 512;  // a longer one is cut into several
// Far more than games have to say; a report of a sanitizer is about a hundred lines.
constexpr TokenRate line_rate{.per_second = 100, .burst = 1000};

}  // namespace

Result<GameLog> GameLog::open() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        return errno_failure("cannot make a pipe for the games' log");
    }
    GameLog log;
    log.read_fd_ = ends[0];
    log.write_fd_ = ends[1];
    return log;
}

GameLog::GameLog(GameLog&& other) noexcept {
    *this = std::move(other);
}

GameLog& GameLog::operator=(GameLog&& other) noexcept {
    std::swap(read_fd_, other.read_fd_);
    std::swap(write_fd_, other.write_fd_);
    std::swap(line_, other.line_);
    std::swap(lines_, other.lines_);
    std::swap(dropped_, other.dropped_);
    return *this;
}

GameLog::~GameLog() {
    for (const int fd : {read_fd_, write_fd_}) {
        if (fd >= 0) {
            close(fd);
        }
    }
}

void GameLog::become_standard_error() noexcept {
    dup2(write_fd_, STDERR_FILENO);
    forget_journal();
    *this = GameLog{};
}

bool GameLog::print_some(std::int64_t now_ns, StatisticsFile& errors) {
    std::array<char, 4096> chunk;
    const ssize_t count = read(read_fd_, chunk.data(), chunk.size());
    for (const char c :
         std::string_view(chunk.data(), count > 0 ? static_cast<std::size_t>(count) : 0)) {
        if (c != '\n') {
            line_ += c;
        }
        if (c == '\n' || line_.size() == line_bytes_max) {
            print_line(now_ns, errors);
        }
    }
    return dropped_ == 0;
}

void GameLog::print_rest(std::int64_t now_ns, StatisticsFile& errors) {
    constexpr int chunks_in_a_pipe = 16;
    for (int i = 0; i < chunks_in_a_pipe; ++i) {
        print_some(now_ns, errors);
    }
    if (!line_.empty()) {
        print_line(now_ns, errors);
    }
}

void GameLog::print_line(std::int64_t now_ns, StatisticsFile& errors) {
    const std::string line = std::exchange(line_, {});
    if (!lines_.take(line_rate, now_ns)) {
        ++dropped_;
        return;
    }
    if (dropped_ != 0) {
        log(LogLevel::warning,
            fmt::format("{} lines that games wrote are left out", std::exchange(dropped_, 0)));
    }
    log(LogLevel::warning, line, "game");
    errors.note_error("game: " + printable(line));
}

}  // namespace ringside
