#include "game_table.hpp"

#include <algorithm>
#include <bit>
#include <csignal>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "instance.hpp"
#include "process.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/game_name.hpp"
#include "ringside/core/invariant.hpp"
#include "ringside/core/log.hpp"
#include "ringside/core/ticker.hpp"
#include "ringside/ipc/event_ring.hpp"
#include "ringside/ipc/happenings.hpp"

namespace ringside {
namespace {

// At the third death in a row without a new snapshot the event being applied is skipped; a fourth
// shows that this did not help.
constexpr std::uint32_t deaths_before_skip = 3;
constexpr std::uint32_t kills_before_end = 30;

// A parked game publishes nothing: a process that has lived this long counts as progress too, or
// deaths hours apart would add up.
constexpr std::int64_t steady_after_ns = 10'000'000'000;

// What one mishap of the whole machine may kill is restored at once.
constexpr std::uint32_t restore_burst_s = 20;
constexpr std::int64_t fork_again_after_ns = 100'000'000;

TokenRate restore_rate_of(const HostOptions& options) {
    const std::uint32_t per_second =
        options.restores_per_second != 0 ? options.restores_per_second : games_max_limit;
    return {.per_second = per_second, .burst = per_second * restore_burst_s};
}

std::uint64_t random_seed() {
    std::uint64_t seed = 0;
    if (getrandom(&seed, sizeof(seed), 0) != static_cast<ssize_t>(sizeof(seed))) {
        seed = static_cast<std::uint64_t>(monotonic_ns());  // not a secret, only different
    }
    return seed;
}

std::string describe_exit(int wait_status) {
    if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGSYS) {
        return "killed by its sandbox: it made a system call that games may not make, or aborted";
    }
    if (WIFSIGNALED(wait_status)) {
        return fmt::format("killed by signal {} ({})", WTERMSIG(wait_status),
                           strsignal(WTERMSIG(wait_status)));
    }
    return fmt::format("exited with code {}", WEXITSTATUS(wait_status));
}

Result<GameShape> shape_of(const GameType& type, Bytes config) noexcept {
    try {
        return type.shape(config);
    } catch (const std::exception& thrown) {  // a game type is not ours
        return failure(std::errc::invalid_argument, thrown.what());
    }
}

GameId id_of(const ControlPacket& packet) {
    return {packet.game_slot, packet.game_epoch};
}

}  // namespace

GameTable::GameTable(const HostOptions& options, std::string instance_path, HostSegment& host,
                     HostStatistics& statistics, std::span<const GameType* const> types,
                     Hooks hooks)
    : options_(options),
      instance_path_(std::move(instance_path)),
      host_(host),
      statistics_(statistics),
      types_(types),
      hooks_(std::move(hooks)),
      entries_(options.games_max),
      free_spin_cpus_(options.spin_cpus.rbegin(), options.spin_cpus.rend()),
      restore_rate_(restore_rate_of(options)) {
    for (std::uint32_t slot = options.games_max; slot > 0; --slot) {
        free_slots_.push_back(slot - 1);  // taken from the back: low slots first
    }
}

// ---- opening -----------------------------------------------------------------------------------

void GameTable::refuse(ControlPacket& packet, RefuseReason reason, std::string_view text) {
    statistics_.add(refused_for(reason));
    packet.reason = static_cast<std::uint32_t>(reason);
    copy_text(packet.text, sizeof(packet.text), text);
}

std::optional<std::size_t> GameTable::find_type(std::string_view name) const {
    if (name.empty()) {
        return 0;
    }
    for (std::size_t i = 0; i < types_.size(); ++i) {
        if (types_[i]->name() == name) {
            return i;
        }
    }
    return std::nullopt;
}

