#include "flight_dumps.hpp"

#include <chrono>
#include <cstdio>
#include <memory>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "ringside/core/clock.hpp"
#include "ringside/core/log.hpp"
#include "ringside/ipc/flight_log.hpp"

namespace ringside {
namespace {

constexpr std::int64_t dump_period_ns = 10'000'000'000;
constexpr std::uint32_t dumps_max = 100;

struct CloseFile {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

Result<void> write_dump(const std::string& path, const FlightLog& log,
                        const std::vector<FlightEntry>& entries) {
    // "x": never over another file, whoever made it.
    const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "wxe"));
    if (!file) {
        return errno_failure(fmt::format("cannot write {}", path));
    }
    for (const FlightEntry& entry : entries) {
        const std::string line = json_of(log, entry) + '\n';
        if (std::fwrite(line.data(), 1, line.size(), file.get()) != line.size()) {
            return errno_failure(fmt::format("cannot write all of {}", path));
        }
    }
    return {};
}

}  // namespace

FlightDumps::FlightDumps(std::string root, std::string instance, std::string folder)
    : root_(std::move(root)), instance_(std::move(instance)), folder_(std::move(folder)) {}

void FlightDumps::dump(const std::string& why) {
    const std::int64_t now_ns = monotonic_ns();
    if (!wanted() || now_ns < next_ns_ || written_ == dumps_max) {
        return;
    }
    next_ns_ = now_ns + dump_period_ns;
    ++written_;
    auto flights = FlightLog::open(root_, instance_);
    if (!flights) {
        return;  // there is no flight recorder to read: the host is about to end
    }
    const std::string path = fmt::format(
        "{}/flight-{}-{:%Y%m%d-%H%M%S}-{}.jsonl", folder_, instance_,
        fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())),
        written_);
    if (auto written = write_dump(path, *flights, flights->read()); !written) {
        log(LogLevel::warning, written.error().text());
        return;
    }
    log(LogLevel::notice, fmt::format("{}: see {}", why, path));
}

}  // namespace ringside
