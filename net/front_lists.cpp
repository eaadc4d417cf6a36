// FrontServer: lists of games, answered from the host's directory.
//
// The supervisor refreshes progress in the directory only when asked. A list is answered from
// records at most 20 ms older than the question; one sweep serves all who wait.

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "front_server.hpp"

#include "ringside/core/wire_generated.h"

namespace ringside {
namespace {

constexpr std::int64_t directory_age_ns_max = 20'000'000;

std::string_view name_of(const DirectoryRecord& record) noexcept {
    return {record.name, ::strnlen(record.name, sizeof record.name)};
}

}  // namespace

FrontServer::Handled FrontServer::take_list(Connection& connection, const wire::List& list) {
    Session& session = connection.session;
    if (session.list) {
        return Handled::later;  // one at a time
    }
    const std::uint32_t limit = list.limit() == 0 ? games_per_page_max : list.limit();
    wish_list(connection,
              {.prefix = list.prefix() != nullptr ? list.prefix()->str() : std::string(),
               .after = list.after() != nullptr ? list.after()->str() : std::string(),
               .limit = std::min(limit, games_per_page_max),
               .asked_ns = now_ns_});
    return Handled::done;
}

void FrontServer::wish_list(Connection& connection, Session::ListWish wish) {
    connection.session.list = std::make_unique<Session::ListWish>(std::move(wish));
    lists_waiting_.push_back(connection.index);
    answer_lists();
}

void FrontServer::answer_lists() {
    const std::int64_t swept_ns = link_.host().layout().swept_ns.load(std::memory_order_acquire);
    std::erase_if(lists_waiting_, [&](std::uint32_t index) {
        Connection& connection = connections_.at(index);
        if (!connection.session.list) {
            return true;  // it has gone
        }
        if (swept_ns < connection.session.list->asked_ns - directory_age_ns_max) {
            return false;
        }
        read_directory(swept_ns);
        answer_list(connection);
        return true;
    });
    if (!lists_waiting_.empty() && !sweep_requested_) {
        sweep_requested_ = link_.request_sweep();  // else the next retry asks
    }
}

void FrontServer::read_directory(std::int64_t swept_ns) {
    if (directory_ns_ == swept_ns) {
        return;
    }
    directory_ns_ = swept_ns;
    directory_.clear();
    for (const SharedRecord<DirectoryRecord>& shared : link_.host().games()) {
        DirectoryRecord record;
        if (!shared.read(record)) {
            continue;  // being written: a game that comes or goes
        }
        const auto state = static_cast<GameState>(record.state);
        const bool goes_on = state == GameState::running || state == GameState::starting;
        if (goes_on && record.unlisted == 0) {
            directory_.push_back(record);
        }
    }
    std::ranges::sort(directory_, {}, name_of);
}

void FrontServer::answer_list(Connection& connection) {
    const auto wish = std::move(connection.session.list);
    const auto less = [](std::string_view left, std::string_view right) { return left < right; };
    auto first =
        std::ranges::lower_bound(directory_, std::string_view(wish->prefix), less, name_of);
    if (!wish->after.empty()) {
        first = std::max(first, std::ranges::upper_bound(directory_, std::string_view(wish->after),
                                                         less, name_of));
    }
    // Sorted by name, so those with the prefix stand together.
    auto last = first;
    while (last != directory_.end() && last - first < wish->limit &&
           name_of(*last).starts_with(wish->prefix)) {
        ++last;
    }
    const bool more = last != directory_.end() && name_of(*last).starts_with(wish->prefix);
    const HostMessages::Page page{.games = std::span(first, last), .more = more, .now_ns = now_ns_};
    if (connection.request) {
        answer_games(connection, page);
    } else {
        say(connection, messages_.games(page));
    }
}

}  // namespace ringside
