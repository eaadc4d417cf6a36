#include "ringside/core/log.hpp"

#include <array>
#include <cstdlib>
#include <string>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ringside;

namespace {

/// Standard error as a file, for as long as it lives.
class CaughtErrors {
public:
    CaughtErrors() : before_(dup(STDERR_FILENO)), file_(memfd_create("errors", MFD_CLOEXEC)) {
        REQUIRE(dup2(file_, STDERR_FILENO) == STDERR_FILENO);
    }
    CaughtErrors(const CaughtErrors&) = delete;
    CaughtErrors& operator=(const CaughtErrors&) = delete;
    ~CaughtErrors() {
        dup2(before_, STDERR_FILENO);
        close(before_);
        close(file_);
        unsetenv("JOURNAL_STREAM");
        find_journal();
        set_log_level(LogLevel::notice);
    }

    [[nodiscard]] std::string text() const {
        std::array<char, 4096> bytes{};
        const ssize_t count = pread(file_, bytes.data(), bytes.size(), 0);
        return {bytes.data(), static_cast<std::size_t>(count)};
    }

    /// As systemd says that this is the journal's.
    [[nodiscard]] std::string stream() const {
        struct stat facts{};
        fstat(file_, &facts);
        return fmt::format("{}:{}", facts.st_dev, facts.st_ino);
    }

private:
    int before_;
    int file_;
};

}  // namespace

TEST_CASE("log: an event is one line", "[core][log]") {
    const CaughtErrors errors;
    log(LogLevel::error, "lost");
    log(LogLevel::warning, "two\nlines \x1b[31m");
    log(LogLevel::notice, "said", "game");
    CHECK(errors.text() == "ringside: lost\nringside: two?lines ?[31m\ngame: said\n");
}

TEST_CASE("log: what is less urgent is left out", "[core][log]") {
    const CaughtErrors errors;
    log(LogLevel::info, "left out by default");
    set_log_level(LogLevel::warning);
    log(LogLevel::notice, "left out");
    log(LogLevel::warning, "not left out");
    set_log_level(LogLevel::info);
    log(LogLevel::info, "all");
    CHECK(errors.text() == "ringside: not left out\nringside: all\n");
}

TEST_CASE("log: a journal is told the level, and only a journal", "[core][log]") {
    const CaughtErrors errors;
    setenv("JOURNAL_STREAM", errors.stream().c_str(), 1);
    find_journal();
    log(LogLevel::error, "first");
    log(LogLevel::notice, "second");
    forget_journal();
    log(LogLevel::error, "third");
    setenv("JOURNAL_STREAM", "1:1", 1);  // another program's
    find_journal();
    log(LogLevel::error, "fourth");
    setenv("JOURNAL_STREAM", "garbage", 1);
    find_journal();
    log(LogLevel::error, "fifth");
    CHECK(errors.text() ==
          "<3>ringside: first\n<5>ringside: second\nringside: third\nringside: fourth\n"
          "ringside: fifth\n");
}
