#include "ringside/ipc/supervisor.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.hpp"
#include "game_table.hpp"
#include "instance.hpp"
#include "nursery.hpp"
#include "process.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/invariant.hpp"

namespace ringside {
namespace {

constexpr std::int64_t stop_grace_ns = 3'000'000'000;     // for fronts to tell their clients
constexpr std::int64_t nursery_grace_ns = 1'000'000'000;  // to fork what it has been asked for

// What an epoll event belongs to.
enum class Source : std::uint32_t { signals = 0, front = 1, nursery = 2 };

struct Front {
    Channel channel;
    pid_t pid = 0;  // 0: not forked by us (an external front), or gone
    bool ready = false;
};

struct Nursery {
    Channel channel;
    pid_t pid = 0;
};

class Supervisor {
public:
    Supervisor(const HostOptions& options, std::span<const GameType* const> types,
               const FrontMain& front_main, const std::function<void()>& on_ready,
               Instance instance, HostSegment host, DoorbellSegment doorbells)
        : options_(options),
          types_(types),
          front_main_(front_main),
          on_ready_(on_ready),
          instance_(std::move(instance)),
          host_(std::move(host)),
          doorbells_(std::move(doorbells)) {
        wake_fds_.fill(-1);
    }
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;
    ~Supervisor();

    /// The whole life: an Error if it could not start, else the exit code.
    Result<int> host();

private:
    Result<void> start();
    int run();
    Result<void> block_signals();
    Result<void> make_wake_fds();
    Result<void> fork_nursery(std::size_t type_index);
    Result<void> fork_front(std::uint32_t slot);
    void attach_external_front();
    void watch(int fd, Source source, std::uint32_t index, bool writable, int operation);

    void on_event(const epoll_event& event);
    void on_signal();
    void reap();
    void on_front_packet(std::uint32_t slot, const ControlPacket& packet);
    void on_front_exit(std::uint32_t slot, int wait_status);
    void on_nursery_exit(std::size_t type_index);
    void on_ready();
    void send_to_front(std::uint32_t slot, const ControlPacket& packet);
    void request_fork(std::size_t type_index, GameId game);
    void announce_failure(GameId game, const std::string& text);
    void begin_stop();
    void kill_and_reap_all();
    void end_nursery(Nursery& nursery);
    [[nodiscard]] bool fronts_have_gone() const;

    // In a forked child: lets go of everything that is the supervisor's.
    void become_child(const std::string& name);

    HostOptions options_;
    std::span<const GameType* const> types_;
    const FrontMain& front_main_;
    const std::function<void()>& on_ready_;
    Instance instance_;
    HostSegment host_;
    DoorbellSegment doorbells_;
    WakeFds wake_fds_;
    sigset_t old_signals_{};
    int signal_fd_ = -1;
    int epoll_fd_ = -1;
    std::vector<Front> fronts_;       // by slot; the external one last
    std::vector<Nursery> nurseries_;  // by type
    std::unique_ptr<GameTable> games_;
    bool announced_ = false;
    std::optional<std::int64_t> stop_deadline_ns_;  // set: stopping
    bool stop_now_ = false;
    int exit_code_ = 0;
};

Result<int> Supervisor::host() {
    if (auto started = start(); !started) {
        kill_and_reap_all();
        return std::unexpected(std::move(started.error()));
    }
    const int code = run();
    kill_and_reap_all();
    return code;
}

// ---- the loop ----------------------------------------------------------------------------------

// Requests first come, first served; deaths are noticed by the signalfd among them. When stopping,
// the loop goes on until the fronts have told their clients, for a bounded time.
int Supervisor::run() {
    std::array<epoll_event, 64> events;
    while (!stop_now_) {
        int timeout_ms = -1;
        if (stop_deadline_ns_) {
            const std::int64_t left_ns = *stop_deadline_ns_ - monotonic_ns();
            if (left_ns <= 0 || fronts_have_gone()) {
                break;
            }
            timeout_ms = static_cast<int>(left_ns / 1'000'000) + 1;
        }
        const int count = epoll_wait(epoll_fd_, events.data(), events.size(), timeout_ms);
        invariant(count >= 0 || errno == EINTR, "epoll_wait fails only on a bug");
        for (int i = 0; i < count; ++i) {
            on_event(events[static_cast<std::size_t>(i)]);
        }
    }
    return exit_code_;
}

void Supervisor::on_event(const epoll_event& event) {
    const auto source = static_cast<Source>(event.data.u64 >> 32);
    const auto index = static_cast<std::uint32_t>(event.data.u64);
    if (source == Source::signals) {
        return on_signal();
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
        begin_stop();  // an external front has gone, and this host was only for it
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
            } else {
                games_->open(answer);
            }
            return send_to_front(slot, answer);
        }
        case ControlKind::sweep:
            games_->sweep();
            return send_to_front(slot, {.kind = ControlKind::swept});
        case ControlKind::ready: fronts_[slot].ready = true; return on_ready();
        default: return;  // nothing else comes from a front
    }
}

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
        } else if (stop_deadline_ns_) {
            stop_now_ = true;
            exit_code_ = 1;
        } else {
            begin_stop();
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
        if (front != fronts_.end()) {
            on_front_exit(static_cast<std::uint32_t>(front - fronts_.begin()), status);
        } else if (nursery != nurseries_.end()) {
            on_nursery_exit(static_cast<std::size_t>(nursery - nurseries_.begin()));
        } else {
            games_->on_exit(pid, status);
        }
    }
}