void GameTable::open(ControlPacket& packet, bool may_create) {
    const GameId asked = id_of(packet);
    const bool knows_ended = packet.known_ended != 0;
    packet.kind = ControlKind::opened;
    packet.reason = static_cast<std::uint32_t>(RefuseReason::none);
    packet.created = 0;
    if (!is_game_name(packet.name)) {
        return refuse(packet, RefuseReason::bad_name, game_name_rule);
    }
    auto found = slot_by_name_.find(packet.name);
    if (found != slot_by_name_.end() && knows_ended && asked.slot == found->second &&
        asked.epoch == entries_[found->second].record.epoch) {
        forget_name(found->second);  // its process still goes; the name is free already
        found = slot_by_name_.end();
    }
    const auto mode = static_cast<OpenMode>(packet.mode);
    if (found == slot_by_name_.end()) {
        if (mode == OpenMode::find) {
            return refuse(packet, RefuseReason::no_such_game,
                          fmt::format("no game is named '{}'", packet.name));
        }
        if (!may_create) {
            return refuse(packet, RefuseReason::stopping,
                          "this host is being drained: its games go on, new ones are refused");
        }
        return create(packet);
    }
    const Entry& entry = entries_[found->second];
    if (mode == OpenMode::create) {
        return refuse(packet, RefuseReason::name_taken,
                      fmt::format("a game named '{}' exists already", packet.name));
    }
    if (packet.type[0] != 0 && std::strcmp(packet.type, entry.record.type) != 0) {
        return refuse(packet, RefuseReason::name_taken,
                      fmt::format("the game '{}' is a {}, not a {}", packet.name, entry.record.type,
                                  packet.type));
    }
    const PasswordKey& password = entry.segment.plan().password;
    if (packet.resuming == 0 && !is_same(packet.password, password)) {
        return refuse(
            packet, RefuseReason::wrong_password,
            password == PasswordKey{}
                ? fmt::format("the game '{}' exists already and has no password", packet.name)
                : fmt::format("the game '{}' needs its password", packet.name));
    }
    packet.game_slot = found->second;
    packet.game_epoch = entry.record.epoch;
}

void GameTable::create(ControlPacket& packet) {
    const auto type_index = find_type(packet.type);
    if (!type_index) {
        return refuse(packet, RefuseReason::unknown_type,
                      fmt::format("this host has no game type '{}'", packet.type));
    }
    const Bytes config =
        Bytes(packet.config)
            .first(std::min<std::size_t>(packet.config_bytes, sizeof(packet.config)));
    const auto shape = shape_of(*types_[*type_index], config);
    if (!shape) {
        return refuse(packet, RefuseReason::bad_parameters, shape.error().message);
    }
    const auto id = make_game(packet, *type_index, *shape);
    if (!id) {
        statistics_.note_error(id.error().text());
        return refuse(packet, RefuseReason::no_room, id.error().text());
    }
    statistics_.add(HostStatistic::games_created);
    packet.game_slot = id->slot;
    packet.game_epoch = id->epoch;
    packet.created = 1;
    log(LogLevel::info,
        fmt::format("game '{}' ({}) made", packet.name, types_[*type_index]->name()));
}

