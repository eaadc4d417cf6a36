#include "through_rings.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "game_killer.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/ipc/local_host.hpp"
#include "ringside/ipc/snapshot.hpp"
#include "ringside/tron/rules.hpp"
#include "ringside/tron/view.hpp"

namespace ringside {
namespace {

constexpr std::int64_t look_again_ns = 10'000'000;  // the doorbell is only a hint

class ThroughRings final : public tron::TraceDriver {
public:
    ThroughRings(std::shared_ptr<LocalHost> host, GameLink game, std::optional<GameKiller> killer,
                 std::shared_ptr<Kills> kills)
        : host_(std::move(host)),
          game_(std::move(game)),
          killer_(std::move(killer)),
          kills_(std::move(kills)) {
        game_.set_following(true);
        copy_.resize((game_.snapshots().payload_bytes_max() + 7) / 8);
    }
    ThroughRings(const ThroughRings&) = delete;
    ThroughRings& operator=(const ThroughRings&) = delete;

    // Everybody leaves, so that the game stops and its process with it.
    ~ThroughRings() override {
        if (killer_) {
            kills_->count += killer_->kills();
        }
        for (tron::JoinerId joiner = 0; joiner < joiners_; ++joiner) {
            if (game_.try_write(EventKind::leave, header_of(joiner), {})) {
                game_.publish();
            }
        }
    }

    // Waits for the answer at once: a joiner that leaves in the same tick would be in no roster.
    void join(tron::JoinerId joiner, tron::Screen screen) override {
        joiners_ = std::max(joiners_, joiner + 1);
        write(EventKind::join, header_of(joiner),
              join_body({}, tron::encode_join_parameters(screen)));
        ask();
        const std::uint64_t session = header_of(joiner).session;
        wait_for([&](const SnapshotParts& parts) {
            for (const RosterEntry& entry : parts.roster) {
                if (entry.session == session) {
                    joins_.push_back({joiner, static_cast<std::uint8_t>(entry.seat + 1)});
                    return true;
                }
            }
            if (std::ranges::count(parts.answers, session, &RosterAnswer::session) != 0) {
                joins_.push_back({joiner, std::nullopt});
                return true;
            }
            return ended(parts);
        });
    }

    void leave(tron::JoinerId joiner) override { write(EventKind::leave, header_of(joiner), {}); }

    void input(tron::JoinerId joiner, Bytes bytes) override {
        inputs_.resize(std::max<std::size_t>(inputs_.size(), joiner + 1));
        EventHeader header = header_of(joiner);
        header.input_number = ++inputs_[joiner];
        write(EventKind::input, header, bytes);
    }

    Result<tron::TraceStep> step() override {
        write(EventKind::step, {}, {});
        ask();
        ++ticks_;
        wait_for([this](const SnapshotParts& parts) {
            return parts.header.tick >= ticks_ || ended(parts);
        });
        if (lost_) {
            return std::unexpected(*lost_);
        }
        tron::TraceStep done;
        auto view = tron::decode_view(parts_->view);
        if (!view || (parts_->header.tick != ticks_ && !ended(*parts_))) {
            return failure(std::errc::bad_message,
                           fmt::format("the snapshot of tick {} is not what was asked for",
                                       parts_->header.tick));
        }
        done.view = std::move(*view);
        done.joins = std::exchange(joins_, {});
        done.stopped = ended(*parts_);
        return done;
    }

private:
    static bool ended(const SnapshotParts& parts) {
        return (parts.header.flags & snapshot_ended) != 0;
    }

    static EventHeader header_of(tron::JoinerId joiner) {
        return {.session = value(make_session_id(0, 1, joiner + 1)),
                .input_number = 0,
                .body_bytes = 0};
    }

    // Back-pressure: the game applies what is published, and so makes room, without a step.
    void write(EventKind kind, const EventHeader& header, Bytes body) {
        while (!lost_ && !game_.try_write(kind, header, body)) {
            game_.publish();
            wait_for([](const SnapshotParts&) { return true; });
        }
    }

    // Something asked of the game is published.
    void ask() {
        game_.publish();
        if (killer_) {
            killer_->maybe_kill(host_->front().host(), game_.id());
        }
    }

    template <class Satisfies>
    void wait_for(Satisfies satisfies) {
        BellWord& bell = host_->front().bell();
        while (!lost_) {
            announce_sleep(bell);
            if (read_newest() && satisfies(*parts_)) {
                stay_awake(bell);
                return;
            }
            wait_until(bell, monotonic_ns() + look_again_ns);
            check_host();
        }
    }

    bool read_newest() {
        std::size_t bytes = 0;
        const auto read =
            game_.snapshots().read_newest(std::as_writable_bytes(std::span(copy_)), bytes);
        if (read != SnapshotRead::record) {
            return false;
        }
        parts_ = parse_snapshot(std::as_bytes(std::span(copy_)).first(bytes));
        if (!parts_) {
            lost_ = Error{std::make_error_code(std::errc::bad_message), "a damaged snapshot"};
            return false;
        }
        if (!parts_->answers.empty()) {
            game_.acknowledge(parts_->answers.back().number);
        }
        return true;
    }

    void check_host() {
        while (auto message = host_->front().receive()) {
            if (const auto* failed = std::get_if<GameFailed>(&*message);
                failed != nullptr && failed->game == game_.id()) {
                lost_ = Error{{}, failed->text};
            } else if (std::holds_alternative<SupervisorGone>(*message)) {
                lost_ = Error{{}, "the supervisor has gone"};
                return;
            }
        }
    }

    std::shared_ptr<LocalHost> host_;
    GameLink game_;
    std::optional<GameKiller> killer_;
    std::shared_ptr<Kills> kills_;
    std::vector<std::uint64_t> copy_;
    std::optional<SnapshotParts> parts_;
    std::optional<Error> lost_;
    std::vector<std::uint32_t> inputs_;  // number of the last one sent, by joiner
    std::vector<tron::TraceJoin> joins_;
    tron::JoinerId joiners_ = 0;
    std::uint64_t ticks_ = 0;
};

}  // namespace

Result<tron::TraceDriverFactory> through_rings_factory(std::shared_ptr<Kills> kills) {
    static const std::array<const GameType*, 1> types{&tron::tron_type()};
    HostOptions options;
    options.instance = fmt::format("replay-{}", getpid());
    options.games_max = 1024;  // ended games take a moment to go
    options.idle_timeout = {};
    options.pacing = Pacing::lockstep;
    if (kills) {
        options.restores_per_second = 0;
        options.log_restores = false;
    }
    auto started = LocalHost::start(options, types);
    if (!started) {
        return std::unexpected(std::move(started.error()));
    }
    auto host = std::make_shared<LocalHost>(std::move(*started));
    Random seeds(kills ? kills->seed : 0);
    return [host, kills = std::move(kills), seeds, count = 0u](
               const tron::Config& config) mutable -> Result<std::unique_ptr<tron::TraceDriver>> {
        const OpenAnswer opened = host->open({.name = fmt::format("trace-{}", ++count),
                                              .type = {},
                                              .mode = OpenMode::create,
                                              .config = tron::encode_config(config),
                                              .known_ended = {}});
        if (opened.refused != RefuseReason::none) {
            return failure(std::error_code{}, opened.text);
        }
        auto game = host->front().open_game(opened.game);
        if (!game) {
            return std::unexpected(std::move(game.error()));
        }
        auto killer = kills ? std::optional(GameKiller(seeds.next())) : std::nullopt;
        return std::make_unique<ThroughRings>(host, std::move(*game), killer, kills);
    };
}

}  // namespace ringside
