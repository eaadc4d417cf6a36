#include "ringside/ipc/statistics.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <utility>

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "ringside/ipc/game_segment.hpp"

using namespace ringside;

namespace {

/// A folder of its own, gone with it.
struct Folder {
    Folder() { REQUIRE(mkdtemp(path.data()) != nullptr); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path); }

    [[nodiscard]] StatisticsFile::Owner front(std::uint32_t slot) const {
        return {.instance_path = path, .kind = StatisticsKind::front, .slot = slot};
    }
    std::string path = "/dev/shm/ringside-statistics-test-XXXXXX";
};

template <class T>
T required(Result<T> result) {
    if (!result) {
        FAIL(result.error().text());
    }
    return std::move(*result);
}

}  // namespace

TEST_CASE("statistics: each is named once, and a family stands together", "[ipc][statistics]") {
    const auto check = [](std::span<const StatisticRow> rows) {
        std::set<std::pair<std::string_view, std::string_view>> names;
        std::set<std::string_view> families;
        std::string_view last;
        for (const StatisticRow& row : rows) {
            INFO(row.family << " " << row.label);
            CHECK(names.emplace(row.family, row.label).second);
            if (row.family != last) {
                CHECK(families.insert(row.family).second);
                CHECK_FALSE(row.help.empty());
            } else {
                CHECK_FALSE(row.label.empty());
            }
            last = row.family;
        }
    };
    check(rows_of(FrontStatistic{}));
    check(rows_of(HostStatistic{}));
}

TEST_CASE("statistics: closes by a code are counted under its name", "[ipc][statistics]") {
    const auto label = [](wire::ErrorCode code) {
        return rows_of(FrontStatistic{})[static_cast<std::size_t>(closes_by(code))].label;
    };
    CHECK(label(wire::ErrorCode::malformed) == "malformed");
    CHECK(label(wire::ErrorCode::handshake_timeout) == "handshake_timeout");
    CHECK(label(wire::ErrorCode::too_slow) == "too_slow");
    CHECK(label(wire::ErrorCode::game_stuck) == "game_stuck");
    CHECK(label(wire::ErrorCode::banned) == "banned");
}