Result<GameId> GameTable::make_game(const ControlPacket& packet, std::size_t type_index,
                                    const GameShape& shape) {
    if (free_slots_.empty()) {
        return failure(std::errc::no_buffer_space,
                       fmt::format("all {} games of this host are in use; wait for one to end, or "
                                   "raise --games-max",
                                   options_.games_max));
    }
    const std::uint32_t per_creator_max = options_.games_per_creator_max;
    const auto created = games_of_.find(packet.creator);
    if (created != games_of_.end() && per_creator_max != 0 && created->second >= per_creator_max) {
        return failure(std::errc::resource_unavailable_try_again,
                       fmt::format("one address may have made {} of the games here at a time; wait "
                                   "for one to end, or join one",
                                   per_creator_max));
    }
    const std::uint32_t slot = free_slots_.back();
    Entry& entry = entries_[slot];
    const GameId id{slot, entry.record.epoch + 1};

    GameSegmentPlan wanted{};
    wanted.slot = slot;
    wanted.epoch = id.epoch;
    wanted.seed = random_seed();
    wanted.tick_ns = shape.tick.count();
    wanted.phase_ns = staggered_phase_ns(slot, shape.tick.count());
    wanted.idle_timeout_ns = options_.idle_timeout.count();
    wanted.resume_grace_ns = options_.resume_grace.count();
    wanted.pacing = static_cast<std::uint32_t>(options_.pacing);
    wanted.seats = shape.seats;
    wanted.state_bytes_max = shape.state_bytes_max;
    wanted.view_bytes_max = shape.view_bytes_max;
    wanted.delta_bytes_max = shape.delta_bytes_max;
    wanted.event_ring_bytes = shape.event_ring_bytes;
    wanted.reactive = shape.reactive ? 1 : 0;
    wanted.cpu = shape.reactive && !free_spin_cpus_.empty() ? free_spin_cpus_.back() : -1;
    wanted.spins = wanted.cpu >= 0 ? 1 : 0;
    wanted.realtime = shape.reactive && options_.realtime ? 1 : 0;
    wanted.unlisted = packet.unlisted;
    wanted.creator = packet.creator;
    wanted.password = packet.password;
    wanted.config_bytes = packet.config_bytes;
    copy_text(wanted.name, sizeof(wanted.name), packet.name);
    copy_text(wanted.type, sizeof(wanted.type), types_[type_index]->name());
    std::memcpy(wanted.config, packet.config, sizeof(wanted.config));
    const auto plan = GameSegment::lay_out(wanted);
    if (!plan) {
        return std::unexpected(plan.error());
    }
    auto segment = GameSegment::create(game_segment_path(instance_path_, id), *plan);
    if (!segment) {
        return std::unexpected(std::move(segment.error()));
    }
    free_slots_.pop_back();
    if (wanted.cpu >= 0) {
        free_spin_cpus_.pop_back();
    }
    take_segment(std::move(*segment), type_index, shape);
    entry.record.created_ns = monotonic_ns();
    slot_by_name_.emplace(packet.name, slot);
    happened::game_open(game_key(id), packet.creator, shape.seats);
    start_process(slot);
    return id;
}

void GameTable::adopt(LeftGame game) {
    const GameSegmentPlan plan = game.segment.plan();
    const auto type_index = find_type(plan.type);
    invariant(type_index.has_value(), "take_over leaves games of unknown types alone");
    const auto shape = shape_of(*types_[*type_index], Bytes(plan.config).first(plan.config_bytes));
    std::erase(free_slots_, plan.slot);
    std::erase(free_spin_cpus_, plan.cpu);
    take_segment(std::move(game.segment), *type_index, shape.value_or(GameShape{}));
    Entry& entry = entries_[plan.slot];
    entry.record.created_ns = game.created_ns != 0 ? game.created_ns : monotonic_ns();
    entry.record.restarts = game.restarts + 1;
    statistics_.add(HostStatistic::games_adopted);
    const auto [holder, is_only] = slot_by_name_.emplace(plan.name, plan.slot);
    if (!is_only && said_ended(entries_[holder->second])) {
        holder->second = plan.slot;
    }
    happened::restore(game_key({plan.slot, plan.epoch}), 0, entry.record.restarts);
    start_process(plan.slot);
}

