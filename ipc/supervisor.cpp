#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.hpp"
#include "supervisor_state.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/invariant.hpp"
#include "ringside/core/log.hpp"
#include "ringside/core/printable.hpp"
#include "ringside/ipc/happenings.hpp"
#include "ringside/ipc/operate.hpp"

namespace ringside {
namespace {

constexpr std::int64_t stop_grace_ns = 3'000'000'000;       // for fronts to tell their clients
constexpr std::int64_t nursery_grace_ns = 1'000'000'000;    // to fork what it has been asked for
constexpr std::int64_t companion_grace_ns = 2'000'000'000;  // to write to the end
constexpr std::int64_t companion_poll_ns = 1'000'000;
// One that dies at once whenever it is started must not take the machine's time from the games.
constexpr TokenRate restart_rate{.per_second = 5, .burst = 200};

}  // namespace

Result<int> Supervisor::host() {
    name_process("supervisor");
    if (auto started = start(); !started) {
        kill_and_reap_all();
        return std::unexpected(std::move(started.error()));
    }
    const int code = run();
    kill_and_reap_all();
    if (games_end_) {
        games_->remove_all();
    }
    return code;
}

// ---- the loop ----------------------------------------------------------------------------------

// Requests first come, first served; deaths are noticed by the signalfd among them. When stopping,
// the loop goes on until the fronts have told their clients, for a bounded time.
int Supervisor::run() {
    std::array<epoll_event, 64> events;
    while (!stop_now_) {
        watch_over();
        restart_children();
        games_->restore_waiting();
        end_if_drained();
        const std::int64_t left_ns = next_deadline_ns() - monotonic_ns();
        if (stop_deadline_ns_ && (left_ns <= 0 || fronts_have_gone())) {
            break;
        }
        const int timeout_ms = static_cast<int>(std::max<std::int64_t>(left_ns, 0) / 1'000'000) + 1;
        const int count = epoll_wait(epoll_fd_, events.data(), events.size(), timeout_ms);
        invariant(count >= 0 || errno == EINTR, "epoll_wait fails only on a bug");
        for (int i = 0; i < count; ++i) {
            on_event(events[static_cast<std::size_t>(i)]);
        }
    }
    return exit_code_;
}

std::int64_t Supervisor::next_deadline_ns() const {
    if (stop_deadline_ns_) {
        return *stop_deadline_ns_;
    }
    std::int64_t deadline_ns = monotonic_ns() + watch_period_ns;
    if (std::ranges::any_of(fronts_, &Front::wanted) ||
        std::ranges::any_of(nurseries_, &Nursery::wanted) ||
        std::ranges::any_of(companions_, &CompanionState::wanted)) {
        deadline_ns = std::min(deadline_ns, restarts_.next_ns(restart_rate));
    }
    return std::min(deadline_ns, games_->next_restore_ns().value_or(deadline_ns));
}

void Supervisor::on_event(const epoll_event& event) {
    const auto source = static_cast<Source>(event.data.u64 >> 32);
    const auto index = static_cast<std::uint32_t>(event.data.u64);
    if (source == Source::signals) {
        return on_signal();
    }
    if (source == Source::operators) {
        return operators_.serve_one([this](ControlPacket& packet) { answer_operator(packet); });
    }
    if (source == Source::game_log) {
        return print_game_log();
    }
    const bool is_front = source == Source::front;
    Channel* channel = is_front ? &fronts_[index].channel : &nurseries_[index].channel;
    if (channel->fd() < 0) {
        return;  // closed by an earlier event of this turn
    }
    if ((event.events & EPOLLOUT) != 0) {
        channel->flush();
        watch(channel->fd(), source, index, channel->waiting(), EPOLL_CTL_MOD);
    }
    if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) {
        return;
    }
    ControlPacket packet;
    for (;;) {
        const Received received = channel->receive(packet);
        if (received == Received::nothing) {
            return;
        }
        if (received == Received::gone) {
            break;
        }
        if (is_front) {
            on_front_packet(index, packet);
        } else {
            games_->on_forked(packet);
        }
    }
    *channel = Channel{};  // its process is ending; SIGCHLD does the rest
    if (is_front && fronts_[index].pid == 0) {
        end_games_and_stop();  // an external front has gone, and this host was only for it
    }
}

