#include "top_screen.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "ringside/core/printable.hpp"

namespace ringside {
namespace {

using tron::Canvas;
using tron::Colour;
using tron::ScreenCell;

constexpr ScreenCell plain{};
constexpr ScreenCell bold{.bold = true};
constexpr ScreenCell reversed{.reverse = true};
constexpr ScreenCell dim{.colour = Colour::border};
constexpr ScreenCell alarming{.colour = Colour::notice, .bold = true};

struct ColumnRow {
    std::string_view title;
    int width;       // 0: what the others leave
    int shown_from;  // columns of the terminal
};
constexpr std::array<ColumnRow, static_cast<std::size_t>(TopColumn::count_)> column_rows{{
    {"NAME", 0, 0},
    {"TYPE", 6, 100},
    {"STATE", 9, 0},
    {"PLAY", 5, 0},
    {"TICK/s", 6, 0},
    {"EV/s", 5, 0},
    {"LATE99", 7, 0},
    {"TICK99", 7, 0},
    {"CPU%", 5, 0},
    {"MISSED", 6, 0},
    {"DIED", 4, 100},
}};
constexpr int name_columns_min = 8;

bool is_shown(std::size_t column, int columns) {
    return columns >= column_rows[column].shown_from;
}

int width_of(std::size_t column, int columns) {
    if (column_rows[column].width != 0) {
        return column_rows[column].width;
    }
    int others = 0;
    for (std::size_t each = 0; each < column_rows.size(); ++each) {
        others += is_shown(each, columns) ? column_rows[each].width + 1 : 0;
    }
    return std::max(name_columns_min, columns - others + 1);
}

/// A letter a column: whatever is foreign becomes plain ASCII.
std::string one_column_each(std::string_view foreign) {
    std::string text;
    for (const char32_t point : code_points(printable(foreign))) {
        text += point >= U' ' && point <= U'~' ? static_cast<char>(point) : '?';
    }
    return text;
}

void put(Canvas& canvas, int column, int row, std::string_view text, ScreenCell style = plain) {
    canvas.text(column, row, code_points(text), style);
}

/// Cut to a width, or filled up to it.
std::u32string fitted(std::string_view text, int width, bool to_the_right) {
    std::u32string points = code_points(text);
    const auto room = static_cast<std::size_t>(width);
    if (points.size() > room) {
        points.resize(room);
        return points;
    }
    const std::u32string space(room - points.size(), U' ');
    return to_the_right ? space + points : points + space;
}

std::string count_text(double count) {
    if (count < 99'950) {
        return fmt::format("{:.0f}", count);
    }
    return count < 9'995'000 ? fmt::format("{:.0f}k", count / 1e3)
                             : fmt::format("{:.0f}M", count / 1e6);
}

std::string late_text(std::int64_t time_ns) {
    return time_ns == 0 ? "-" : time_text(time_ns);
}

std::string text_in(const TopRow& row, TopColumn column) {
    switch (column) {
        case TopColumn::name: return one_column_each(row.game.name);
        case TopColumn::type: return one_column_each(row.game.type);
        case TopColumn::state: return std::string(doing(row.game));
        case TopColumn::players:
            return fmt::format("{}/{}", row.game.progress.players, row.game.progress.seats);
        case TopColumn::ticks: return count_text(row.ticks_per_s);
        case TopColumn::events: return count_text(row.events_per_s);
        case TopColumn::late: return late_text(row.late_ns);
        case TopColumn::tick_time: return late_text(row.tick_time_ns);
        case TopColumn::cpu: return fmt::format("{:.1f}", row.cpu_percent);
        case TopColumn::missed: return count_text(static_cast<double>(row.game.missed_ticks));
        case TopColumn::restarts: return count_text(row.game.restarts);
        case TopColumn::count_: break;
    }
    return "";
}

/// What a column is sorted by when it shows a number.
double number_in(const TopRow& row, TopColumn column) {
    switch (column) {
        case TopColumn::players: return row.game.progress.players;
        case TopColumn::ticks: return row.ticks_per_s;
        case TopColumn::events: return row.events_per_s;
        case TopColumn::late: return static_cast<double>(row.late_ns);
        case TopColumn::tick_time: return static_cast<double>(row.tick_time_ns);
        case TopColumn::cpu: return row.cpu_percent;
        case TopColumn::missed: return static_cast<double>(row.game.missed_ticks);
        case TopColumn::restarts: return row.game.restarts;
        default: return 0;
    }
}

bool is_text(TopColumn column) {
    return column == TopColumn::name || column == TopColumn::type || column == TopColumn::state;
}

/// How much more there is, a second; a counter that went back has begun anew.
double rate(std::uint64_t before, std::uint64_t now, std::int64_t time_ns) {
    return now >= before && time_ns > 0
               ? static_cast<double>(now - before) * 1e9 / static_cast<double>(time_ns)
               : 0;
}

/// Bars of one histogram, an octave a row, from its first to its last that is not empty.
void draw_histogram(Canvas& canvas, int column, int row, int columns, std::string_view title,
                    const LatenessHistogram& times, std::uint32_t unit_bits) {
    constexpr std::uint32_t buckets_of_an_octave = 4;
    constexpr std::uint32_t octaves = LatenessHistogram::bucket_count / buckets_of_an_octave;
    constexpr int label_columns = 10;
    constexpr int count_columns = 7;
    std::array<std::uint64_t, octaves> counts{};
    for (std::uint32_t bucket = 0; bucket < LatenessHistogram::bucket_count; ++bucket) {
        counts[bucket / buckets_of_an_octave] += times.count_in(bucket);
    }
    put(canvas, column, row++, title, bold);
    const auto is_there = [](std::uint64_t count) { return count != 0; };
    const auto first = std::ranges::find_if(counts, is_there);
    if (first == counts.end()) {
        put(canvas, column, row, "nothing yet", dim);
        return;
    }
    const auto last = std::find_if(counts.rbegin(), counts.rend(), is_there).base();
    const auto most = static_cast<double>(*std::max_element(first, last));
    const int bar_columns = columns - label_columns - count_columns - 2;
    for (auto octave = first; octave != last; ++octave, ++row) {
        const auto bucket =
            static_cast<std::uint32_t>(octave - counts.begin() + 1) * buckets_of_an_octave - 1;
        const auto end = (LatenessHistogram::upper_bound(bucket) + 1) << unit_bits;
        put(canvas, column, row, fmt::format("< {:>7}", time_text(static_cast<std::int64_t>(end))));
        const int bar = std::max(
            is_there(*octave) ? 1 : 0,
            static_cast<int>(std::lround(static_cast<double>(*octave) / most * bar_columns)));
        for (int i = 0; i < bar; ++i) {
            canvas.put(column + label_columns + i, row,
                       {.glyph = U'█', .colour = tron::player_colour(1)});
        }
        put(canvas, column + columns - count_columns - 1, row,
            fmt::format("{:>{}}", count_text(static_cast<double>(*octave)), count_columns));
    }
}

}  // namespace

std::vector<TopRow> rows_between(const TopSample& before, const TopSample& now) {
    std::map<std::pair<std::uint32_t, std::uint32_t>, const GameReading*> known;
    for (const GameReading& game : before.games) {
        known.emplace(std::pair(game.id.slot, game.id.epoch), &game);
    }
    const std::int64_t time_ns = now.time_ns - before.time_ns;
    std::vector<TopRow> rows;
    for (const GameReading& game : now.games) {
        TopRow row{.game = game};
        const auto found = known.find({game.id.slot, game.id.epoch});
        if (found != known.end()) {
            const GameReading& then = *found->second;
            row.ticks_per_s = rate(then.ticks, game.ticks, time_ns);
            row.events_per_s = rate(then.events_applied, game.events_applied, time_ns);
            row.missed_per_s = rate(then.missed_ticks, game.missed_ticks, time_ns);
            row.cpu_percent = 100 *
                              rate(static_cast<std::uint64_t>(then.cpu_ns),
                                   static_cast<std::uint64_t>(game.cpu_ns),
                                   game.usage_looked_at_ns - then.usage_looked_at_ns) /
                              1e9;
            row.late_ns =
                quantile_ns(since(game.lateness, then.lateness), 0.99, lateness_unit_bits);
            row.tick_time_ns =
                quantile_ns(since(game.tick_time, then.tick_time), 0.99, tick_time_unit_bits);
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

void TopScreen::take(TopSample sample) {
    before_ = std::exchange(now_, std::move(sample));
    rows_ = rows_between(before_, now_);
}

// ---- keys --------------------------------------------------------------------------------------

bool TopScreen::press(const tron::Typed& typed) {
    using Key = tron::Typed::Key;
    if (editing_filter_) {
        edit_filter(typed);
        return true;
    }
    switch (typed.key) {
        case Key::up: select(-1); return true;
        case Key::down: select(1); return true;
        case Key::page_up: select(-rows_visible_); return true;
        case Key::page_down: select(rows_visible_); return true;
        case Key::left: sort_by(-1); return true;
        case Key::right: sort_by(1); return true;
        case Key::enter:
            if (!selected_.empty()) {
                page_of_ = selected_;
            }
            return true;
        case Key::escape:
            if (page_of_) {
                page_of_.reset();
            } else {
                filter_.clear();
            }
            return true;
        case Key::backspace:
        case Key::resized:
        case Key::other: return true;
        case Key::character: break;
    }
    switch (typed.character) {
        case 'q': return false;
        case 'k': select(-1); break;
        case 'j': select(1); break;
        case 'h':
        case '<': sort_by(-1); break;
        case 'l':
        case '>': sort_by(1); break;
        case 'r': ascending_ = !ascending_; break;
        case '/':
            page_of_.reset();
            editing_filter_ = true;
            break;
        default: break;
    }
    return true;
}

void TopScreen::edit_filter(const tron::Typed& typed) {
    using Key = tron::Typed::Key;
    constexpr std::size_t filter_bytes_max = game_name_bytes_max;
    if (typed.key == Key::character && filter_.size() < filter_bytes_max) {
        filter_ += typed.character;
    } else if (typed.key == Key::backspace && !filter_.empty()) {
        filter_.pop_back();
    } else if (typed.key == Key::escape) {
        filter_.clear();
        editing_filter_ = false;
    } else if (typed.key == Key::enter) {
        editing_filter_ = false;
    }
}

void TopScreen::sort_by(std::int32_t by) {
    constexpr auto columns = static_cast<std::int32_t>(TopColumn::count_);
    do {
        sort_ = static_cast<TopColumn>((static_cast<std::int32_t>(sort_) + by + columns) % columns);
    } while (!is_shown(static_cast<std::size_t>(sort_), columns_));
    ascending_ = is_text(sort_);
}

void TopScreen::select(std::int64_t by) {
    const auto rows = shown();
    if (rows.empty()) {
        return;
    }
    const auto found =
        std::ranges::find(rows, selected_, [](const TopRow* row) { return row->game.name; });
    const std::int64_t from = found == rows.end() ? -1 : found - rows.begin();
    const std::int64_t to =
        std::clamp<std::int64_t>(from + by, 0, static_cast<std::int64_t>(rows.size()) - 1);
    selected_ = rows[static_cast<std::size_t>(to)]->game.name;
    if (page_of_) {
        page_of_ = selected_;
    }
}

/// What the filter lets through, in order. Games of one rank stand by name, so that they keep
/// still.
std::vector<const TopRow*> TopScreen::shown() const {
    std::vector<const TopRow*> rows;
    for (const TopRow& row : rows_) {
        if (row.game.name.find(filter_) != std::string::npos ||
            row.game.type.find(filter_) != std::string::npos) {
            rows.push_back(&row);
        }
    }
    std::ranges::stable_sort(rows, {}, [](const TopRow* row) { return row->game.name; });
    const auto less = [this](const TopRow* a, const TopRow* b) {
        return is_text(sort_) ? text_in(*a, sort_) < text_in(*b, sort_)
                              : number_in(*a, sort_) < number_in(*b, sort_);
    };
    std::ranges::stable_sort(rows, [&](const TopRow* a, const TopRow* b) {
        return ascending_ ? less(a, b) : less(b, a);
    });
    return rows;
}

// ---- drawing -----------------------------------------------------------------------------------

Canvas TopScreen::draw(tron::ScreenSize size) {
    Canvas canvas(size);
    columns_ = size.columns;
    int row = 0;
    draw_head(canvas, row);
    draw_fronts(canvas, row);
    if (page_of_) {
        draw_game(canvas, row + 1);
    } else {
        draw_table(canvas, row);
    }
    draw_foot(canvas);
    return canvas;
}

void TopScreen::draw_head(Canvas& canvas, int& row) const {
    const std::string_view life = now_.gone ? "gone" : text_of(now_.host.life);
    const bool runs = !now_.gone && now_.host.life == HostLife::running;
    const std::string up = now_.host.statistics
                               ? time_text(now_.time_ns - now_.host.statistics->started_ns)
                               : std::string("?");
    TypeSum sum;
    double ticks = 0;
    double events = 0;
    double missed = 0;
    for (const TopRow& each : rows_) {
        sum.add(each.game);
        ticks += each.ticks_per_s;
        events += each.events_per_s;
        missed += each.missed_per_s;
    }
    put(canvas, 0, row, "host ");
    put(canvas, 5, row, one_column_each(now_.instance), bold);
    const int after = 6 + static_cast<int>(now_.instance.size());
    put(canvas, after, row, life, runs ? plain : alarming);
    put(canvas, after + static_cast<int>(life.size()), row,
        fmt::format(", up {}; {} games, {} race, {} players, {} watch", up, sum.games, sum.racing,
                    sum.players, sum.spectators));
    ++row;
    std::string line = fmt::format("{} ticks/s, {} missed/s, {} events/s", count_text(ticks),
                                   count_text(missed), count_text(events));
    if (now_.host.statistics) {
        const StatisticsReading& counts = *now_.host.statistics;
        line += fmt::format("; {} games died, {} restored, {} errors",
                            counts[HostStatistic::deaths_game], counts[HostStatistic::restores],
                            counts.errors.size());
    }
    put(canvas, 0, row++, line);
}

void TopScreen::draw_fronts(Canvas& canvas, int& row) const {
    constexpr std::size_t fronts_shown = 4;
    const std::int64_t time_ns = now_.time_ns - before_.time_ns;
    for (std::size_t i = 0; i < std::min(fronts_shown, now_.host.fronts.size()); ++i) {
        const FrontReading& front = now_.host.fronts[i];
        const auto then = std::ranges::find(before_.host.fronts, front.slot, &FrontReading::slot);
        const auto per_s = [&](FrontStatistic statistic) {
            return then == before_.host.fronts.end()
                       ? 0.0
                       : rate(then->statistics[statistic], front.statistics[statistic], time_ns);
        };
        const auto bytes_per_s = [&](FrontStatistic statistic) {
            return size_text(static_cast<std::uint64_t>(per_s(statistic)));
        };
        const LatenessHistogram turns = then == before_.host.fronts.end()
                                            ? front.statistics.times
                                            : since(front.statistics.times, then->statistics.times);
        put(canvas, 0, row++,
            fmt::format("front {}: {} sessions, in {}/s {}/s, out {}/s {}/s, turn {}, drops {}/s",
                        front.slot, front.statistics[FrontStatistic::sessions],
                        count_text(per_s(FrontStatistic::messages_in)),
                        bytes_per_s(FrontStatistic::bytes_in),
                        count_text(per_s(FrontStatistic::messages_out)),
                        bytes_per_s(FrontStatistic::bytes_out),
                        late_text(quantile_ns(turns, 0.99, loop_time_unit_bits)),
                        count_text(per_s(FrontStatistic::drops_superseded) +
                                   per_s(FrontStatistic::drops_lapped) +
                                   per_s(FrontStatistic::drops_damaged))));
    }
    if (now_.host.fronts.size() > fronts_shown) {
        put(canvas, 0, row++,
            fmt::format("and {} fronts more", now_.host.fronts.size() - fronts_shown));
    }
}

void TopScreen::draw_table(Canvas& canvas, int row) {
    const int columns = canvas.size().columns;
    for (int column = 0; column < columns; ++column) {
        canvas.put(column, row, reversed);
    }
    int at = 0;
    for (std::size_t column = 0; column < column_rows.size(); ++column) {
        if (!is_shown(column, columns)) {
            continue;
        }
        const int width = width_of(column, columns);
        const bool sorted = column == static_cast<std::size_t>(sort_);
        canvas.text(
            at, row,
            fitted(column_rows[column].title, width, !is_text(static_cast<TopColumn>(column))),
            {.bold = sorted, .reverse = !sorted});
        at += width + 1;
    }
    ++row;
    rows_visible_ = std::max(1, canvas.size().rows - row - 1);
    const auto rows = shown();
    const auto found =
        std::ranges::find(rows, selected_, [](const TopRow* each) { return each->game.name; });
    const auto visible = static_cast<std::size_t>(rows_visible_);
    if (found != rows.end()) {
        const auto index = static_cast<std::size_t>(found - rows.begin());
        first_shown_ = std::clamp(first_shown_, index >= visible ? index - visible + 1 : 0, index);
    }
    first_shown_ = std::min(first_shown_, rows.size() > visible ? rows.size() - visible : 0);
    for (std::size_t i = first_shown_; i < std::min(rows.size(), first_shown_ + visible); ++i) {
        at = 0;
        const bool selected = rows[i]->game.name == selected_;
        for (std::size_t column = 0; column < column_rows.size(); ++column) {
            if (!is_shown(column, columns)) {
                continue;
            }
            const int width = width_of(column, columns);
            const auto kind = static_cast<TopColumn>(column);
            canvas.text(at, row, fitted(text_in(*rows[i], kind), width, !is_text(kind)),
                        selected ? reversed : plain);
            at += width + 1;
        }
        ++row;
    }
}

void TopScreen::draw_game(Canvas& canvas, int row) const {
    const auto found =
        std::ranges::find(rows_, *page_of_, [](const TopRow& each) { return each.game.name; });
    if (found == rows_.end()) {
        put(canvas, 0, row, fmt::format("{} has ended", one_column_each(*page_of_)), alarming);
        return;
    }
    const GameReading& game = found->game;
    put(canvas, 0, row, one_column_each(game.name), bold);
    put(canvas, static_cast<int>(one_column_each(game.name).size()) + 1, row,
        fmt::format("{} {}, {}, pid {}, {} of {} seats, {} watch, died {} times",
                    one_column_each(game.type), one_column_each(game.size_label), doing(game),
                    game.pid, game.progress.players, game.progress.seats, game.spectators,
                    game.restarts));
    put(canvas, 0, ++row,
        fmt::format("{:.0f} ticks/s of {}, {} in all, {} missed; {} events, {} dropped",
                    found->ticks_per_s, time_text(game.tick_ns), game.ticks, game.missed_ticks,
                    game.events_applied, game.events_dropped));
    put(canvas, 0, ++row,
        fmt::format("ring {} of {}, at most {}; snapshot {}, at most {}",
                    size_text(game.event_ring_bytes), size_text(game.event_ring_capacity),
                    size_text(game.event_ring_bytes_high), size_text(game.snapshot_bytes),
                    size_text(game.snapshot_bytes_high)));
    put(canvas, 0, ++row,
        fmt::format("CPU {:.1f} %, {} in all; slept {}, preempted {}; {} resident at most",
                    found->cpu_percent, time_text(game.cpu_ns), game.waits, game.preemptions,
                    size_text(std::uint64_t{game.memory_kib_high} * 1024)));
    row += 2;
    const int half = canvas.size().columns / 2;
    draw_histogram(canvas, 0, row, half, "how late its ticks were", game.lateness,
                   lateness_unit_bits);
    draw_histogram(canvas, half, row, half, "how long they took", game.tick_time,
                   tick_time_unit_bits);
}

void TopScreen::draw_foot(Canvas& canvas) const {
    const int row = canvas.size().rows - 1;
    for (int column = 0; column < canvas.size().columns; ++column) {
        canvas.put(column, row, plain);
    }
    if (editing_filter_) {
        put(canvas, 0, row, "show names with: " + filter_ + "_", bold);
    } else if (page_of_) {
        put(canvas, 0, row, "esc back   j k another game   q quit", dim);
    } else if (!filter_.empty()) {
        put(canvas, 0, row, "names with '" + filter_ + "'   / change   esc all", dim);
    } else {
        put(canvas, 0, row,
            "q quit   j k choose   enter its page   h l sort by   r reverse   / filter", dim);
    }
}

}  // namespace ringside