/// Whose process is about to be started. The name is the caller's to enter.
void GameTable::take_segment(GameSegment segment, std::size_t type_index, const GameShape& shape) {
    const GameSegmentPlan& plan = segment.plan();
    // A front or nursery forked later must not inherit a mapping of every game there is.
    auto* layout = &segment.layout();
    madvise(layout, layout->header.segment_bytes, MADV_DONTFORK);
    for (std::uint32_t front = 0; front < front_slots_max; ++front) {
        layout->front_epochs.epoch[front].store(
            host_.layout().front[front].epoch.load(std::memory_order_relaxed),
            std::memory_order_relaxed);  // no process has the segment yet
    }
    Entry& entry = entries_[plan.slot];
    entry.spin_cpu = plan.cpu;
    entry.type_index = type_index;
    if (plan.creator != 0) {
        ++games_of_[plan.creator];
    }
    entry.to_end = false;
    entry.late_ticks = 0;
    entry.deaths_without_progress = 0;
    entry.kills_without_progress = 0;
    entry.record = {};
    entry.record.epoch = plan.epoch;
    entry.record.seats = static_cast<std::uint8_t>(plan.seats);
    entry.record.unlisted = plan.unlisted != 0 ? 1 : 0;
    entry.record.has_password = plan.password != PasswordKey{} ? 1 : 0;
    copy_text(entry.record.name, sizeof(entry.record.name), plan.name);
    copy_text(entry.record.type, sizeof(entry.record.type), plan.type);
    copy_text(entry.record.size_label, sizeof(entry.record.size_label), shape.size_label);
    entry.died_ns = 0;
    entry.segment = std::move(segment);
    statistics_.set(HostStatistic::games, count());
}

// ---- processes ---------------------------------------------------------------------------------

void GameTable::start_process(std::uint32_t slot) {
    Entry& entry = entries_[slot];
    GameSegmentLayout& layout = entry.segment.layout();
    layout.header.owner_pid.store(0, std::memory_order_relaxed);  // OWNER
    entry.sequence_at_start = layout.status.sequence.load(std::memory_order_relaxed);
    entry.started_ns = monotonic_ns();
    entry.watchdog = {};
    entry.hung = false;
    entry.waits = false;
    entry.record.pid = 0;
    list_as(slot, GameState::starting);
    hooks_.request_fork(entry.type_index, {slot, entry.record.epoch});
}

void GameTable::on_forked(const ControlPacket& packet) {
    const std::uint32_t slot = packet.game_slot;
    Entry& entry = entries_[slot];
    ++forks_answered_;
    if (!entry.segment || entry.record.epoch != packet.game_epoch) {
        // Of a game that has been given up meanwhile.
        if (packet.reason == 0 && early_exits_.erase(packet.pid) == 0) {
            kill(packet.pid, SIGKILL);
        }
        return;
    }
    if (packet.reason != 0 && entry.to_end) {
        return finish(slot);
    }
    if (packet.reason != 0) {
        const std::string text = fmt::format(
            "cannot fork a process for game '{}': {}; raise the limits of processes "
            "and memory, or run fewer games",
            entry.record.name, std::strerror(static_cast<int>(packet.reason)));
        statistics_.report(LogLevel::warning, text);
        if (entry.record.restarts > 0) {  // somebody's match: it can wait, and not be had again
            fork_again_ns_ = monotonic_ns() + fork_again_after_ns;
            return wait_for_restore(slot);
        }
        hooks_.announce_failure(id_of(packet), text);
        return retire(slot, HostStatistic::games_ended_failed);
    }
    entry.record.pid = packet.pid;
    happened::fork(game_key(id_of(packet)), static_cast<std::uint64_t>(packet.pid), 0);
    if (const std::int64_t died_ns = std::exchange(entry.died_ns, 0); died_ns != 0) {
        statistics_.add(HostStatistic::restores);
        statistics_.record_time(monotonic_ns() - died_ns, restore_time_unit_bits);
    }
    slot_by_pid_.emplace(packet.pid, slot);
    list_as(slot, GameState::running);
    if (entry.to_end) {
        kill(packet.pid, SIGKILL);
    }
    const auto early = early_exits_.extract(packet.pid);
    if (!early_exits_.empty() && !fork_outstanding()) {
        early_exits_.clear();  // orphans of a nursery that died; their pids will be used again
    }
    if (early) {
        on_exit(packet.pid, early.mapped());
    }
}