TEST_CASE("statistics: a successor goes on with the numbers, and gauges begin anew",
          "[ipc][statistics]") {
    if (!statistics_enabled) {
        return;  // nothing is counted
    }
    const Folder folder;
    {
        auto first = required(FrontStatistics::open(folder.front(2)));
        first.add(FrontStatistic::accepts, 3);
        first.set(FrontStatistic::sessions, 2);
        first.record_time(1'000, loop_time_unit_bits);
        first.note_error("front: out of paper");
    }
    auto second = required(FrontStatistics::open(folder.front(2)));
    second.add(FrontStatistic::accepts);
    second.record_time(1'000, loop_time_unit_bits);
    second.note_error("front: out of paper");
    const auto read = required(read_statistics(folder.front(2)));
    CHECK(read.pid == getpid());
    CHECK(read[FrontStatistic::accepts] == 4);
    CHECK(read[FrontStatistic::sessions] == 0);
    CHECK(read.times.count() == 2);
    REQUIRE(read.errors.size() == 1);
    CHECK(read.errors[0].count == 2);
}

TEST_CASE("statistics: what a killed process counted stays", "[ipc][statistics]") {
    if (!statistics_enabled) {
        return;
    }
    const Folder folder;
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        auto statistics = FrontStatistics::open(folder.front(0));
        for (std::uint64_t i = 0; statistics && i < 1'000; ++i) {
            statistics->add(FrontStatistic::messages_in);
        }
        kill(getpid(), SIGKILL);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    CHECK(required(read_statistics(folder.front(0)))[FrontStatistic::messages_in] == 1'000);
}

TEST_CASE("statistics: errors that differ in numbers and names are one", "[ipc][statistics]") {
    if (!statistics_enabled) {
        return;
    }
    const Folder folder;
    auto statistics = required(FrontStatistics::open(folder.front(0)));
    statistics.note_error("game 'one' (pid 12) killed by signal 9 (Killed)");
    statistics.note_error("game 'two' (pid 345) killed by signal 9 (Killed)");
    statistics.note_error("game 'two' (pid 345) killed by signal 11 (Segmentation fault)");
    statistics.note_error(std::string(1'000, 'x'));
    const auto read = required(read_statistics(folder.front(0)));
    REQUIRE(read.errors.size() == 3);
    CHECK(read.errors[0].text == "game 'one' (pid 12) killed by signal 9 (Killed)");
    CHECK(read.errors[0].count == 2);
    CHECK(read.errors[0].first_ns <= read.errors[0].last_ns);
    CHECK(read.errors[1].count == 1);
    CHECK(read.errors[2].text == std::string(error_text_bytes_max, 'x'));
    CHECK(read.errors_not_kept == 0);
}

TEST_CASE("statistics: errors beyond the log's size are counted", "[ipc][statistics]") {
    if (!statistics_enabled) {
        return;
    }
    const Folder folder;
    auto statistics = required(FrontStatistics::open(folder.front(0)));
    for (std::uint32_t i = 0; i < distinct_errors_max + 3; ++i) {
        statistics.note_error(std::string(i + 1, 'e'));
    }
    statistics.note_error("e");  // the first again
    const auto read = required(read_statistics(folder.front(0)));
    CHECK(read.errors.size() == distinct_errors_max);
    CHECK(read.errors_not_kept == 3);
    CHECK(read.errors[0].count == 2);
}

TEST_CASE("statistics: a reader tells absent, foreign, damaged and other versions apart",
          "[ipc][statistics]") {
    const Folder folder;
    const std::string path = folder.path + "/statistics-front-1";
    const auto error = [&] { return read_statistics(folder.front(1)).error().code; };
    CHECK(error() == std::errc::no_such_file_or_directory);
    required(FrontStatistics::open(folder.front(1)));
    REQUIRE(read_statistics(folder.front(1)).has_value());

    const auto overwrite = [&](std::streamoff offset, std::uint32_t value) {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(offset);
        file.write(reinterpret_cast<const char*>(&value), sizeof(value));
    };
    overwrite(offsetof(StatisticsLayout, layout_version), statistics_layout_version + 1);
    CHECK(error() == std::errc::not_supported);
    required(FrontStatistics::open(folder.front(1)));  // made anew
    CHECK(read_statistics(folder.front(1)).has_value());
    overwrite(offsetof(StatisticsLayout, slot), 7);
    CHECK(error() == std::errc::bad_message);
    overwrite(offsetof(StatisticsLayout, magic), 0);
    CHECK(error() == std::errc::resource_unavailable_try_again);
    overwrite(offsetof(StatisticsLayout, magic), 1);
    CHECK(error() == std::errc::bad_message);
    std::filesystem::resize_file(path, 100);
    CHECK(error() == std::errc::bad_message);
}

TEST_CASE("statistics: a lying error log is read no further than it goes", "[ipc][statistics]") {
    const Folder folder;
    required(FrontStatistics::open(folder.front(0)));
    {
        std::fstream file(folder.path + "/statistics-front-0",
                          std::ios::in | std::ios::out | std::ios::binary);
        const std::uint64_t many = ~std::uint64_t{0};
        file.seekp(offsetof(StatisticsLayout, errors));
        file.write(reinterpret_cast<const char*>(&many), sizeof(many));
        file.seekp(static_cast<std::streamoff>(offsetof(StatisticsLayout, errors) +
                                               offsetof(ErrorLogLayout, entry) +
                                               offsetof(ErrorEntry, text_bytes)));
        file.write(reinterpret_cast<const char*>(&many), sizeof(many));
    }
    const auto read = required(read_statistics(folder.front(0)));
    CHECK(read.errors.size() == distinct_errors_max);
    CHECK(read.errors[0].text.size() == error_text_bytes_max);
}

TEST_CASE("statistics: a game's progress comes apart as it was packed", "[ipc][statistics]") {
    const GameProgress progress{
        .phase = 2, .players = 200, .seats = 255, .ended = true, .end_reason = LeaveReason::idle};
    const GameProgress read = game_progress(packed(progress));
    CHECK(read.phase == progress.phase);
    CHECK(read.players == progress.players);
    CHECK(read.seats == progress.seats);
    CHECK(read.ended);
    CHECK(read.end_reason == LeaveReason::idle);
}
