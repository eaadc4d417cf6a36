#pragma once
// What `top` shows and what its keys do, without a terminal, so that tests can look at it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "readings.hpp"

#include "ringside/ipc/host_observer.hpp"
#include "ringside/tron_terminal/layout.hpp"
#include "ringside/tron_terminal/terminal.hpp"

namespace ringside {

/// One look at a host.
struct TopSample {
    std::int64_t time_ns = 0;
    std::string instance;
    bool gone = false;  // its files are, too: what is shown is the last look
    HostReading host;
    std::vector<GameReading> games;
};

/// A game, and what it has done since the look before.
struct TopRow {
    GameReading game;
    double ticks_per_s = 0;
    double events_per_s = 0;
    double missed_per_s = 0;
    double cpu_percent = 0;         // of one CPU
    std::int64_t late_ns = 0;       // p99 of its last ticks; 0: it had none
    std::int64_t tick_time_ns = 0;  // the same
};
[[nodiscard]] std::vector<TopRow> rows_between(const TopSample& before, const TopSample& now);

enum class TopColumn : std::uint8_t {
    name,
    type,
    state,
    players,
    ticks,
    events,
    late,
    tick_time,
    cpu,
    missed,
    restarts,
    count_,
};

class TopScreen {
public:
    /// Before the first draw.
    void take(TopSample sample);

    /// False: it is left.
    [[nodiscard]] bool press(const tron::Typed& typed);

    [[nodiscard]] tron::Canvas draw(tron::ScreenSize size);

private:
    void select(std::int64_t by);
    void edit_filter(const tron::Typed& typed);
    void sort_by(std::int32_t by);
    [[nodiscard]] std::vector<const TopRow*> shown() const;
    void draw_head(tron::Canvas& canvas, int& row) const;
    void draw_fronts(tron::Canvas& canvas, int& row) const;
    void draw_table(tron::Canvas& canvas, int row);
    void draw_game(tron::Canvas& canvas, int row) const;
    void draw_foot(tron::Canvas& canvas) const;

    TopSample before_;
    TopSample now_;
    std::vector<TopRow> rows_;
    TopColumn sort_ = TopColumn::late;
    bool ascending_ = false;
    std::string filter_;
    bool editing_filter_ = false;
    std::string selected_;                // name of a game
    std::optional<std::string> page_of_;  // this game's page is shown
    std::size_t first_shown_ = 0;
    int rows_visible_ = 1;  // of the table, when it was drawn last
    int columns_ = 80;      // of the terminal then
};

}  // namespace ringside