bool GameTable::fork_outstanding() const {
    return std::ranges::any_of(
        entries_, [](const Entry& entry) { return entry.segment && entry.record.pid == 0; });
}

bool GameTable::said_ended(const Entry& entry) const {
    // Relaxed: the process that wrote it has exited.
    return game_progress(entry.segment.layout().status.progress.load(std::memory_order_relaxed))
        .ended;
}

void GameTable::on_exit(pid_t pid, int wait_status) {
    const auto found = slot_by_pid_.find(pid);
    if (found == slot_by_pid_.end()) {
        if (fork_outstanding()) {
            early_exits_.emplace(pid, wait_status);
        }
        return;  // else nobody will ask: its nursery died, or it was given up
    }
    const std::uint32_t slot = found->second;
    slot_by_pid_.erase(found);
    happened::death(game_key({slot, entries_[slot].record.epoch}), static_cast<std::uint64_t>(pid),
                    static_cast<std::uint32_t>(wait_status));
    if (said_ended(entries_[slot])) {
        const GameStatusLine& status = entries_[slot].segment.layout().status;
        const bool idle =
            game_progress(status.progress.load(std::memory_order_relaxed)).end_reason ==
            LeaveReason::idle;
        retire(slot, idle ? HostStatistic::games_ended_idle : HostStatistic::games_ended_rules);
    } else if (entries_[slot].to_end) {
        finish(slot);
    } else if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == exit_code_superseded) {
        adopt_owner(slot);
    } else {
        on_death(slot, describe_exit(wait_status),
                 WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL);
    }
}

// `killed`: by SIGKILL. Who kills a game from outside has not shown that it would die by itself:
// such deaths count for it only in great numbers, for it may also be the kernel, short of memory.
void GameTable::on_death(std::uint32_t slot, const std::string& how, bool killed) {
    Entry& entry = entries_[slot];
    GameSegmentLayout& layout = entry.segment.layout();
    entry.died_ns = monotonic_ns();
    statistics_.add(HostStatistic::deaths_game);
    const bool progressed = layout.status.sequence.load(std::memory_order_relaxed) >
                                entry.sequence_at_start ||  // relaxed: its writer has exited
                            entry.died_ns - entry.started_ns > steady_after_ns;
    if (progressed) {
        entry.deaths_without_progress = 0;
        entry.kills_without_progress = 0;
    }
    const std::uint64_t applying = layout.status.applying.load(std::memory_order_relaxed);
    const bool by_others = killed && !entry.hung && applying == 0;
    ++(by_others ? entry.kills_without_progress : entry.deaths_without_progress);
    ++entry.record.restarts;
    if (entry.deaths_without_progress > deaths_before_skip ||
        entry.kills_without_progress > kills_before_end) {
        const std::string text = fmt::format(
            "game '{}' crashed {} times in a row ({}) and could not be restored", entry.record.name,
            entry.deaths_without_progress + entry.kills_without_progress, how);
        statistics_.report(LogLevel::error, text);
        hooks_.announce_failure({slot, entry.record.epoch}, text);
        return retire(slot, HostStatistic::games_ended_failed);
    }
    if (progressed || !by_others) {
        layout.header.skip_position_plus_1 =
            entry.deaths_without_progress == deaths_before_skip ? applying : 0;
        layout.header.skip_front_slot =
            static_cast<std::uint32_t>(layout.status.applying_slot.load(std::memory_order_relaxed));
    }
    const std::string text = fmt::format(
        "game '{}' (pid {}) {}; restoring it{}", entry.record.name, entry.record.pid, how,
        layout.header.skip_position_plus_1 != 0 ? " without the event it died of" : "");
    if (options_.log_restores) {
        statistics_.report(LogLevel::warning, text);
    } else {
        statistics_.note_error(text);
    }
    layout.status.applying.store(0, std::memory_order_relaxed);
    happened::restore(game_key({slot, entry.record.epoch}),
                      static_cast<std::uint64_t>(entry.record.pid), entry.record.restarts);
    hooks_.dump_flight(fmt::format("game '{}' {}", entry.record.name, how));
    restore(slot);
}

