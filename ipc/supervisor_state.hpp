#pragma once
// Supervisor: the state behind run_host(). supervisor.cpp has its loop and what it does about
// events, deaths and stopping; supervisor_start.cpp how it starts and what it forks.

#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sys/epoll.h>
#include <sys/types.h>

#include "channel.hpp"
#include "flight_dumps.hpp"
#include "game_log.hpp"
#include "game_table.hpp"
#include "instance.hpp"
#include "nursery.hpp"
#include "operator_socket.hpp"
#include "watchdog.hpp"

#include "ringside/core/token_bucket.hpp"
#include "ringside/ipc/statistics.hpp"
#include "ringside/ipc/supervisor.hpp"

namespace ringside {

// What an epoll event belongs to.
enum class Source : std::uint32_t {
    signals = 0,
    front = 1,
    nursery = 2,
    operators = 3,
    game_log = 4
};

struct Front {
    Channel channel;
    pid_t pid = 0;  // 0: not forked by us (an external front), or gone
    bool ready = false;
    bool wanted = false;  // died, and is to be forked again
    std::uint64_t turn_answered = 0;
    Watchdog watchdog{};
};

struct Nursery {
    Channel channel;
    pid_t pid = 0;
    bool wanted = false;  // as a front
    Watchdog watchdog{};
};

/// One of HostOptions::companions.
struct CompanionState {
    pid_t pid = 0;
    int stop_fd = -1;  // it ends when this is closed everywhere
    bool wanted = false;
};

/// The signals a program had blocked before this host; they are again when it is gone.
struct SignalMask {
    SignalMask() = default;
    SignalMask(const SignalMask&) = delete;
    SignalMask& operator=(const SignalMask&) = delete;
    ~SignalMask() {
        if (saved) {
            sigprocmask(SIG_SETMASK, &before, nullptr);
        }
    }
    sigset_t before{};
    bool saved = false;
};

class Supervisor {
public:
    Supervisor(const HostOptions& options, std::span<const GameType* const> types,
               const FrontMain& front_main, const std::function<void()>& on_ready,
               Instance instance, HostSegment host, DoorbellSegment doorbells,
               std::vector<LeftGame> left_games)
        : options_(options),
          types_(types),
          front_main_(front_main),
          on_ready_(on_ready),
          instance_(std::move(instance)),
          host_(std::move(host)),
          doorbells_(std::move(doorbells)),
          dumps_(options.root, options.instance, options.flight_folder),
          left_games_(std::move(left_games)) {
        wake_fds_.fill(-1);
    }
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;
    ~Supervisor();

    /// The whole life: an Error if it could not start, else the exit code.
    Result<int> host();

    /// After host(): its successor is to go on. Then release_instance() is its lock.
    [[nodiscard]] bool is_to_be_replaced() const noexcept { return to_be_replaced_; }
    [[nodiscard]] int release_instance() noexcept { return instance_.release(); }

private:
    Result<void> start();
    int run();
    [[nodiscard]] std::int64_t next_deadline_ns() const;
    Result<void> block_signals();
    Result<void> make_wake_fds();
    Result<void> open_game_log();
    Result<void> listen_to_operators();
    Result<void> start_flight_recorders();
    void go_first();
    Result<void> fork_nursery(std::size_t type_index);
    Result<void> fork_front(std::uint32_t slot);
    Result<void> fork_companion(std::size_t index);
    void attach_external_front();
    void adopt_left_games();
    [[nodiscard]] std::uint32_t raise_front_epoch(std::uint32_t slot);
    void watch(int fd, Source source, std::uint32_t index, bool writable, int operation);

    void on_event(const epoll_event& event);
    void on_signal();
    void reap();
    void print_game_log();
    void answer_operator(ControlPacket& packet);
    void end_if_drained();
    Result<void> upgrade();
    Result<std::string> kick(SessionId session);
    Result<std::string> ban_address(std::uint64_t address, std::uint32_t seconds);
    void on_front_packet(std::uint32_t slot, const ControlPacket& packet);
    void on_front_exit(std::uint32_t slot, int wait_status);
    void on_nursery_exit(std::size_t type_index, int wait_status);
    void on_companion_exit(std::size_t index);
    void restart_children();
    [[nodiscard]] bool may_restart();
    void on_ready();
    void send_to_front(std::uint32_t slot, const ControlPacket& packet);
    void request_fork(std::size_t type_index, GameId game);
    void announce_failure(GameId game, const std::string& text);
    void watch_over();
    void ask_for_signs_of_life(std::int64_t now_ns);
    void end_games_and_stop();
    void begin_stop();
    void kill_and_reap_all();
    void end_nursery(Nursery& nursery);
    void end_companion(CompanionState& companion);
    [[nodiscard]] bool fronts_have_gone() const;

    // In a forked child: lets go of everything that is the supervisor's.
    void become_child(const std::string& name);

    // First, so that it goes last: a second order to stop must not end this process before the
    // instance is removed.
    SignalMask signals_;
    HostOptions options_;
    std::span<const GameType* const> types_;
    const FrontMain& front_main_;
    const std::function<void()>& on_ready_;
    Instance instance_;
    HostSegment host_;
    DoorbellSegment doorbells_;
    HostStatistics statistics_;
    WakeFds wake_fds_;
    std::optional<int> old_nice_;  // what children go back to, and this process in the end
    int signal_fd_ = -1;
    int epoll_fd_ = -1;
    OperatorSocket operators_;
    std::optional<FlightRecording> recording_;  // this process's
    GameLog game_log_;
    bool game_log_paused_ = false;            // until watch_over() comes by again
    std::vector<Front> fronts_;               // by slot; the external one last
    std::vector<Nursery> nurseries_;          // by type
    std::vector<CompanionState> companions_;  // as in the options
    TokenBucket restarts_;                    // of fronts, nurseries and companions
    bool told_of_restarts_ = false;           // that they wait
    FlightDumps dumps_;
    std::unique_ptr<GameTable> games_;
    std::vector<LeftGame> left_games_;  // until they are adopted
    bool announced_ = false;
    bool draining_ = false;   // no new games; it ends with the last one
    bool games_end_ = false;  // it was told to stop: no later host shall find them
    std::optional<std::int64_t> stop_deadline_ns_;  // set: stopping
    bool stop_now_ = false;
    bool to_be_replaced_ = false;
    std::int64_t next_watch_ns_ = 0;
    std::uint64_t turn_asked_ = 1;  // of every front; each says which one it answered last
    std::int64_t next_turn_ns_ = 0;
    int exit_code_ = 0;
};

}  // namespace ringside