void Supervisor::on_front_exit(std::uint32_t slot, int wait_status) {
    Front& front = fronts_[slot];
    front.pid = 0;
    front.channel = Channel{};
    host_.layout().front[slot].pid.store(0, std::memory_order_relaxed);
    if (stop_deadline_ns_) {
        return;
    }
    if (!front.ready) {  // it cannot work here: trying again would fail again
        std::fprintf(stderr, "ringside: front %u could not start; stopping\n", slot);
        exit_code_ =
            WIFEXITED(wait_status) && WEXITSTATUS(wait_status) != 0 ? WEXITSTATUS(wait_status) : 1;
        return begin_stop();
    }
    std::fprintf(stderr, "ringside: front %u died; starting another\n", slot);
    if (auto forked = fork_front(slot); !forked) {
        std::fprintf(stderr, "ringside: %s; stopping\n", forked.error().text().c_str());
        exit_code_ = 1;
        return begin_stop();
    }
}

void Supervisor::on_nursery_exit(std::size_t type_index) {
    nurseries_[type_index].pid = 0;
    if (stop_deadline_ns_) {
        return;
    }
    std::fprintf(stderr, "ringside: the nursery of %s died; starting another\n",
                 std::string(types_[type_index]->name()).c_str());
    if (auto forked = fork_nursery(type_index); !forked) {
        std::fprintf(stderr, "ringside: %s; stopping\n", forked.error().text().c_str());
        exit_code_ = 1;
        return begin_stop();
    }
    games_->on_nursery_death(type_index);
}

// ---- stopping ----------------------------------------------------------------------------------

void Supervisor::begin_stop() {
    if (stop_deadline_ns_) {
        return;
    }
    stop_deadline_ns_ = monotonic_ns() + stop_grace_ns;
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

// ---- children ----------------------------------------------------------------------------------

void Supervisor::become_child(const std::string& name) {
    instance_.forget();
    for (Front& front : fronts_) {
        front.channel = Channel{};
    }
    for (Nursery& nursery : nurseries_) {
        nursery.channel = Channel{};
    }
    close(std::exchange(signal_fd_, -1));
    close(std::exchange(epoll_fd_, -1));
    // Handlers of the program around this host mean nothing in its children. A terminal's ctrl-C
    // goes to the whole process group; only the supervisor answers it.
    for (int signal = 1; signal < NSIG; ++signal) {
        std::signal(signal, SIG_DFL);  // refused for SIGKILL and SIGSTOP, which cannot have one
    }
    for (const int ignored : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
        std::signal(ignored, SIG_IGN);
    }
    sigprocmask(SIG_SETMASK, &old_signals_, nullptr);
    name_process(name);
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
        become_child(fmt::format("nursery/{}", types_[type_index]->name()));
        int code = exit_code_orphaned;
        if (die_with(supervisor_pid)) {
            code = run_nursery({.socket = pair->second,
                                .supervisor_pid = supervisor_pid,
                                .type = *types_[type_index],
                                .doorbells = std::move(doorbells_),
                                .wake_fds = wake_fds_});
        }
        _exit(code);  // no destructor, no atexit: those are the supervisor's
    }
    close(pair->second);
    nurseries_[type_index] = {.channel = std::move(pair->first), .pid = pid};
    watch(nurseries_[type_index].channel.fd(), Source::nursery,
          static_cast<std::uint32_t>(type_index), false, EPOLL_CTL_ADD);
    return {};
}