// At once, or in its turn when games crash so often that restoring them would leave no time for the
// others.
void GameTable::restore(std::uint32_t slot) {
    if (waiting_.empty() && restores_.take(restore_rate_, monotonic_ns())) {
        return start_process(slot);
    }
    if (waiting_.empty()) {
        statistics_.report(
            LogLevel::error,
            fmt::format("games crash more often than {} times a second; they wait to be restored "
                        "(--restores-per-second)",
                        restore_rate_.per_second));
    }
    wait_for_restore(slot);
}

void GameTable::wait_for_restore(std::uint32_t slot) {
    Entry& entry = entries_[slot];
    entry.waits = true;
    entry.record.pid = 0;
    list_as(slot, GameState::starting);
    waiting_.push_back(slot);
}

void GameTable::restore_waiting() {
    if (monotonic_ns() < fork_again_ns_) {
        return;
    }
    while (!waiting_.empty() && restores_.take(restore_rate_, monotonic_ns())) {
        const std::uint32_t slot = waiting_.front();
        waiting_.pop_front();
        if (entries_[slot].waits) {  // else it has been ended meanwhile
            start_process(slot);
        }
    }
}

std::optional<std::int64_t> GameTable::next_restore_ns() const {
    return waiting_.empty()
               ? std::nullopt
               : std::optional(std::max(restores_.next_ns(restore_rate_), fork_again_ns_));
}

// The process just forked found another one in the segment: one whose nursery died before it could
// answer. If that is our child it is the game; if not, somebody wrote nonsense there.
void GameTable::adopt_owner(std::uint32_t slot) {
    Entry& entry = entries_[slot];
    const pid_t owner = entry.segment.layout().header.owner_pid.load(std::memory_order_relaxed);
    siginfo_t unused{};
    if (owner > 0 && !slot_by_pid_.contains(owner) && !early_exits_.contains(owner) &&
        waitid(P_PID, static_cast<id_t>(owner), &unused, WEXITED | WNOHANG | WNOWAIT) == 0) {
        entry.record.pid = owner;
        slot_by_pid_.emplace(owner, slot);
        write_record(slot);
        return;
    }
    on_death(slot, "lost with its nursery", /*killed=*/true);
}

void GameTable::on_nursery_death(std::size_t type_index) {
    for (std::uint32_t slot = 0; slot < entries_.size(); ++slot) {
        const Entry& entry = entries_[slot];
        if (entry.segment && entry.type_index == type_index && entry.record.pid == 0 &&
            !entry.waits) {
            hooks_.request_fork(type_index, {slot, entry.record.epoch});
        }
    }
}

void GameTable::raise_front_epoch(std::uint32_t front_slot, std::uint32_t new_epoch) {
    for (Entry& entry : entries_) {
        if (entry.segment) {
            GameSegmentLayout& layout = entry.segment.layout();
            layout.front[front_slot].following.store(0, std::memory_order_relaxed);
            layout.front[front_slot].watchers.store(0, std::memory_order_relaxed);
            // Release: with the acquire of the game; that front is dead, all it wrote is written.
            layout.front_epochs.epoch[front_slot].store(new_epoch, std::memory_order_release);
            ring_for_dead(layout.bell);
        }
    }
}

void GameTable::forget_name(std::uint32_t slot) {
    const auto found = slot_by_name_.find(entries_[slot].record.name);
    if (found != slot_by_name_.end() && found->second == slot) {
        slot_by_name_.erase(found);
    }
    list_as(slot, GameState::ended);
}

