#include "top_screen.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "ringside/core/printable.hpp"

using namespace ringside;

namespace {

constexpr tron::ScreenSize small{80, 24};
constexpr std::int64_t second_ns = 1'000'000'000;

GameReading game(std::uint32_t slot, const std::string& name) {
    GameReading reading;
    reading.id = {.slot = slot, .epoch = 1};
    reading.name = name;
    reading.type = "tron";
    reading.state = GameState::running;
    reading.progress = {.phase = 2, .players = 2, .seats = 3};
    reading.tick_ns = 100'000'000;
    reading.deadline_ns = 1;
    return reading;
}

/// After `ticks` ticks, each so late.
GameReading after(GameReading reading, std::uint64_t ticks, std::uint64_t late_units) {
    reading.ticks += ticks;
    reading.lateness.add(LatenessHistogram::bucket_of(late_units), ticks);
    reading.tick_time.add(LatenessHistogram::bucket_of(10), ticks);
    return reading;
}

TopSample sample(std::int64_t time_s, std::vector<GameReading> games) {
    TopSample taken{.time_ns = time_s * second_ns, .instance = "arena", .host = {}, .games = {}};
    taken.host.life = HostLife::running;
    taken.host.statistics = StatisticsReading{};
    taken.games = std::move(games);
    return taken;
}

std::vector<std::string> lines(TopScreen& screen, tron::ScreenSize size = small) {
    const tron::Canvas canvas = screen.draw(size);
    std::vector<std::string> text;
    for (int row = 0; row < size.rows; ++row) {
        std::string line;
        for (const char32_t glyph : canvas.row(row)) {
            line += utf8_of(glyph);
        }
        text.push_back(std::move(line));
    }
    return text;
}

/// The row in which a text stands; -1: in none.
int row_of(const std::vector<std::string>& text, std::string_view part) {
    for (std::size_t row = 0; row < text.size(); ++row) {
        if (text[row].find(part) != std::string::npos) {
            return static_cast<int>(row);
        }
    }
    return -1;
}

bool typed(TopScreen& screen, std::string_view keys) {
    for (const char each : keys) {
        if (!screen.press({.key = tron::Typed::Key::character, .character = each})) {
            return false;
        }
    }
    return true;
}

bool pressed(TopScreen& screen, tron::Typed::Key key) {
    return screen.press({.key = key});
}

/// Three games, of which the second is latest and the third has not ticked.
TopScreen screen_of_three() {
    const std::vector<GameReading> games{game(0, "alpha"), game(1, "beta"), game(2, "gamma")};
    TopScreen screen;
    screen.take(sample(100, games));
    screen.take(sample(102, {after(games[0], 20, 2), after(games[1], 40, 4000), games[2]}));
    return screen;
}

}  // namespace

TEST_CASE("top: rates are of the time between two looks", "[games][top]") {
    const std::vector<GameReading> games{game(0, "alpha"), game(1, "beta")};
    GameReading later = after(games[0], 20, 100);
    later.cpu_ns = 5'000'000;
    later.usage_looked_at_ns = 1'000'000'000;
    const auto rows = rows_between(sample(1, games), sample(3, {later, game(7, "new")}));
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].ticks_per_s == Approx(10));
    CHECK(rows[0].cpu_percent == Approx(0.5));
    CHECK(rows[0].late_ns >= 100 << lateness_unit_bits);
    CHECK(rows[1].ticks_per_s == 0);  // nothing is known of it yet
}

TEST_CASE("top: the latest games come first, and keys sort otherwise", "[games][top]") {
    TopScreen screen = screen_of_three();
    auto text = lines(screen);
    CHECK(text[0].find("host arena running") == 0);
    CHECK(text[0].find("3 games") != std::string::npos);
    CHECK(text[1].find("30 ticks/s") == 0);
    CHECK(row_of(text, "beta") < row_of(text, "alpha"));
    CHECK(row_of(text, "alpha") < row_of(text, "gamma"));
    typed(screen, "r");
    text = lines(screen);
    CHECK(row_of(text, "gamma") < row_of(text, "beta"));
    for (int i = 0; i < 5; ++i) {  // from LATE99 to NAME; TYPE is not shown
        pressed(screen, tron::Typed::Key::left);
    }
    text = lines(screen);
    CHECK(row_of(text, "alpha") < row_of(text, "beta"));
    CHECK(row_of(text, "beta") < row_of(text, "gamma"));
}