// A game that floods is left alone for a while: its pipe fills, which costs nobody anything.
void Supervisor::print_game_log() {
    if (!game_log_.print_some(monotonic_ns(), statistics_)) {
        watch(game_log_.fd(), Source::game_log, 0, false, EPOLL_CTL_DEL);
        game_log_paused_ = true;
    }
}

void Supervisor::on_front_packet(std::uint32_t slot, const ControlPacket& packet) {
    switch (packet.kind) {
        case ControlKind::open: {
            ControlPacket answer = packet;
            if (stop_deadline_ns_) {
                answer.kind = ControlKind::opened;
                answer.reason = static_cast<std::uint32_t>(RefuseReason::stopping);
                copy_text(answer.text, sizeof(answer.text), "the host is being stopped");
                statistics_.add(HostStatistic::games_refused_stopping);
            } else {
                games_->open(answer, /*may_create=*/!draining_);
            }
            return send_to_front(slot, answer);
        }
        case ControlKind::sweep:
            games_->sweep();
            return send_to_front(slot, {.kind = ControlKind::swept});
        case ControlKind::ready: fronts_[slot].ready = true; return on_ready();
        case ControlKind::turned: fronts_[slot].turn_answered = packet.request; return;
        default: return;  // nothing else comes from a front
    }
}

// ---- the operator ------------------------------------------------------------------------------

void Supervisor::answer_operator(ControlPacket& packet) {
    const auto answered = [&packet](bool refused, std::string_view text) {
        packet.reason = refused ? 1 : 0;
        copy_text(packet.text, sizeof(packet.text), text);
    };
    const auto answered_by = [&answered](const Result<std::string>& result) {
        answered(!result, result ? *result : result.error().text());
    };
    switch (static_cast<OperatorRequest::What>(packet.mode)) {
        case OperatorRequest::What::drain:
            draining_ = true;
            return answered(false, fmt::format("draining: no new games; {} go on, and the host "
                                               "ends with the last of them",
                                               games_->count()));
        case OperatorRequest::What::end_game:
            if (!games_->end(packet.name)) {
                return answered(true, fmt::format("no game is named '{}'", packet.name));
            }
            return answered(false, fmt::format("ended '{}'", packet.name));
        case OperatorRequest::What::upgrade:
            if (auto upgraded = upgrade(); !upgraded) {
                return answered(true, upgraded.error().text());
            }
            return answered(false,
                            fmt::format("another program goes on with {} games", games_->count()));
        case OperatorRequest::What::kick: return answered_by(kick(SessionId{packet.request}));
        case OperatorRequest::What::ban:
            return answered_by(ban_address(packet.request, packet.seconds));
    }
    answered(true, "this host does not know what is asked of it: is it an older one?");
}

