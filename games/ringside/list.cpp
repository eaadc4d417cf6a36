#include "list.hpp"

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "ringside/core/printable.hpp"
#include "ringside/net/client.hpp"
#include "ringside/net/games_json.hpp"

namespace ringside {
namespace {

constexpr std::chrono::milliseconds answer_timeout{10'000};

std::string text_of(const flatbuffers::String* text) {
    return text == nullptr ? std::string() : printable(text->string_view());
}

ListedGame row_of(const wire::GameInfo& game) {
    return {.name = text_of(game.name()),
            .type = text_of(game.game_type()),
            .state = state_name(game.phase()),
            .players = game.players(),
            .seats = game.seats(),
            .spectators = game.spectators(),
            .size = text_of(game.size()),
            .age_s = game.age_ms() / 1000,
            .password = game.password()};
}

Result<const wire::Games*> next_page(Client& client) {
    for (;;) {
        const auto message = client.receive(answer_timeout);
        if (!message) {
            return std::unexpected(message.error());
        }
        if (*message == nullptr) {
            return failure(std::errc::timed_out, "the host did not answer within 10 s");
        }
        if (const auto* games = (*message)->message_as_Games()) {
            return games;
        }
    }
}

Result<std::vector<ListedGame>> fetch(const ListOptions& options) {
    auto client = Client::connect(options.endpoint);
    if (!client) {
        return std::unexpected(client.error());
    }
    std::vector<ListedGame> rows;
    std::string after;
    for (;;) {
        client->list(options.prefix, after);
        const auto page = next_page(*client);
        if (!page) {
            return std::unexpected(page.error());
        }
        for (const auto* game : *(*page)->games()) {
            rows.push_back(row_of(*game));
        }
        const auto count = (*page)->games()->size();
        if (!(*page)->more() || count == 0) {
            return rows;
        }
        const auto last = (*page)->games()->Get(count - 1)->name()->string_view();
        if (last <= after) {  // pages that do not advance would be asked for without end
            return failure(std::errc::bad_message, "the host sent its games out of order");
        }
        after = last;
    }
}

std::string age_text(std::uint64_t seconds) {
    return seconds < 120    ? fmt::format("{} s", seconds)
           : seconds < 7200 ? fmt::format("{} min", seconds / 60)
                            : fmt::format("{} h", seconds / 3600);
}

void print_table(const std::vector<ListedGame>& rows, const ListOptions& options) {
    if (rows.empty()) {
        fmt::print("no games{} on {}; 'ringside play -C' starts one\n",
                   options.prefix.empty() ? "" : " of that prefix", options.endpoint.text());
        return;
    }
    std::size_t name_columns = 4;
    for (const ListedGame& row : rows) {
        name_columns = std::max(name_columns, row.name.size());
    }
    fmt::print("{:<{}}  {:<8} {:<9} {:>7}  {:>10}  {:<9} {:>7}\n", "NAME", name_columns, "TYPE",
               "STATE", "PLAYERS", "SPECTATORS", "SIZE", "AGE");
    for (const ListedGame& row : rows) {
        fmt::print("{:<{}}  {:<8} {:<9} {:>7}  {:>10}  {:<9} {:>7}{}\n", row.name, name_columns,
                   row.type, row.state, fmt::format("{}/{}", row.players, row.seats),
                   row.spectators, row.size, age_text(row.age_s), row.password ? "  password" : "");
    }
}

}  // namespace

int run_list(const ListOptions& options) {
    const auto rows = fetch(options);
    if (!rows) {
        fmt::print(stderr, "ringside: {}\n", printable(rows.error().text()));
        return 1;
    }
    if (options.json) {
        fmt::print("{}\n", games_json(*rows));
    } else {
        print_table(*rows, options);
    }
    return 0;
}

}  // namespace ringside