TEST_CASE("top: a filter leaves what has it in its name", "[games][top]") {
    TopScreen screen = screen_of_three();
    CHECK(typed(screen, "/amq"));  // q is a letter here
    CHECK(row_of(lines(screen), "show names with: amq_") == 23);
    pressed(screen, tron::Typed::Key::backspace);
    pressed(screen, tron::Typed::Key::enter);
    auto text = lines(screen);
    CHECK(row_of(text, "gamma") > 0);
    CHECK(row_of(text, "alpha") == -1);
    CHECK(row_of(text, "names with 'am'") == 23);
    pressed(screen, tron::Typed::Key::escape);
    CHECK(row_of(lines(screen), "alpha") > 0);
    CHECK_FALSE(typed(screen, "q"));
}

TEST_CASE("top: a game's page has its histograms", "[games][top]") {
    TopScreen screen = screen_of_three();
    pressed(screen, tron::Typed::Key::down);
    pressed(screen, tron::Typed::Key::enter);
    auto text = lines(screen);
    const int row = row_of(text, "beta tron");
    REQUIRE(row > 0);
    CHECK(row_of(text, "how late its ticks were") > row);
    CHECK(row_of(text, "how long they took") > row);
    CHECK(row_of(text, "█") > row);
    pressed(screen, tron::Typed::Key::down);
    CHECK(row_of(lines(screen), "alpha tron") == row);
    screen.take(sample(103, {}));
    CHECK(row_of(lines(screen), "alpha has ended") == row);
    pressed(screen, tron::Typed::Key::escape);
    CHECK(row_of(lines(screen), "has ended") == -1);
}

TEST_CASE("top: what is selected stays in sight among a thousand", "[games][top]") {
    std::vector<GameReading> games;
    for (std::uint32_t i = 0; i < 1'000; ++i) {
        games.push_back(game(i, "game-" + std::to_string(1'000 + i)));
    }
    TopScreen screen;
    screen.take(sample(1, games));
    screen.take(sample(2, games));
    static_cast<void>(lines(screen));
    for (int i = 0; i < 100; ++i) {
        pressed(screen, tron::Typed::Key::down);
        static_cast<void>(lines(screen));
    }
    CHECK(row_of(lines(screen), "game-1099") > 0);
    for (int i = 0; i < 100; ++i) {
        pressed(screen, tron::Typed::Key::page_down);
    }
    CHECK(row_of(lines(screen), "game-1999") > 0);
    pressed(screen, tron::Typed::Key::page_up);
    pressed(screen, tron::Typed::Key::up);
    CHECK(row_of(lines(screen), "game-1999") == -1);
}

TEST_CASE("top: foreign names cannot draw elsewhere, and any size is drawn", "[games][top]") {
    const std::vector<GameReading> games{game(0, "evil\x1b[2J\n\xff\xe6\xb1\x89name-that-is-long")};
    TopScreen screen;
    screen.take(sample(1, games));
    screen.take(sample(2, games));
    const auto text = lines(screen);
    const int row = row_of(text, "evil?[2J?");
    REQUIRE(row > 0);
    CHECK(text[static_cast<std::size_t>(row)].find("running") != std::string::npos);
    for (const tron::ScreenSize size : {tron::ScreenSize{0, 0}, tron::ScreenSize{1, 1},
                                        tron::ScreenSize{20, 3}, tron::ScreenSize{300, 100}}) {
        static_cast<void>(screen.draw(size));
        pressed(screen, tron::Typed::Key::down);
        pressed(screen, tron::Typed::Key::enter);
        static_cast<void>(screen.draw(size));
        pressed(screen, tron::Typed::Key::escape);
    }
}

TEST_CASE("top: a host that is stopped, dead or gone is called so", "[games][top]") {
    TopScreen screen;
    TopSample looked = sample(1, {game(0, "alpha")});
    for (const auto& [life, text] : {std::pair(HostLife::stopped, "host arena stopped"),
                                     std::pair(HostLife::dead, "host arena dead")}) {
        looked.host.life = life;
        screen.take(looked);
        CHECK(lines(screen)[0].find(text) == 0);
    }
    looked.gone = true;
    screen.take(looked);
    CHECK(lines(screen)[0].find("host arena gone") == 0);
    CHECK(row_of(lines(screen), "alpha") > 0);
}
