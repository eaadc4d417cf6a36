#pragma once
// FlightLog: every flight recorder of an instance, read together and put in order of time. Whether
// its host runs, is stopped, or is dead makes no difference: the files are read, nobody is asked.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ringside/core/ids.hpp"
#include "ringside/core/result.hpp"
#include "ringside/ipc/flight_recorder.hpp"
#include "ringside/ipc/happenings.hpp"

namespace ringside {

struct FlightEntry {
    std::int64_t ns;       // CLOCK_MONOTONIC
    std::uint32_t source;  // whose: FlightLog::name()
    Happened happened;
};

class FlightLog {
public:
    /// Of the instance of this name; its host may be dead. The Error tells that nothing is there.
    [[nodiscard]] static Result<FlightLog> open(const std::string& root,
                                                const std::string& instance);

    FlightLog(FlightLog&&) noexcept;
    FlightLog& operator=(FlightLog&&) noexcept;
    ~FlightLog();

    /// Looks for games that have come since, and forgets those that have gone once they are read.
    void refresh();

    /// What has happened since the last call, by time.
    [[nodiscard]] std::vector<FlightEntry> read();

    /// Records that were overwritten before they were read.
    [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

    /// "supervisor", "front/0", "game tron/simplistic-trail": as ps has it.
    [[nodiscard]] const std::string& name(std::uint32_t source) const { return names_[source]; }
    [[nodiscard]] std::uint32_t sources() const noexcept {
        return static_cast<std::uint32_t>(names_.size());
    }

    /// Whose a source is; nothing for a front and the supervisor.
    [[nodiscard]] std::optional<GameId> game_of(std::uint32_t source) const {
        return source_games_[source];
    }

    /// The game of this name that was seen last.
    [[nodiscard]] std::optional<GameId> game(const std::string& name) const;

    /// What `whom`, `game` and so on stand for, in words.
    [[nodiscard]] std::string whom_text(std::uint64_t whom) const;

private:
    struct Source;
    explicit FlightLog(std::string directory);
    void add_process(const std::string& path, std::string name);

    std::string directory_;
    std::vector<std::unique_ptr<Source>> open_;
    std::vector<std::string> names_;  // also of those that have gone
    std::vector<std::optional<GameId>> source_games_;
    std::map<std::uint64_t, std::string> games_;  // by key: names as in names_
    std::optional<FlightScale> scale_;
    std::uint64_t lost_ = 0;
};

/// One entry as a JSON object without a line end: {"ns":…,"process":…,"what":…, and its arguments}.
/// Sessions and keys are hexadecimal, as the other commands print them.
[[nodiscard]] std::string json_of(const FlightLog& log, const FlightEntry& entry);

/// One entry as a line for people, `ns_ago` before the last.
[[nodiscard]] std::string text_of(const FlightLog& log, const FlightEntry& entry,
                                  std::int64_t ns_ago);

}  // namespace ringside
