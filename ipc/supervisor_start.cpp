#include <array>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "process.hpp"
#include "supervisor_state.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/invariant.hpp"
#include "ringside/core/log.hpp"
#include "ringside/ipc/happenings.hpp"

namespace ringside {

// ---- children ----------------------------------------------------------------------------------

void Supervisor::become_child(const std::string& name) {
    instance_.forget();
    for (Front& front : fronts_) {
        front.channel = Channel{};
    }
    for (Nursery& nursery : nurseries_) {
        nursery.channel = Channel{};
    }
    operators_ = OperatorSocket{};
    game_log_ = GameLog{};
    close(std::exchange(signal_fd_, -1));
    close(std::exchange(epoll_fd_, -1));
    for (CompanionState& companion : companions_) {
        close(std::exchange(companion.stop_fd, -1));
    }
    // Handlers of the program around this host mean nothing in its children. A terminal's ctrl-C
    // goes to the whole process group; only the supervisor answers it.
    for (int signal = 1; signal < NSIG; ++signal) {
        std::signal(signal, SIG_DFL);  // refused for SIGKILL and SIGSTOP, which cannot have one
    }
    for (const int ignored : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
        std::signal(ignored, SIG_IGN);
    }
    sigprocmask(SIG_SETMASK, &signals_.before, nullptr);
    setpriority(PRIO_PROCESS, 0, *old_nice_);
    name_process(name);
    flight_recorder = FlightRecorder();
}

Result<void> Supervisor::fork_nursery(std::size_t type_index) {
    auto pair = Channel::make_pair(/*peer_blocks=*/true);
    if (!pair) {
        return std::unexpected(std::move(pair.error()));
    }
    const pid_t supervisor_pid = getpid();
    const pid_t pid = fork();
    if (pid < 0) {
        close(pair->second);
        return errno_failure("cannot fork a nursery");
    }
    if (pid == 0) {
        pair->first = Channel{};
        if (!options_.game_cpus.empty()) {
            run_on_cpus(options_.game_cpus);
        }
        game_log_.become_standard_error();
        become_child(fmt::format("nursery/{}", types_[type_index]->name()));
        host_ = HostSegment{};  // no game may write into the directory
        const int code = run_nursery({.socket = pair->second,
                                      .supervisor_pid = supervisor_pid,
                                      .runs_first = options_.realtime,
                                      .type = *types_[type_index],
                                      .doorbells = std::move(doorbells_),
                                      .wake_fds = wake_fds_});
        _exit(code);  // no destructor, no atexit: those are the supervisor's
    }
    close(pair->second);
    happened::fork(nursery_key(type_index), static_cast<std::uint64_t>(pid), 0);
    nurseries_[type_index] = {.channel = std::move(pair->first), .pid = pid};
    watch(nurseries_[type_index].channel.fd(), Source::nursery,
          static_cast<std::uint32_t>(type_index), false, EPOLL_CTL_ADD);
    return {};
}

// Before the new front can send anything.
std::uint32_t Supervisor::raise_front_epoch(std::uint32_t slot) {
    FrontSlotLine& line = host_.layout().front[slot];
    const std::uint32_t epoch = line.epoch.load(std::memory_order_relaxed) + 1;
    line.epoch.store(epoch, std::memory_order_relaxed);  // read by children forked after this
    games_->raise_front_epoch(slot, epoch);
    return epoch;
}

Result<void> Supervisor::fork_front(std::uint32_t slot) {
    auto pair = Channel::make_pair(/*peer_blocks=*/false);
    if (!pair) {
        return std::unexpected(std::move(pair.error()));
    }
    const std::uint32_t epoch = raise_front_epoch(slot);
    const pid_t supervisor_pid = getpid();
    const pid_t pid = fork();
    if (pid < 0) {
        close(pair->second);
        return errno_failure("cannot fork a front");
    }
    if (pid == 0) {
        pair->first = Channel{};
        become_child(fmt::format("front/{}", slot));
        int code = exit_code_orphaned;
        if (die_with(supervisor_pid)) {
            auto link = FrontLink::attach({.instance_path = instance_.path(),
                                           .slot = slot,
                                           .epoch = epoch,
                                           .control_fd = pair->second,
                                           .wake_fd = wake_fds_[slot]});
            if (!options_.front_cpus.empty()) {
                run_on_cpus(std::array{options_.front_cpus[slot % options_.front_cpus.size()]});
            }
            if (options_.realtime) {
                run_first();
            }
            const auto recording = FlightRecording::open(front_flight_path(instance_.path(), slot));
            if (link && recording) {
                code = front_main_(std::move(*link));
            } else {
                log(LogLevel::error, (link ? recording.error() : link.error()).text());
                code = exit_code_failed;
            }
        }
        std::fflush(nullptr);
        _exit(code);
    }
    close(pair->second);
    happened::fork(front_key(slot), static_cast<std::uint64_t>(pid), 0);
    fronts_[slot] = {.channel = std::move(pair->first), .pid = pid, .ready = false};
    host_.layout().front[slot].pid.store(pid, std::memory_order_relaxed);
    watch(fronts_[slot].channel.fd(), Source::front, slot, false, EPOLL_CTL_ADD);
    return {};
}

// It is not killed with the supervisor: what it is about to write it may write to the end.
Result<void> Supervisor::fork_companion(std::size_t index) {
    std::array<int, 2> stop{};
    if (pipe2(stop.data(), O_CLOEXEC) != 0) {
        return errno_failure("cannot make a pipe");
    }
    const pid_t pid = fork();
    if (pid < 0) {
        close(stop[0]);
        close(stop[1]);
        return errno_failure("cannot fork a companion of the host");
    }
    if (pid == 0) {
        close(stop[1]);
        become_child(options_.companions[index].name);
        const int code = options_.companions[index].run(stop[0]);
        std::fflush(nullptr);
        _exit(code);
    }
    close(stop[0]);
    companions_[index] = {.pid = pid, .stop_fd = stop[1]};
    return {};
}

// ---- start -------------------------------------------------------------------------------------

Result<void> Supervisor::block_signals() {
    sigset_t handled;
    sigemptyset(&handled);
    for (const int signal : {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGUSR2}) {
        sigaddset(&handled, signal);
    }
    signals_.saved = sigprocmask(SIG_BLOCK, &handled, &signals_.before) == 0;
    std::signal(SIGUSR2, SIG_DFL);  // the program before this one may have left it ignored
    signal_fd_ = signalfd(-1, &handled, SFD_NONBLOCK | SFD_CLOEXEC);
    epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
    if (signal_fd_ < 0 || epoll_fd_ < 0) {
        return errno_failure("cannot make the supervisor's descriptors");
    }
    watch(signal_fd_, Source::signals, 0, false, EPOLL_CTL_ADD);
    return {};
}

Result<void> Supervisor::make_wake_fds() {
    const std::size_t count =
        options_.fronts + (options_.external_front_fd >= 0 ? std::size_t{1} : 0);
    for (std::size_t slot = 0; options_.wake_by_eventfd && slot < count; ++slot) {
        wake_fds_[slot] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (wake_fds_[slot] < 0) {
            return errno_failure("cannot make an eventfd");
        }
    }
    return {};
}

Result<void> Supervisor::open_game_log() {
    auto opened = GameLog::open();
    if (!opened) {
        return std::unexpected(std::move(opened.error()));
    }
    game_log_ = std::move(*opened);
    watch(game_log_.fd(), Source::game_log, 0, false, EPOLL_CTL_ADD);
    return {};
}

Result<void> Supervisor::listen_to_operators() {
    auto listening = OperatorSocket::listen(instance_.path());
    if (!listening) {
        return std::unexpected(std::move(listening.error()));
    }
    operators_ = std::move(*listening);
    watch(operators_.fd(), Source::operators, 0, false, EPOLL_CTL_ADD);
    return {};
}

void Supervisor::watch(int fd, Source source, std::uint32_t index, bool writable, int operation) {
    epoll_event event{};
    event.events = EPOLLIN | (writable ? EPOLLOUT : 0u);
    event.data.u64 = static_cast<std::uint64_t>(source) << 32 | index;
    invariant(epoll_ctl(epoll_fd_, operation, fd, &event) == 0, "epoll_ctl fails only on a bug");
}

void Supervisor::attach_external_front() {
    const auto slot = static_cast<std::uint32_t>(fronts_.size());
    fronts_.push_back({.channel = Channel(options_.external_front_fd), .pid = 0, .ready = false});
    watch(options_.external_front_fd, Source::front, slot, false, EPOLL_CTL_ADD);
    // Says that the instance can be attached to, and with which epoch.
    send_to_front(slot, {.kind = ControlKind::ready, .front_epoch = raise_front_epoch(slot)});
}

void Supervisor::adopt_left_games() {
    if (!left_games_.empty()) {
        log(LogLevel::notice,
            fmt::format("restoring {} games of the host before this one", left_games_.size()));
    }
    for (LeftGame& game : left_games_) {
        games_->adopt(std::move(game));
    }
    left_games_.clear();
}

Result<void> Supervisor::start_flight_recorders() {
    for (std::uint32_t slot = 0; slot < options_.fronts; ++slot) {
        if (auto made = FlightRecording::create(front_flight_path(instance_.path(), slot)); !made) {
            return made;
        }
    }
    const std::string own = supervisor_flight_path(instance_.path());
    if (auto made = FlightRecording::create(own); !made) {
        return made;
    }
    auto recording = FlightRecording::open(own);
    if (!recording) {
        return std::unexpected(std::move(recording.error()));
    }
    recording_.emplace(std::move(*recording));
    return {};
}

// Before its games: with thousands of them wanting more than the machine has, an equal share of it
// would not even be enough to stop them. Refused without CAP_SYS_NICE, and then that is so.
void Supervisor::go_first() {
    old_nice_ = getpriority(PRIO_PROCESS, 0);
    setpriority(PRIO_PROCESS, 0, -20);
}

// Nurseries are forked first, while this process is as small as it ever is.
Result<void> Supervisor::start() {
    if (auto blocked = block_signals(); !blocked) {
        return blocked;
    }
    if (auto made = make_wake_fds(); !made) {
        return made;
    }
    if (auto opened = open_game_log(); !opened) {
        return opened;
    }
    if (auto started = start_flight_recorders(); !started) {
        return started;
    }
    auto statistics =
        HostStatistics::open({.instance_path = instance_.path(), .kind = StatisticsKind::host});
    if (!statistics) {
        return std::unexpected(std::move(statistics.error()));
    }
    statistics_ = std::move(*statistics);
    go_first();
    nurseries_.resize(types_.size());
    for (std::size_t type_index = 0; type_index < types_.size(); ++type_index) {
        if (auto forked = fork_nursery(type_index); !forked) {
            return forked;
        }
    }
    games_ = std::make_unique<GameTable>(
        options_, instance_.path(), host_, statistics_, types_,
        GameTable::Hooks{
            .request_fork = [this](std::size_t type_index,
                                   GameId game) { request_fork(type_index, game); },
            .announce_failure = [this](GameId game,
                                       const std::string& text) { announce_failure(game, text); },
            .dump_flight = [this](const std::string& why) { dumps_.dump(why); },
        });
    adopt_left_games();
    if (auto listening = listen_to_operators(); !listening) {
        return listening;
    }
    fronts_.resize(options_.fronts);
    for (std::uint32_t slot = 0; slot < options_.fronts; ++slot) {
        if (auto forked = fork_front(slot); !forked) {
            return forked;
        }
    }
    companions_.resize(options_.companions.size());
    for (std::size_t index = 0; index < companions_.size(); ++index) {
        if (auto forked = fork_companion(index); !forked) {
            return forked;
        }
    }
    if (options_.external_front_fd >= 0) {
        attach_external_front();
    }
    return {};
}

Supervisor::~Supervisor() {
    if (old_nice_) {
        setpriority(PRIO_PROCESS, 0, *old_nice_);
    }
    for (const int fd : wake_fds_) {
        if (fd >= 0) {
            close(fd);
        }
    }
    if (signal_fd_ >= 0) {
        close(signal_fd_);
    }
    if (epoll_fd_ >= 0) {
        close(epoll_fd_);
    }
}

namespace {

Result<void> validate(const HostOptions& options) {
    if (options.games_max < 1 || options.games_max > games_max_limit) {
        return failure(
            std::errc::invalid_argument,
            fmt::format("games_max {} is outside 1 to {}", options.games_max, games_max_limit));
    }
    if (options.fronts + (options.external_front_fd >= 0 ? 1u : 0u) > front_slots_max) {
        return failure(std::errc::invalid_argument,
                       fmt::format("{} fronts are more than {}", options.fronts, front_slots_max));
    }
    return {};
}

struct HostEnd {
    int exit_code = 0;
    int lock_fd = -1;  // not -1: its successor is to go on
};

Result<HostEnd> host_once(const HostOptions& options, std::span<const GameType* const> types,
                          const FrontMain& front_main, const std::function<void()>& on_ready) {
    invariant(!types.empty(), "a host has at least one game type");
    if (auto valid = validate(options); !valid) {
        return std::unexpected(std::move(valid.error()));
    }
    auto instance = Instance::claim(options.root, options.instance, options.lock_fd);
    if (!instance) {
        return std::unexpected(std::move(instance.error()));
    }
    if (options.fresh) {
        instance->remove_all();
    }
    auto left = take_over(*instance, options.games_max, types);
    if (!left) {
        return std::unexpected(std::move(left.error()));
    }
    instance->remove_all_but_games();
    auto host = HostSegment::create(host_segment_path(instance->path()), options.games_max);
    if (!host) {
        return std::unexpected(std::move(host.error()));
    }
    for (std::uint32_t slot = 0; slot < front_slots_max; ++slot) {
        host->layout().front[slot].epoch.store(left->front_epochs[slot],
                                               std::memory_order_relaxed);  // nobody reads it yet
    }
    for (const auto& [address, until_ns] : left->bans) {
        static_cast<void>(ban(host->layout(), address, until_ns, monotonic_ns()));  // all fit
    }
    auto doorbells =
        DoorbellSegment::create(doorbell_segment_path(instance->path()), options.games_max);
    if (!doorbells) {
        return std::unexpected(std::move(doorbells.error()));
    }
    Supervisor supervisor(options, types, front_main, on_ready, std::move(*instance),
                          std::move(*host), std::move(*doorbells), std::move(left->games));
    auto code = supervisor.host();
    if (!code) {
        return std::unexpected(std::move(code.error()));
    }
    return HostEnd{.exit_code = *code,
                   .lock_fd = supervisor.is_to_be_replaced() ? supervisor.release_instance() : -1};
}

}  // namespace

Result<int> run_host(const HostOptions& options, std::span<const GameType* const> types,
                     const FrontMain& front_main, const std::function<void()>& on_ready) {
    HostOptions current = options;
    for (;;) {
        const auto ended = host_once(current, types, front_main, on_ready);
        if (!ended) {
            return std::unexpected(ended.error());
        }
        if (ended->lock_fd < 0) {
            return ended->exit_code;
        }
        options.successor.replace(ended->lock_fd);
        current.lock_fd = ended->lock_fd;
        current.fresh = false;
    }
}

Result<std::size_t> check_instance(const HostOptions& options,
                                   std::span<const GameType* const> types) {
    if (auto valid = validate(options); !valid) {
        return std::unexpected(std::move(valid.error()));
    }
    return check_take_over(instance_path(options.root, options.instance), options.games_max, types);
}

}  // namespace ringside
