#include "local_games.hpp"

#include <array>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "ringside/core/clock.hpp"

namespace ringside::bench {
namespace {

constexpr std::int64_t look_again_ns = 10'000'000;   // the doorbell is only a hint
constexpr std::int64_t give_up_ns = 20'000'000'000;  // after the last join that was seen
constexpr std::int64_t apply_give_up_ns = 5'000'000'000;

EventHeader header_of(const LocalGame& game) {
    return {.session = game.session, .input_number = game.inputs, .body_bytes = 0};
}

const RosterEntry* entry_of(const SnapshotParts& parts, std::uint64_t session) {
    for (const RosterEntry& entry : parts.roster) {
        if (entry.session == session) {
            return &entry;
        }
    }
    return nullptr;
}

}  // namespace

Result<LocalGames> LocalGames::start(const GameType& type, std::uint32_t games_max) {
    static std::uint32_t hosts = 0;
    const std::array<const GameType*, 1> types{&type};
    HostOptions options;
    options.instance = fmt::format("bench-{}-{}", getpid(), ++hosts);
    options.games_max = games_max;
    options.idle_timeout = {};
    auto host = LocalHost::start(options, types);
    if (!host) {
        return std::unexpected(std::move(host.error()));
    }
    LocalGames games(std::move(*host));
    games.games_.reserve(games_max);
    games.index_by_slot_.resize(games_max);
    return games;
}

// ---- opening -----------------------------------------------------------------------------------

// As many as the control socket takes: the supervisor works while the answers are read.
void LocalGames::request(std::uint32_t& requested, std::uint32_t wanted,
                         const std::vector<std::byte>& config) {
    while (requested < wanted && front().request_open({.request = requested,
                                                       .name = fmt::format("g{}", requested),
                                                       .type = {},
                                                       .mode = OpenMode::create,
                                                       .config = config,
                                                       .known_ended = {}})) {
        ++requested;
    }
}

Result<void> LocalGames::join(GameId id) {
    auto link = front().open_game(id);
    if (!link) {
        return std::unexpected(std::move(link.error()));
    }
    const auto number = static_cast<std::uint32_t>(games_.size()) + 1;
    games_.push_back(
        {.link = std::move(*link), .session = value(make_session_id(0, front().epoch(), number))});
    LocalGame& game = games_.back();
    index_by_slot_[id.slot] = number - 1;
    game.link.set_following(true);
    if (!game.link.try_write(EventKind::join, header_of(game), join_body({}, {}))) {
        return failure(std::errc::no_buffer_space, "an empty event ring has no room for a join");
    }
    game.link.publish();
    return {};
}

Result<void> LocalGames::take_answers() {
    while (auto message = front().receive()) {
        if (const auto* answer = std::get_if<OpenAnswer>(&*message)) {
            if (answer->refused != RefuseReason::none) {
                return failure(std::error_code{}, answer->text);
            }
            if (auto joined = join(answer->game); !joined) {
                return joined;
            }
        } else if (const auto* failed = std::get_if<GameFailed>(&*message)) {
            return failure(std::error_code{}, failed->text);
        } else if (std::holds_alternative<SupervisorGone>(*message)) {
            return failure(std::error_code{}, "the supervisor has gone");
        }
    }
    return {};
}

void LocalGames::look_for_joins() {
    front().ringing().drain([this](std::uint32_t slot) {
        LocalGame& game = games_[index_by_slot_[slot]];
        if (game.joined) {
            return;
        }
        const auto parts = read(game);
        if (parts && entry_of(*parts, game.session) != nullptr) {
            game.joined = true;
            game.link.set_following(false);  // nobody here wants its later snapshots
            ++joined_;
        }
    });
}

Result<void> LocalGames::open(std::uint32_t count, const std::vector<std::byte>& config) {
    auto requested = static_cast<std::uint32_t>(games_.size());
    const std::uint32_t wanted = requested + count;
    std::int64_t give_up_at_ns = monotonic_ns() + give_up_ns;
    BellWord& bell = front().bell();
    while (joined_ < wanted) {
        request(requested, wanted, config);
        if (auto taken = take_answers(); !taken) {
            return taken;
        }
        announce_sleep(bell);
        const std::uint32_t joined_before = joined_;
        look_for_joins();
        if (joined_ != joined_before) {
            give_up_at_ns = monotonic_ns() + give_up_ns;
        }
        if (games_.size() < wanted) {  // answers are to come: they ring no bell
            stay_awake(bell);
            pollfd readable{.fd = front().control_fd(), .events = POLLIN, .revents = 0};
            poll(&readable, 1, 1);
        } else if (joined_ < wanted && !front().ringing().any()) {
            wait_until(bell, monotonic_ns() + look_again_ns);
        } else {
            stay_awake(bell);
        }
        if (monotonic_ns() > give_up_at_ns) {
            return failure(
                std::errc::timed_out,
                fmt::format("{} of {} games show a join, and no other for 20 s", joined_, wanted));
        }
    }
    return {};
}

// ---- one game ----------------------------------------------------------------------------------

Result<void> LocalGames::input(LocalGame& game, Bytes body) {
    ++game.inputs;
    if (!game.link.try_write(EventKind::input, header_of(game), body)) {
        return failure(std::errc::no_buffer_space,
                       fmt::format("game {} does not read its events", game.link.plan().name));
    }
    game.link.publish();
    return {};
}

std::optional<SnapshotParts> LocalGames::read(LocalGame& game) {
    SnapshotReader& snapshots = game.link.snapshots();
    copy_.resize(std::max<std::size_t>(copy_.size(), (snapshots.payload_bytes_max() + 7) / 8));
    const auto bytes_of_copy = std::as_writable_bytes(std::span(copy_));
    std::size_t bytes = 0;
    if (snapshots.read_newest(bytes_of_copy, bytes) != SnapshotRead::record) {
        return std::nullopt;
    }
    return parse_snapshot(Bytes(bytes_of_copy).first(bytes));
}

pid_t LocalGames::pid_of(const LocalGame& game) {
    DirectoryRecord record;
    // A record without a pid means that the nursery's answer is under way.
    while (!front().host().games()[game.link.id().slot].read(record) || record.pid == 0) {
    }
    return record.pid;
}

bool LocalGames::shows_all_inputs(LocalGame& game) {
    const std::int64_t give_up_at_ns = monotonic_ns() + apply_give_up_ns;
    while (game.inputs > 0 && monotonic_ns() < give_up_at_ns) {
        const auto parts = read(game);
        const RosterEntry* entry = parts ? entry_of(*parts, game.session) : nullptr;
        if (entry != nullptr && entry->last_input == game.inputs) {
            return true;
        }
        usleep(1'000);
    }
    return game.inputs == 0;
}

Result<void> LocalGames::check_inputs() {
    for (LocalGame& game : games_) {
        if (!shows_all_inputs(game)) {
            return failure(std::errc::bad_message,
                           fmt::format("game {} has not applied the {} inputs it was sent",
                                       game.link.plan().name, game.inputs));
        }
    }
    return {};
}

}  // namespace ringside::bench