Result<std::string> Supervisor::kick(SessionId session) {
    const auto slot = static_cast<std::uint32_t>(value(session) >> 56);
    const bool here =
        slot < fronts_.size() && fronts_[slot].channel.fd() >= 0 &&
        front_epoch_of(session) ==
            (host_.layout().front[slot].epoch.load(std::memory_order_relaxed) & 0xff'ffff);
    if (!here) {
        return failure(std::error_code{}, "no such session; its front may have been replaced");
    }
    send_to_front(slot, {.kind = ControlKind::kick, .request = value(session)});
    return fmt::format("session {:016x} is closed", value(session));
}

Result<std::string> Supervisor::ban_address(std::uint64_t address, std::uint32_t seconds) {
    const std::int64_t now_ns = monotonic_ns();
    if (address == 0) {
        return failure(std::error_code{}, "a Unix socket has no address to ban");
    }
    if (!ban(host_.layout(), address, now_ns + std::int64_t{seconds} * 1'000'000'000, now_ns)) {
        return failure(std::error_code{},
                       fmt::format("{} addresses are banned already; lift one first", bans_max));
    }
    for (std::uint32_t slot = 0; slot < fronts_.size(); ++slot) {
        send_to_front(slot, {.kind = ControlKind::banned});
    }
    return seconds == 0 ? std::string("no longer banned") : fmt::format("banned for {} s", seconds);
}

Result<void> Supervisor::upgrade() {
    if (!options_.successor.check) {
        return failure(std::error_code{},
                       "not started by 'ringside serve', so there is nothing to go on with it");
    }
    if (draining_ || stop_deadline_ns_) {
        return failure(std::error_code{}, "the host is about to end");
    }
    if (auto checked = options_.successor.check(); !checked) {
        return checked;
    }
    to_be_replaced_ = true;
    stop_now_ = true;
    return {};
}

void Supervisor::end_if_drained() {
    if (draining_ && !stop_deadline_ns_ && games_->count() == 0) {
        end_games_and_stop();
    }
}

// ---- fronts ------------------------------------------------------------------------------------

void Supervisor::on_ready() {
    if (!announced_ && std::ranges::all_of(fronts_, &Front::ready)) {
        announced_ = true;
        on_ready_();
    }
}

void Supervisor::send_to_front(std::uint32_t slot, const ControlPacket& packet) {
    Channel& channel = fronts_[slot].channel;
    if (channel.fd() < 0) {
        return;
    }
    channel.send(packet);
    if (channel.waiting()) {
        watch(channel.fd(), Source::front, slot, true, EPOLL_CTL_MOD);
    }
}

void Supervisor::request_fork(std::size_t type_index, GameId game) {
    Channel& channel = nurseries_[type_index].channel;
    channel.send({.kind = ControlKind::fork, .game_slot = game.slot, .game_epoch = game.epoch},
                 game_segment_path(instance_.path(), game));
    if (channel.waiting()) {
        watch(channel.fd(), Source::nursery, static_cast<std::uint32_t>(type_index), true,
              EPOLL_CTL_MOD);
    }
}

void Supervisor::announce_failure(GameId game, const std::string& text) {
    ControlPacket packet{
        .kind = ControlKind::failed, .game_slot = game.slot, .game_epoch = game.epoch};
    copy_text(packet.text, sizeof(packet.text), text);
    for (std::uint32_t slot = 0; slot < fronts_.size(); ++slot) {
        send_to_front(slot, packet);
    }
}

// ---- deaths ------------------------------------------------------------------------------------

void Supervisor::on_signal() {
    signalfd_siginfo signal{};
    while (read(signal_fd_, &signal, sizeof(signal)) == static_cast<ssize_t>(sizeof(signal))) {
        if (signal.ssi_signo == SIGCHLD) {
            reap();  // one SIGCHLD may stand for many
        } else if (signal.ssi_signo == SIGUSR2) {
            if (auto upgraded = upgrade(); !upgraded) {
                statistics_.report(
                    LogLevel::warning,
                    fmt::format("not upgraded: {}", printable(upgraded.error().text())));
            }
        } else if (stop_deadline_ns_) {
            stop_now_ = true;
            exit_code_ = 1;
        } else {
            end_games_and_stop();
        }
    }
}

void Supervisor::reap() {
    for (;;) {
        int status = 0;
        const pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid <= 0) {
            return;
        }
        const auto front = std::ranges::find(fronts_, pid, &Front::pid);
        const auto nursery = std::ranges::find(nurseries_, pid, &Nursery::pid);
        const auto companion = std::ranges::find(companions_, pid, &CompanionState::pid);
        if (front != fronts_.end()) {
            on_front_exit(static_cast<std::uint32_t>(front - fronts_.begin()), status);
        } else if (nursery != nurseries_.end()) {
            on_nursery_exit(static_cast<std::size_t>(nursery - nurseries_.begin()), status);
        } else if (companion != companions_.end()) {
            on_companion_exit(static_cast<std::size_t>(companion - companions_.begin()));
        } else {
            games_->on_exit(pid, status);
        }
    }
}

void Supervisor::on_front_exit(std::uint32_t slot, int wait_status) {
    Front& front = fronts_[slot];
    happened::death(front_key(slot), static_cast<std::uint64_t>(front.pid),
                    static_cast<std::uint32_t>(wait_status));
    front.pid = 0;
    front.channel = Channel{};
    host_.layout().front[slot].pid.store(0, std::memory_order_relaxed);
    if (stop_deadline_ns_) {
        return;
    }
    if (!front.ready && WIFEXITED(wait_status)) {  // it said why: it would fail again
        statistics_.report(LogLevel::error,
                           fmt::format("front {} could not start; stopping", slot));
        exit_code_ = WEXITSTATUS(wait_status) != 0 ? WEXITSTATUS(wait_status) : 1;
        return begin_stop();
    }
    statistics_.add(HostStatistic::deaths_front);
    statistics_.report(LogLevel::warning, fmt::format("front {} died; starting another", slot));
    dumps_.dump(fmt::format("front {} died", slot));
    front.wanted = true;
    restart_children();
}

void Supervisor::on_nursery_exit(std::size_t type_index, int wait_status) {
    happened::death(nursery_key(type_index), static_cast<std::uint64_t>(nurseries_[type_index].pid),
                    static_cast<std::uint32_t>(wait_status));
    nurseries_[type_index].pid = 0;
    if (stop_deadline_ns_) {
        return;
    }
    statistics_.add(HostStatistic::deaths_nursery);
    statistics_.report(LogLevel::warning, fmt::format("the nursery of {} died; starting another",
                                                      types_[type_index]->name()));
    dumps_.dump(fmt::format("the nursery of {} died", types_[type_index]->name()));
    nurseries_[type_index].wanted = true;
    restart_children();
}

void Supervisor::on_companion_exit(std::size_t index) {
    CompanionState& companion = companions_[index];
    close(std::exchange(companion.stop_fd, -1));
    companion.pid = 0;
    if (!stop_deadline_ns_) {
        statistics_.add(HostStatistic::deaths_companion);
        statistics_.report(LogLevel::warning,
                           fmt::format("the companion process '{}' died; starting another",
                                       options_.companions[index].name));
        companion.wanted = true;
        restart_children();
    }
}

bool Supervisor::may_restart() {
    const bool may = restarts_.take(restart_rate, monotonic_ns());
    if (!may && !told_of_restarts_) {
        statistics_.report(
            LogLevel::error,
            fmt::format("the host's processes keep dying; they are started again {} times a second",
                        restart_rate.per_second));
    }
    told_of_restarts_ = !may;
    return may;
}

// Nurseries before fronts: those have clients that want games. One that cannot be forked now is
// tried again: what runs goes on meanwhile.
void Supervisor::restart_children() {
    for (std::size_t type_index = 0; type_index < nurseries_.size(); ++type_index) {
        if (!nurseries_[type_index].wanted || stop_deadline_ns_ || !may_restart()) {
            continue;
        }
        if (auto forked = fork_nursery(type_index); !forked) {
            statistics_.report(LogLevel::warning,
                               fmt::format("{}; trying again", forked.error().text()));
        } else {
            games_->on_nursery_death(type_index);
        }
    }
    for (std::uint32_t slot = 0; slot < fronts_.size(); ++slot) {
        if (!fronts_[slot].wanted || stop_deadline_ns_ || !may_restart()) {
            continue;
        }
        if (auto forked = fork_front(slot); !forked) {
            statistics_.report(LogLevel::warning,
                               fmt::format("{}; trying again", forked.error().text()));
        }
    }
    for (std::size_t index = 0; index < companions_.size(); ++index) {
        if (!companions_[index].wanted || stop_deadline_ns_ || !may_restart()) {
            continue;
        }
        if (auto forked = fork_companion(index); !forked) {
            statistics_.report(LogLevel::warning,
                               fmt::format("{}; trying again", forked.error().text()));
        }
    }
}

// ---- hangs -------------------------------------------------------------------------------------

void Supervisor::watch_over() {
    const std::int64_t now_ns = monotonic_ns();
    if (now_ns < next_watch_ns_ || stop_deadline_ns_) {
        return;
    }
    next_watch_ns_ = now_ns + watch_period_ns;
    if (std::exchange(game_log_paused_, false)) {
        watch(game_log_.fd(), Source::game_log, 0, false, EPOLL_CTL_ADD);
    }
    ask_for_signs_of_life(now_ns);
    const std::vector<std::size_t> waited_for = games_->watch_over();
    for (std::size_t type_index = 0; type_index < nurseries_.size(); ++type_index) {
        Nursery& nursery = nurseries_[type_index];
        if (nursery.pid > 0 &&
            nursery.watchdog.hangs(nursery.pid, games_->forks_answered(),
                                   std::ranges::find(waited_for, type_index) != waited_for.end(),
                                   now_ns)) {
            happened::hang(nursery_key(type_index), static_cast<std::uint64_t>(nursery.pid), 0);
            statistics_.add(HostStatistic::hangs);
            statistics_.report(LogLevel::warning, fmt::format("the nursery of {} hangs; killing it",
                                                              types_[type_index]->name()));
            kill(nursery.pid, SIGKILL);
        }
    }
    for (std::uint32_t slot = 0; slot < fronts_.size(); ++slot) {
        Front& front = fronts_[slot];
        const std::uint64_t turns =
            host_.layout().front[slot].turns.load(std::memory_order_relaxed);
        // It turns at least once a second, whether there is something to do or not.
        if (front.pid > 0 && front.ready &&
            front.watchdog.hangs(front.pid, turns, /*overdue=*/true, now_ns)) {
            happened::hang(front_key(slot), static_cast<std::uint64_t>(front.pid), 0);
            statistics_.add(HostStatistic::hangs);
            statistics_.report(LogLevel::warning, fmt::format("front {} hangs; killing it", slot));
            dumps_.dump(fmt::format("front {} hangs", slot));
            kill(front.pid, SIGKILL);
        }
    }
}

// A front that has been replaced meanwhile was not asked, and one may have been asked when its
// socket was full: who has not answered is asked again, and nothing is said until all have.
void Supervisor::ask_for_signs_of_life(std::int64_t now_ns) {
    if (!options_.on_alive || !announced_ || now_ns < next_turn_ns_) {
        return;
    }
    next_turn_ns_ = now_ns + options_.alive_period.count();
    const auto has_answered = [this](const Front& front) {
        return front.turn_answered == turn_asked_;
    };
    if (std::ranges::all_of(fronts_, has_answered)) {
        options_.on_alive();
        ++turn_asked_;
    }
    for (std::uint32_t slot = 0; slot < fronts_.size(); ++slot) {
        if (!has_answered(fronts_[slot])) {
            send_to_front(slot, {.kind = ControlKind::turn, .request = turn_asked_});
        }
    }
}

// ---- stopping ----------------------------------------------------------------------------------

void Supervisor::end_games_and_stop() {
    games_end_ = true;
    begin_stop();
}

void Supervisor::begin_stop() {
    if (stop_deadline_ns_) {
        return;
    }
    stop_deadline_ns_ = monotonic_ns() + stop_grace_ns;
    if (options_.on_stopping) {
        options_.on_stopping();
    }
    for (std::uint32_t slot = 0; slot < fronts_.size(); ++slot) {
        send_to_front(slot, {.kind = ControlKind::stopping});
    }
}

bool Supervisor::fronts_have_gone() const {
    return std::ranges::all_of(fronts_, [](const Front& front) { return front.pid == 0; });
}

// Nurseries first: once they have answered what they were asked and gone, every game's pid is
// known. A nursery that does not answer is killed; a game of its that nobody has heard of dies with
// us.
void Supervisor::kill_and_reap_all() {
    for (Nursery& nursery : nurseries_) {
        if (nursery.pid > 0) {
            end_nursery(nursery);
        }
    }
    for (const Front& front : fronts_) {
        if (front.pid > 0) {
            kill(front.pid, SIGKILL);
            waitpid(front.pid, nullptr, 0);
        }
    }
    if (games_) {
        games_->kill_all();
    }
    for (CompanionState& companion : companions_) {  // after the last snapshot of the last game
        end_companion(companion);
    }
    game_log_.print_rest(monotonic_ns(), statistics_);
}

void Supervisor::end_companion(CompanionState& companion) {
    if (companion.pid <= 0) {
        return;
    }
    close(std::exchange(companion.stop_fd, -1));
    const std::int64_t deadline_ns = monotonic_ns() + companion_grace_ns;
    while (waitpid(companion.pid, nullptr, WNOHANG) == 0) {
        if (monotonic_ns() >= deadline_ns) {
            kill(companion.pid, SIGKILL);
            waitpid(companion.pid, nullptr, 0);
            break;
        }
        sleep_until(monotonic_ns() + companion_poll_ns);
    }
    companion.pid = 0;
}

void Supervisor::end_nursery(Nursery& nursery) {
    shutdown(nursery.channel.fd(), SHUT_WR);  // it takes this for its order to go
    const std::int64_t deadline_ns = monotonic_ns() + nursery_grace_ns;
    ControlPacket packet;
    Received received = Received::nothing;
    while (received != Received::gone && monotonic_ns() < deadline_ns) {
        pollfd readable{.fd = nursery.channel.fd(), .events = POLLIN, .revents = 0};
        poll(&readable, 1, static_cast<int>((deadline_ns - monotonic_ns()) / 1'000'000) + 1);
        received = nursery.channel.receive(packet);
        if (received == Received::packet) {
            games_->on_forked(packet);
        }
    }
    kill(nursery.pid, SIGKILL);
    waitpid(nursery.pid, nullptr, 0);
}

}  // namespace ringside