Result<void> Supervisor::fork_front(std::uint32_t slot) {
    auto pair = Channel::make_pair(/*peer_blocks=*/false);
    if (!pair) {
        return std::unexpected(std::move(pair.error()));
    }
    FrontSlotLine& line = host_.layout().front[slot];
    const std::uint32_t epoch = line.epoch.load(std::memory_order_relaxed) + 1;
    line.epoch.store(epoch, std::memory_order_relaxed);  // read by children forked after this
    games_->raise_front_epoch(slot, epoch);              // before the new front can send anything
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
            if (link) {
                code = front_main_(std::move(*link));
            } else {
                std::fprintf(stderr, "ringside: %s\n", link.error().text().c_str());
                code = exit_code_failed;
            }
        }
        std::fflush(nullptr);
        _exit(code);
    }
    close(pair->second);
    fronts_[slot] = {.channel = std::move(pair->first), .pid = pid, .ready = false};
    line.pid.store(pid, std::memory_order_relaxed);
    watch(fronts_[slot].channel.fd(), Source::front, slot, false, EPOLL_CTL_ADD);
    return {};
}

// ---- start -------------------------------------------------------------------------------------

Result<void> Supervisor::block_signals() {
    sigset_t handled;
    sigemptyset(&handled);
    for (const int signal : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) {
        sigaddset(&handled, signal);
    }
    sigprocmask(SIG_BLOCK, &handled, &old_signals_);
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

void Supervisor::watch(int fd, Source source, std::uint32_t index, bool writable, int operation) {
    epoll_event event{};
    event.events = EPOLLIN | (writable ? EPOLLOUT : 0u);
    event.data.u64 = static_cast<std::uint64_t>(source) << 32 | index;
    invariant(epoll_ctl(epoll_fd_, operation, fd, &event) == 0, "epoll_ctl fails only on a bug");
}

void Supervisor::attach_external_front() {
    const auto slot = static_cast<std::uint32_t>(fronts_.size());
    host_.layout().front[slot].epoch.store(1, std::memory_order_relaxed);
    fronts_.push_back({.channel = Channel(options_.external_front_fd), .pid = 0, .ready = false});
    watch(options_.external_front_fd, Source::front, slot, false, EPOLL_CTL_ADD);
    // Says that the instance can be attached to.
    send_to_front(slot, {.kind = ControlKind::ready});
}

// Nurseries are forked first, while this process is as small as it ever is.
Result<void> Supervisor::start() {
    if (auto blocked = block_signals(); !blocked) {
        return blocked;
    }
    if (auto made = make_wake_fds(); !made) {
        return made;
    }
    nurseries_.resize(types_.size());
    for (std::size_t type_index = 0; type_index < types_.size(); ++type_index) {
        if (auto forked = fork_nursery(type_index); !forked) {
            return forked;
        }
    }
    games_ = std::make_unique<GameTable>(
        options_, instance_.path(), host_, types_,
        GameTable::Hooks{
            .request_fork = [this](std::size_t type_index,
                                   GameId game) { request_fork(type_index, game); },
            .announce_failure = [this](GameId game,
                                       const std::string& text) { announce_failure(game, text); },
        });
    fronts_.resize(options_.fronts);
    for (std::uint32_t slot = 0; slot < options_.fronts; ++slot) {
        if (auto forked = fork_front(slot); !forked) {
            return forked;
        }
    }
    if (options_.external_front_fd >= 0) {
        attach_external_front();
    }
    return {};
}

Supervisor::~Supervisor() {
    for (const int fd : wake_fds_) {
        if (fd >= 0) {
            close(fd);
        }
    }
    if (signal_fd_ >= 0) {
        close(signal_fd_);
        sigprocmask(SIG_SETMASK, &old_signals_, nullptr);
    }
    if (epoll_fd_ >= 0) {
        close(epoll_fd_);
    }
}

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

}  // namespace

Result<int> run_host(const HostOptions& options, std::span<const GameType* const> types,
                     const FrontMain& front_main, const std::function<void()>& on_ready) {
    invariant(!types.empty(), "a host has at least one game type");
    if (auto valid = validate(options); !valid) {
        return std::unexpected(std::move(valid.error()));
    }
    auto instance = Instance::claim(options.root, options.instance);
    if (!instance) {
        return std::unexpected(std::move(instance.error()));
    }
    auto host = HostSegment::create(host_segment_path(instance->path()), options.games_max);
    if (!host) {
        return std::unexpected(std::move(host.error()));
    }
    auto doorbells =
        DoorbellSegment::create(doorbell_segment_path(instance->path()), options.games_max);
    if (!doorbells) {
        return std::unexpected(std::move(doorbells.error()));
    }
    Supervisor supervisor(options, types, front_main, on_ready, std::move(*instance),
                          std::move(*host), std::move(*doorbells));
    return supervisor.host();
}

}  // namespace ringside
