#include "ringside/core/log.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ringside/core/printable.hpp"

namespace ringside {
namespace {

LogLevel least_urgent_level = LogLevel::notice;
bool is_journal = false;

}  // namespace

void set_log_level(LogLevel least_urgent) noexcept {
    least_urgent_level = least_urgent;
}

void find_journal() noexcept {
    const char* const stream = std::getenv("JOURNAL_STREAM");
    unsigned long device = 0;
    unsigned long inode = 0;
    struct stat error_stream{};
    // Also another program's, inherited: the numbers say whether it is this one's.
    is_journal = stream != nullptr && std::sscanf(stream, "%lu:%lu", &device, &inode) == 2 &&
                 fstat(STDERR_FILENO, &error_stream) == 0 && error_stream.st_dev == device &&
                 error_stream.st_ino == inode;
}

void forget_journal() noexcept {
    is_journal = false;
}

void log(LogLevel level, std::string_view text, std::string_view who) {
    if (level > least_urgent_level) {
        return;
    }
    const std::string line =
        fmt::format("{}{}: {}\n", is_journal ? fmt::format("<{}>", static_cast<int>(level)) : "",
                    who, printable(text));
    // One call, so that lines of several processes do not mix. A log that takes no more is nobody's
    // reason to stop.
    static_cast<void>(!write(STDERR_FILENO, line.data(), line.size()));
}

}  // namespace ringside
