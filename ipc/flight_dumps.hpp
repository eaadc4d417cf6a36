#pragma once
// FlightDumps: files of what the flight recorders held when something went wrong, written by the
// supervisor. Bounded: what goes wrong all the time is written now and then.

#include <cstdint>
#include <string>

namespace ringside {

class FlightDumps {
public:
    /// `folder` empty: none are written.
    FlightDumps(std::string root, std::string instance, std::string folder);

    [[nodiscard]] bool wanted() const noexcept { return !folder_.empty(); }

    /// Writes one, unless the last was less than 10 s ago or 100 have been written.
    void dump(const std::string& why);

private:
    std::string root_;
    std::string instance_;
    std::string folder_;
    std::int64_t next_ns_ = 0;
    std::uint32_t written_ = 0;
};

}  // namespace ringside