// A game whose name is free, or another's, has ended, even if its process dies once more before it
// goes.
void GameTable::list_as(std::uint32_t slot, GameState state) {
    DirectoryRecord& record = entries_[slot].record;
    const auto found = slot_by_name_.find(record.name);
    const bool has_name = found != slot_by_name_.end() && found->second == slot;
    record.state = static_cast<std::uint32_t>(has_name ? state : GameState::ended);
    write_record(slot);
}

bool GameTable::end(const std::string& name) {
    const auto found = slot_by_name_.find(name);
    if (found == slot_by_name_.end()) {
        return false;
    }
    const std::uint32_t slot = found->second;
    Entry& entry = entries_[slot];
    entry.to_end = true;
    if (entry.waits) {
        entry.waits = false;
        finish(slot);
    } else if (entry.record.pid != 0) {
        entry.hung = true;
        kill(entry.record.pid, SIGKILL);  // on_exit does the rest
    }
    return true;
}

// By the operator's order: nobody may find it any more.
void GameTable::finish(std::uint32_t slot) {
    hooks_.announce_failure({slot, entries_[slot].record.epoch},
                            "the game was ended by who runs this host");
    retire(slot, HostStatistic::games_ended_operator);
}

// Fronts keep their mappings until they have read the final snapshot; the file goes now.
void GameTable::retire(std::uint32_t slot, HostStatistic why) {
    statistics_.add(why);
    forget_name(slot);
    Entry& entry = entries_[slot];
    log(LogLevel::info, fmt::format("game '{}' has ended", entry.record.name));
    unlink(game_segment_path(instance_path_, {slot, entry.record.epoch}).c_str());
    const std::uint64_t creator = entry.segment.plan().creator;
    entry.segment = GameSegment{};
    const std::uint32_t epoch = entry.record.epoch;
    happened::game_close(game_key({slot, epoch}),
                         static_cast<std::uint64_t>(monotonic_ns() - entry.record.created_ns),
                         entry.record.restarts);
    entry.record = {};
    entry.record.epoch = epoch;
    write_record(slot);
    free_slots_.push_back(slot);
    statistics_.set(HostStatistic::games, count());
    if (entry.spin_cpu >= 0) {
        free_spin_cpus_.push_back(entry.spin_cpu);
    }
    const auto created = games_of_.find(creator);
    if (created != games_of_.end() && --created->second == 0) {
        games_of_.erase(created);
    }
}

// ---- hangs -------------------------------------------------------------------------------------

