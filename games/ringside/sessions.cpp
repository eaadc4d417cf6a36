#include "sessions.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ringside/core/clock.hpp"
#include "ringside/core/nickname.hpp"
#include "ringside/core/printable.hpp"
#include "ringside/ipc/operate.hpp"
#include "ringside/ipc/supervisor.hpp"

namespace ringside {
namespace {

std::string id_text(const SessionRecord& record) {
    return fmt::format("{:016x}", record.session);
}

std::int64_t age_s(const SessionRecord& record) {
    return (monotonic_ns() - record.since_ns) / 1'000'000'000;
}

const char* what_text(const ObservedSession& session) {
    return session.game.empty() ? "in no game" : session.record.watching != 0 ? "watches" : "plays";
}

Result<std::vector<ObservedSession>> observe(const std::string& instance) {
    auto sessions = observe_sessions(HostOptions{}.root, instance);
    if (sessions) {
        std::ranges::sort(*sessions, {},
                          [](const ObservedSession& each) { return each.record.since_ns; });
    }
    return sessions;
}

}  // namespace

int run_sessions(const std::string& instance, bool json) {
    const auto sessions = observe(instance);
    if (!sessions) {
        fmt::print(stderr, "ringside: {}\n", printable(sessions.error().text()));
        return 1;
    }
    auto all = nlohmann::ordered_json::array();
    if (!json) {
        fmt::print("{:16}  {:24}  {:10}  {:>8}  {:24}  {}\n", "session", "address", "", "since",
                   "game", "nickname");
    }
    for (const ObservedSession& each : *sessions) {
        const std::string address = text_of(PeerAddress{each.record.address});
        const std::string nickname(text_of(nickname_of(text_of(each.record.nickname))));
        if (json) {
            all.push_back({{"session", id_text(each.record)},
                           {"address", address},
                           {"game", printable(each.game)},
                           {"nickname", nickname},
                           {"watching", each.record.watching != 0},
                           {"age_s", age_s(each.record)}});
        } else {
            fmt::print("{}  {:24}  {:10}  {:>6} s  {:24}  {}\n", id_text(each.record), address,
                       what_text(each), age_s(each.record), printable(each.game), nickname);
        }
    }
    if (json) {
        fmt::print("{}\n", nlohmann::ordered_json{{"sessions", std::move(all)}}.dump());
    }
    return 0;
}

std::optional<SessionId> parse_session(const std::string& text) {
    constexpr std::size_t digits = 16;
    std::uint64_t number = 0;
    const auto [end, code] =
        std::from_chars(text.data(), text.data() + text.size(), number, digits);
    const bool whole = code == std::errc{} && end == text.data() + text.size();
    return whole && text.size() == digits ? std::optional(SessionId{number}) : std::nullopt;
}

Result<PeerAddress> address_of(const std::string& instance, const std::string& who) {
    if (const auto address = parse_peer_address(who)) {
        return *address;
    }
    const auto session = parse_session(who);
    if (!session) {
        return failure(std::error_code{},
                       fmt::format("'{}' is neither an address nor one of the sessions that "
                                   "'ringside sessions' lists",
                                   who));
    }
    const auto sessions = observe(instance);
    if (!sessions) {
        return std::unexpected(sessions.error());
    }
    const auto found = std::ranges::find(*sessions, value(*session),
                                         [](const auto& each) { return each.record.session; });
    if (found == sessions->end()) {
        return failure(std::error_code{}, fmt::format("no session {} is connected", who));
    }
    return PeerAddress{found->record.address};
}

}  // namespace ringside