namespace {

/// Whether a ring's first page is there. A game may claim rings that no front has made: to read
/// such a one would take a page of /dev/shm, or be a SIGBUS when that is full.
bool is_reserved(MutableBytes ring) {
    unsigned char resident = 0;
    return mincore(ring.data(), 1, &resident) == 0 && (resident & 1) != 0;
}

/// Whether a front's events wait in any ring. Relaxed: a hint, looked at again.
bool has_unread_events(const GameSegment& segment) {
    std::uint64_t active =
        segment.layout().fronts.active.load(std::memory_order_acquire);  // ACTIVE
    active &= (std::uint64_t{1} << front_slots_max) - 1;
    for (; active != 0; active &= active - 1) {
        const auto slot = static_cast<std::uint32_t>(std::countr_zero(active));
        const MutableBytes memory = segment.event_ring(slot);
        if (!is_reserved(memory)) {
            continue;
        }
        const auto& ring = *reinterpret_cast<const EventRingHeader*>(memory.data());
        if (ring.tail_position.load(std::memory_order_relaxed) !=
            ring.head_position.load(std::memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

}  // namespace

std::vector<std::size_t> GameTable::watch_over() {
    const std::int64_t now_ns = monotonic_ns();
    std::vector<std::size_t> waited_for;
    for (Entry& entry : entries_) {
        if (!entry.segment) {
            continue;
        }
        if (options_.flight_late.count() != 0) {
            look_at_lateness(entry);
        }
        if (entry.record.pid != 0) {
            kill_if_hanging(entry, now_ns);
        } else if (!entry.waits && now_ns - entry.started_ns > hang_after_ns) {
            waited_for.push_back(entry.type_index);
        }
    }
    return waited_for;
}

// A game that races is late when its tick is; one that is parked, when an event waits for it.
void GameTable::kill_if_hanging(Entry& entry, std::int64_t now_ns) {
    const GameStatusLine& status = entry.segment.layout().status;  // statistics: relaxed
    const std::int64_t deadline_ns = status.deadline_ns.load(std::memory_order_relaxed);
    const bool overdue = deadline_ns != 0 ? now_ns > deadline_ns : has_unread_events(entry.segment);
    const std::uint64_t sign = static_cast<std::uint64_t>(deadline_ns) +
                               status.sequence.load(std::memory_order_relaxed) +
                               status.applying.load(std::memory_order_relaxed);
    if (entry.watchdog.hangs(entry.record.pid, sign, overdue, now_ns) && !said_ended(entry)) {
        happened::hang(game_key({entry.segment.plan().slot, entry.record.epoch}),
                       static_cast<std::uint64_t>(entry.record.pid), 0);
        statistics_.add(HostStatistic::hangs);
        statistics_.report(LogLevel::warning, fmt::format("game '{}' (pid {}) hangs; killing it",
                                                          entry.record.name, entry.record.pid));
        kill(entry.record.pid, SIGKILL);  // on_exit does the rest
    }
}

// The histogram misses no tick, however seldom this comes by; its buckets are a quarter apart.
void GameTable::look_at_lateness(Entry& entry) {
    const auto units =
        static_cast<std::uint64_t>(options_.flight_late.count()) >> lateness_unit_bits;
    std::uint64_t late_ticks = 0;
    for (std::uint32_t bucket = LatenessHistogram::bucket_of(units) + 1;
         bucket < LatenessHistogram::bucket_count; ++bucket) {
        late_ticks += entry.segment.layout().lateness.counts[bucket].load(
            std::memory_order_relaxed);  // a statistic
    }
    if (late_ticks > std::exchange(entry.late_ticks, late_ticks)) {
        hooks_.dump_flight(fmt::format("game '{}' was {} ms late", entry.record.name,
                                       options_.flight_late.count() / 1'000'000));
    }
}

// ---- directory ---------------------------------------------------------------------------------

void GameTable::write_record(std::uint32_t slot) {
    host_.games()[slot].write(entries_[slot].record);
}

void GameTable::sweep() {
    for (std::uint32_t slot = 0; slot < entries_.size(); ++slot) {
        Entry& entry = entries_[slot];
        if (!entry.segment) {
            continue;
        }
        const GameSegmentLayout& layout = entry.segment.layout();
        const GameProgress progress =
            game_progress(layout.status.progress.load(std::memory_order_relaxed));
        DirectoryRecord& record = entry.record;
        std::uint64_t spectators = 0;
        for (const FrontLine& line : layout.front) {
            spectators += line.watchers.load(std::memory_order_relaxed);
        }
        if (record.phase != progress.phase || record.players != progress.players ||
            record.spectators != spectators) {
            record.phase = progress.phase;
            record.players = progress.players;
            record.spectators = spectators;
            write_record(slot);
        }
    }
    host_.layout().swept_ns.store(monotonic_ns(), std::memory_order_release);
}

void GameTable::kill_all() noexcept {
    for (const auto& [pid, slot] : slot_by_pid_) {
        kill(pid, SIGKILL);
    }
    for (const auto& [pid, slot] : slot_by_pid_) {
        waitpid(pid, nullptr, 0);
    }
}

void GameTable::remove_all() noexcept {
    for (std::uint32_t slot = 0; slot < entries_.size(); ++slot) {
        if (entries_[slot].segment) {
            unlink(game_segment_path(instance_path_, {slot, entries_[slot].record.epoch}).c_str());
        }
    }
}

}  // namespace ringside
