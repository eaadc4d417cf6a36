#include "game_loop.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include <sched.h>
#include <unistd.h>

#include "ringside/core/clock.hpp"
#include "ringside/core/ids.hpp"
#include "ringside/core/invariant.hpp"
#include "ringside/ipc/doorbell.hpp"
#include "ringside/ipc/happenings.hpp"

namespace ringside {
namespace {

constexpr std::int64_t acknowledgement_poll_ns = 10'000'000;
constexpr std::int64_t never_ns = std::numeric_limits<std::int64_t>::max();

/// Epochs have 24 bits here and go round: half of them count as older. Only an older one means that
/// the session's front has gone; a newer one may be drained before its epoch is looked at.
bool is_older_than(std::uint64_t session, std::uint32_t front_epoch) noexcept {
    const std::uint32_t ahead = (front_epoch - front_epoch_of(SessionId{session})) & 0xff'ffff;
    return ahead != 0 && ahead < 0x80'0000;
}

/// The bytes written into a buffer, up to a whole number of words.
Bytes padded(std::vector<std::byte>& buffer, std::size_t bytes) {
    const MutableBytes whole = MutableBytes(buffer).first(padded_bytes(bytes));
    std::ranges::fill(whole.subspan(bytes), std::byte{});
    return whole;
}

std::size_t bytes_of(std::span<const Bytes> parts) {
    std::size_t bytes = 0;
    for (const Bytes part : parts) {
        bytes += part.size();
    }
    return bytes;
}

}  // namespace

// The main loop. Events are applied before the tick, so that what a player did is in the very next
// state; the snapshot is published before ring space is released, so that a crash in between finds
// every event that is not in a snapshot still in its ring; fronts are rung last.
void GameLoop::run() {
    while (!ended_) {
        wait();
        apply_events();
        give_up_detached();
        step_if_due();
        end_if_over();
        publish();
    }
}

// ---- phases ------------------------------------------------------------------------------------

std::uint64_t GameLoop::own_key() const noexcept {
    return game_key({segment_.plan().slot, segment_.plan().epoch});
}

bool GameLoop::lockstep() const {
    return segment_.plan().pacing == static_cast<std::uint32_t>(Pacing::lockstep);
}

bool GameLoop::reactive() const {
    return segment_.plan().reactive != 0;
}

bool GameLoop::parked() const {
    return lockstep() || game_->idle();
}

// A game that races wants nothing but its next tick: events wait for it, and nobody pays for a
// wake, unless its type is reactive. A parked game wants events, and otherwise sleeps until its
// idle timeout.
void GameLoop::wait() {
    GameStatusLine& status = segment_.layout().status;
    if (!parked()) {
        if (!std::exchange(ticking_, true)) {
            ticker_.start(monotonic_ns());
        }
        status.deadline_ns.store(ticker_.deadline_ns(), std::memory_order_relaxed);  // a statistic
        if (reactive()) {
            wait_for_events(ticker_.deadline_ns());
        } else {
            sleep_until(ticker_.deadline_ns());
        }
        return;
    }
    ticking_ = false;
    status.deadline_ns.store(0, std::memory_order_relaxed);  // parked games are never late
    const std::int64_t idle_timeout_ns = segment_.plan().idle_timeout_ns;
    wait_for_events(
        std::min(grace_until_ns(), idle_timeout_ns > 0 ? touched_ns_ + idle_timeout_ns : never_ns));
}

void GameLoop::wait_for_events(std::int64_t deadline_ns) {
    if (answers_are_full()) {  // acknowledgements ring no bell
        const std::int64_t poll_ns =
            std::min(deadline_ns, monotonic_ns() + acknowledgement_poll_ns);
        // So that the supervisor sees it wait, with events unread.
        segment_.layout().status.deadline_ns.store(poll_ns, std::memory_order_relaxed);
        sleep_until(poll_ns);
        return;
    }
    if (segment_.plan().spins != 0) {
        while (!has_events() && monotonic_ns() < deadline_ns) {
            sched_yield();  // its front may have been given the same CPU
        }
        return;
    }
    BellWord& bell = segment_.layout().bell;
    for (;;) {
        announce_sleep(bell);
        if (has_events() || monotonic_ns() >= deadline_ns) {
            stay_awake(bell);
            return;
        }
        happened::park(tick_, static_cast<std::uint64_t>(deadline_ns), 0);
        wait_until(bell, deadline_ns);
        happened::woken(own_key(), 0, 0);
    }
}

void GameLoop::apply_events() {
    const Epochs epochs = front_epochs();  // before draining: what a dead front published counts
    adopt_new_rings();
    forget_acknowledged_answers();
    // A client may have asked for its seat through a front that died, and come back through another
    // one: whom a resume names may be found only when the other rings have been read.
    bool resume_waits = false;
    for (std::uint32_t slot = 0; slot < front_slots_max && !ended_; ++slot) {
        if (events_[slot] && !poisoned_[slot]) {
            resume_waits |= !drain(slot, UnknownResume::waits);
        }
    }
    for (std::uint32_t slot = 0; resume_waits && slot < front_slots_max && !ended_; ++slot) {
        if (events_[slot] && !poisoned_[slot]) {
            drain(slot, UnknownResume::is_refused);
        }
    }
    detach_sessions_of_dead_fronts(epochs);
}

void GameLoop::step_if_due() {
    if (ended_) {
        return;
    }
    if (std::exchange(applied_, false) && reactive() && !lockstep()) {
        step({});
        if (ticking_) {
            publish();  // a tick that is due as well has a snapshot and a delta of its own
        }
    }
    if (!ticking_) {
        return;
    }
    const std::int64_t now_ns = monotonic_ns();
    if (!ticker_.due(now_ns)) {
        return;  // woken early by a signal
    }
    const Ticker::Lateness lateness = ticker_.take(now_ns);
    statistics_.tick_begins(now_ns, lateness);
    step(lateness);
}

void GameLoop::end_if_over() {
    if (ended_) {
        return;
    }
    const std::int64_t idle_timeout_ns = segment_.plan().idle_timeout_ns;
    const bool abandoned = visited_ && roster_.empty() && !lockstep();
    if (game_->ended() || abandoned) {
        end(LeaveReason::game_ended);
    } else if (idle_timeout_ns > 0 && monotonic_ns() - touched_ns_ >= idle_timeout_ns) {
        end(LeaveReason::idle);
    }
}

void GameLoop::publish() {
    if (!std::exchange(changed_, false)) {
        return;
    }
    const std::size_t state_bytes = game_->save(state_);
    const std::size_t view_bytes = game_->view(view_);
    const std::size_t delta_bytes = delta_.empty() ? 0 : game_->delta(delta_);
    invariant(
        state_bytes <= state_.size() && view_bytes <= view_.size() && delta_bytes <= delta_.size(),
        "a game type writes no more than its shape declares");

    const GameStatus status = game_->status();
    SnapshotHeader header{};
    header.tick = tick_;
    header.flags = (ended_ ? snapshot_ended : 0) | (journal_.is_whole() ? 0 : snapshot_journal_cut);
    header.end_reason = static_cast<std::uint32_t>(ended_.value_or(LeaveReason::none));
    header.roster_entries = static_cast<std::uint32_t>(roster_.size());
    header.roster_answers = static_cast<std::uint32_t>(answers_.size());
    header.state_bytes = static_cast<std::uint32_t>(state_bytes);
    header.view_bytes = static_cast<std::uint32_t>(view_bytes);
    header.delta_bytes = static_cast<std::uint32_t>(delta_bytes);
    header.journal_bytes = static_cast<std::uint32_t>(journal_.bytes());
    header.phase = static_cast<std::uint8_t>(status.phase);
    header.players = status.players;
    header.seats = status.seats;
    header.fronts = static_cast<std::uint8_t>(fronts_);
    std::array<FrontMark, front_slots_max> marks;
    for (std::uint32_t slot = 0; slot < fronts_; ++slot) {
        marks[slot] = {
            .event_position = events_[slot] ? events_[slot]->position() : first_positions_[slot],
            .answers_given = answers_given_[slot]};
    }

    const std::array<Bytes, 8> parts{std::as_bytes(std::span(&header, 1)),
                                     std::as_bytes(std::span(marks).first(fronts_)),
                                     std::as_bytes(std::span(roster_)),
                                     std::as_bytes(std::span(answers_)),
                                     journal_.padded(),
                                     padded(delta_, delta_bytes),
                                     padded(state_, state_bytes),
                                     Bytes(view_).first(view_bytes)};
    snapshots_.publish(parts);
    happened::snapshot_published(own_key(), snapshots_.sequence(),
                                 static_cast<std::uint32_t>(view_bytes));
    journal_.clear();
    std::size_t event_ring_bytes = 0;
    for (auto& events : events_) {
        if (events) {
            event_ring_bytes = std::max<std::size_t>(event_ring_bytes, events->unreleased_bytes());
            events->release();
        }
    }

    GameStatusLine& line = segment_.layout().status;  // statistics: relaxed
    line.tick.store(tick_, std::memory_order_relaxed);
    line.sequence.store(snapshots_.sequence(), std::memory_order_relaxed);
    line.progress.store(packed({.phase = header.phase,
                                .players = header.players,
                                .seats = header.seats,
                                .ended = ended_.has_value(),
                                .end_reason = ended_.value_or(LeaveReason::none)}),
                        std::memory_order_relaxed);
    ring_fronts();
    statistics_.published({.snapshot_bytes = bytes_of(parts),
                           .event_ring_bytes = event_ring_bytes,
                           .now_ns = touched_ns_});
}

// ---- events ------------------------------------------------------------------------------------

void GameLoop::adopt_new_rings() {
    // ACTIVE: acquire, so that a ring whose bit is set is seen made.
    std::uint64_t active = segment_.layout().fronts.active.load(std::memory_order_acquire);
    active &= (std::uint64_t{1} << front_slots_max) - 1;
    for (; active != 0; active &= active - 1) {
        const auto slot = static_cast<std::uint32_t>(std::countr_zero(active));
        if (events_[slot] || poisoned_[slot]) {
            continue;
        }
        auto consumer = EventConsumer::attach(segment_.event_ring(slot), first_positions_[slot]);
        if (consumer) {
            // A predecessor may have died between its snapshot and this: the front would wait for
            // room until something else is published.
            consumer->release();
            events_[slot].emplace(std::move(*consumer));
            fronts_ = std::max(fronts_, slot + 1);
        } else {
            poisoned_[slot] = true;  // a position that cannot be right: never used again
        }
    }
}

bool GameLoop::has_events() {
    adopt_new_rings();
    for (std::uint32_t slot = 0; slot < front_slots_max; ++slot) {
        if (events_[slot] && !poisoned_[slot] && events_[slot]->has_more()) {
            return true;
        }
    }
    return std::ranges::any_of(roster_, [this](const RosterEntry& entry) {
        return !entry.detached() && front_has_gone(entry.front_slot, entry.session);
    });
}

// Applies everything a front has published, or what comes before a resume that waits: then it is
// false. Bounded: nothing is released meanwhile, so a front can add no more than its ring holds.
bool GameLoop::drain(std::uint32_t front_slot, UnknownResume unknown_resume) {
    EventConsumer& events = *events_[front_slot];
    GameStatusLine& status = segment_.layout().status;
    const GameSegmentHeader& header = segment_.layout().header;
    const bool skipping = header.skip_position_plus_1 != 0 && header.skip_front_slot == front_slot;
    EventRecord record;
    while (!ended_ && !answers_are_full()) {
        const Peek peeked = events.peek(record);
        if (peeked == Peek::empty) {
            break;
        }
        EventHeader event;
        std::array<std::byte, event_body_bytes_max> body;
        if (peeked == Peek::damaged || record.payload.size() < sizeof(event)) {
            poisoned_[front_slot] = true;
            break;
        }
        std::memcpy(&event, record.payload.data(), sizeof(event));
        const Bytes rest = record.payload.subspan(sizeof(event));
        if (event.body_bytes > rest.size() || event.body_bytes > body.size()) {
            poisoned_[front_slot] = true;
            break;
        }
        std::memcpy(body.data(), rest.data(), event.body_bytes);
        const EventKind kind = record.kind;
        const Bytes content = Bytes(body).first(event.body_bytes);
        if (kind == EventKind::resume && unknown_resume == UnknownResume::waits &&
            content.size() >= sizeof(ResumeKey) &&
            find_one_of(content.subspan(sizeof(ResumeKey))) == nullptr) {
            return false;
        }

        // Named before it is applied: if this event kills the process, the supervisor knows which.
        status.applying_slot.store(front_slot, std::memory_order_relaxed);
        status.applying.store(events.position() + 1, std::memory_order_relaxed);
        if (skipping && header.skip_position_plus_1 == events.position() + 1) {
            skip(front_slot, kind, event);
        } else {
            apply(front_slot, kind, event, content);
        }
        status.applying.store(0, std::memory_order_relaxed);
        events.advance();
        statistics_.event_applied();
        changed_ = true;
        applied_ = true;
        visited_ = true;
        touched_ns_ = monotonic_ns();
        happened::event_applied(event.session, events.position(), event.input_number);
        if (kind == EventKind::step) {
            end_if_over();
            publish();  // each step is one state that somebody waits for
        } else if (game_->ended()) {
            end(LeaveReason::game_ended);
        }
    }
    return true;
}

void GameLoop::apply(std::uint32_t front_slot, EventKind kind, const EventHeader& header,
                     Bytes body) {
    switch (kind) {
        case EventKind::join: return join(front_slot, header, body);
        case EventKind::leave: return leave(front_slot, header);
        case EventKind::input: return input(front_slot, header, body);
        case EventKind::resume: return resume(front_slot, header, body);
        case EventKind::detach: return lose_link(front_slot, header);
        case EventKind::step:
            if (lockstep()) {
                step({});
            }
            return;
        case EventKind::padding: return;  // the ring keeps these to itself
    }
}

void GameLoop::join(std::uint32_t front_slot, const EventHeader& header, Bytes body) {
    JoinHead head;
    if (find(header.session) != nullptr || body.size() < sizeof(head)) {
        return;  // asked twice; or not a front of ours
    }
    std::memcpy(&head, body.data(), sizeof(head));
    const Bytes parameters = body.subspan(sizeof(head));
    const JoinAnswer joined = game_->on_join(parameters);
    const bool seated = joined.reason == RefuseReason::none;
    journal_.add({.kind = CallKind::join,
                  .seat = seated ? value(joined.seat) : no_seat,
                  .body = parameters});
    if (!seated) {
        answer(front_slot, header.session, AnswerKind::refused,
               static_cast<std::uint8_t>(joined.reason));
        return;
    }
    invariant(roster_.size() < segment_.plan().seats,
              "a game type seats no more than its shape declares");
    roster_.push_back({.session = header.session,
                       .grace_until_ns = 0,
                       .key = head.key,
                       .nickname = head.nickname,
                       .last_input = 0,
                       .seat = value(joined.seat),
                       .front_slot = static_cast<std::uint8_t>(front_slot),
                       .reserved = {}});
}

void GameLoop::leave(std::uint32_t front_slot, const EventHeader& header) {
    RosterEntry* entry = find(header.session);
    if (entry == nullptr || entry->front_slot != front_slot) {
        return;  // of a session that was refused, or has moved
    }
    give_up(*entry);
    answer(front_slot, header.session, AnswerKind::left,
           static_cast<std::uint8_t>(LeaveReason::left));
}

// Whether the old link is lost, or only slow, or its front stopped: from here on it has no session.
void GameLoop::resume(std::uint32_t front_slot, const EventHeader& header, Bytes body) {
    ResumeKey key;
    if (find(header.session) != nullptr || body.size() < sizeof(key)) {
        return;  // asked twice; or not a front of ours
    }
    std::memcpy(&key, body.data(), sizeof(key));
    RosterEntry* entry = find_one_of(body.subspan(sizeof(key)));
    if (entry == nullptr) {
        answer(front_slot, header.session, AnswerKind::refused,
               static_cast<std::uint8_t>(RefuseReason::no_such_session));
        return;
    }
    if (!entry->detached()) {
        answer(entry->front_slot, entry->session, AnswerKind::left,
               static_cast<std::uint8_t>(LeaveReason::moved));
    }
    entry->session = header.session;
    entry->grace_until_ns = 0;
    entry->key = key;
    entry->front_slot = static_cast<std::uint8_t>(front_slot);
}

/// The entry of whichever of these resume candidates has one, with its key.
RosterEntry* GameLoop::find_one_of(Bytes candidates) noexcept {
    for (; candidates.size() >= sizeof(ResumeCandidate);
         candidates = candidates.subspan(sizeof(ResumeCandidate))) {
        ResumeCandidate candidate;
        std::memcpy(&candidate, candidates.data(), sizeof(candidate));
        RosterEntry* entry = find(candidate.session);
        if (entry != nullptr && entry->key != ResumeKey{} && is_same(entry->key, candidate.key)) {
            return entry;
        }
    }
    return nullptr;
}

void GameLoop::lose_link(std::uint32_t front_slot, const EventHeader& header) {
    RosterEntry* entry = find(header.session);
    if (entry != nullptr && entry->front_slot == front_slot) {
        detach(*entry);
    }
}

void GameLoop::input(std::uint32_t front_slot, const EventHeader& header, Bytes body) {
    RosterEntry* entry = find(header.session);
    if (entry == nullptr || entry->front_slot != front_slot ||
        header.input_number != entry->last_input + 1) {
        return;  // applied already, or from a link that is not this session's any more
    }
    entry->last_input = header.input_number;
    journal_.add({.kind = CallKind::input, .seat = entry->seat, .body = body});
    game_->on_input(Seat{entry->seat}, body);
}

// An event that killed this game three times. It counts as applied, so that its session can go on.
void GameLoop::skip(std::uint32_t front_slot, EventKind kind, const EventHeader& header) {
    GameStatusLine& status = segment_.layout().status;
    status.dropped_events.fetch_add(1, std::memory_order_relaxed);  // a statistic of one writer
    RosterEntry* entry = find(header.session);
    if (kind == EventKind::input && entry != nullptr &&
        header.input_number == entry->last_input + 1) {
        entry->last_input = header.input_number;
        answer(front_slot, header.session, AnswerKind::input_dropped, 0);
    } else if (kind == EventKind::leave && entry != nullptr) {
        // The session goes; that the rules could not be told is what killed the game.
        roster_.erase(roster_.begin() + (entry - roster_.data()));
        answer(front_slot, header.session, AnswerKind::left,
               static_cast<std::uint8_t>(LeaveReason::left));
    } else if (kind == EventKind::resume && entry == nullptr) {
        answer(front_slot, header.session, AnswerKind::refused,
               static_cast<std::uint8_t>(RefuseReason::no_such_session));
    } else if (kind == EventKind::join && entry == nullptr) {
        answer(front_slot, header.session, AnswerKind::refused,
               static_cast<std::uint8_t>(RefuseReason::bad_parameters));
    }
}

// Acquire: with the release of the supervisor, which has seen the front dead, so that a drain from
// here on finds all that front has published.
GameLoop::Epochs GameLoop::front_epochs() const {
    Epochs epochs;
    for (std::uint32_t slot = 0; slot < front_slots_max; ++slot) {
        epochs[slot] = segment_.layout().front_epochs.epoch[slot].load(std::memory_order_acquire);
    }
    return epochs;
}

bool GameLoop::front_has_gone(std::uint32_t front_slot, std::uint64_t session) const {
    // Relaxed: only whether to look.
    return is_older_than(
        session, segment_.layout().front_epochs.epoch[front_slot].load(std::memory_order_relaxed));
}

// After draining, and only those whose front was dead before.
void GameLoop::detach_sessions_of_dead_fronts(const Epochs& epochs) {
    for (RosterEntry& entry : roster_) {
        if (!entry.detached() && is_older_than(entry.session, epochs[entry.front_slot])) {
            detach(entry);
            changed_ = true;
        }
    }
}

/// Its seat is kept for a while. Nothing happens in the game: to its rules a player who is away is
/// one who presses nothing.
void GameLoop::detach(RosterEntry& entry) noexcept {
    if (!entry.detached()) {
        entry.grace_until_ns = monotonic_ns() + segment_.plan().resume_grace_ns;
    }
}

std::int64_t GameLoop::grace_until_ns() const noexcept {
    std::int64_t until_ns = never_ns;
    for (const RosterEntry& entry : roster_) {
        until_ns = entry.detached() ? std::min(until_ns, entry.grace_until_ns) : until_ns;
    }
    return until_ns;
}

// After draining: who came back in time, but was not read in time, has come back.
void GameLoop::give_up_detached() {
    const std::int64_t now_ns = monotonic_ns();
    for (std::size_t i = 0; i < roster_.size() && !ended_;) {
        if (!roster_[i].detached() || now_ns < roster_[i].grace_until_ns) {
            ++i;
            continue;
        }
        give_up(roster_[i]);
        changed_ = true;
        if (game_->ended()) {
            end(LeaveReason::game_ended);
        }
    }
}

void GameLoop::give_up(const RosterEntry& entry) {
    const Seat seat{entry.seat};
    roster_.erase(roster_.begin() + (&entry - roster_.data()));
    journal_.add({.kind = CallKind::leave, .seat = value(seat), .body = {}});
    game_->on_leave(seat);
}

void GameLoop::answer(std::uint32_t front_slot, std::uint64_t session, AnswerKind kind,
                      std::uint8_t reason) {
    answers_.push_back({.session = session,
                        .number = ++answers_given_[front_slot],
                        .kind = static_cast<std::uint8_t>(kind),
                        .reason = reason,
                        .front_slot = static_cast<std::uint8_t>(front_slot),
                        .reserved = {}});
}

void GameLoop::forget_acknowledged_answers() {
    std::erase_if(answers_, [this](const RosterAnswer& given) {
        const FrontLine& line = segment_.layout().front[given.front_slot];
        return given.number <= line.answers_seen.load(std::memory_order_relaxed) ||  // only grows
               front_has_gone(given.front_slot, given.session);
    });
}

// Joins and leaves wait for acknowledgements then, and so does everything behind them.
bool GameLoop::answers_are_full() const {
    return answers_.size() >= answers_max;
}

void GameLoop::step(Ticker::Lateness lateness) {
    const auto late_ns = static_cast<std::uint64_t>(lateness.late_ns);
    const auto missed = static_cast<std::uint32_t>(lateness.missed_ticks);
    happened::tick_begin(tick_ + 1, late_ns, missed);
    if (missed != 0) {
        happened::late_tick(tick_ + 1, late_ns, missed);
    }
    if (!game_->ended()) {
        journal_.add({.kind = CallKind::tick, .seat = no_seat, .body = {}});
        game_->tick(Tick{++tick_});
    }
    happened::tick_end(tick_, 0, 0);
    changed_ = true;
}

void GameLoop::end(LeaveReason reason) {
    ended_ = reason;
    changed_ = true;
}

RosterEntry* GameLoop::find(std::uint64_t session) noexcept {
    const auto found = std::ranges::find(roster_, session, &RosterEntry::session);
    return found == roster_.end() ? nullptr : &*found;
}

void GameLoop::ring_fronts() {
    GameSegmentLayout& layout = segment_.layout();
    for (std::uint32_t slot = 0; slot < front_slots_max; ++slot) {
        if (!events_[slot] || layout.front[slot].following.load(std::memory_order_relaxed) == 0) {
            continue;
        }
        doorbells_.ringing(slot).set(segment_.plan().slot);
        bool slept = false;
        if (wake_fds_[slot] < 0) {
            slept = ring(doorbells_.bell(slot));
        } else if (take_announcement(doorbells_.bell(slot))) {
            slept = true;
            const std::uint64_t one = 1;
            // A full counter means that the front is being woken already.
            static_cast<void>(!write(wake_fds_[slot], &one, sizeof(one)));
        }
        if (slept) {
            happened::wake(front_key(slot), 0, 0);
        }
    }
}

// ---- start -------------------------------------------------------------------------------------

GameLoop::GameLoop(GameSegment segment, DoorbellSegment doorbells, const WakeFds& wake_fds,
                   SnapshotProducer snapshots)
    : segment_(std::move(segment)),
      doorbells_(std::move(doorbells)),
      wake_fds_(wake_fds),
      snapshots_(std::move(snapshots)),
      statistics_(segment_.layout()),
      ticker_(segment_.plan().tick_ns, segment_.plan().phase_ns),
      touched_ns_(monotonic_ns()) {
    roster_.reserve(seats_max);
    answers_.reserve(answers_max);
    state_.resize(padded_bytes(segment_.plan().state_bytes_max));
    view_.resize(segment_.plan().view_bytes_max);
    delta_.resize(padded_bytes(segment_.plan().delta_bytes_max));
}

void GameLoop::restore_roster(const SnapshotParts& parts) {
    tick_ = parts.header.tick;
    roster_.assign(parts.roster.begin(), parts.roster.end());
    answers_.assign(parts.answers.begin(), parts.answers.end());
    fronts_ = static_cast<std::uint32_t>(parts.fronts.size());
    for (std::uint32_t slot = 0; slot < fronts_; ++slot) {
        first_positions_[slot] = parts.fronts[slot].event_position;
        answers_given_[slot] = parts.fronts[slot].answers_given;
    }
    for (RosterEntry& entry : roster_) {
        if (std::exchange(entry.grace_until_ns, 0) != 0) {
            detach(entry);  // anew: for how long there was no host to come back to is not known
        }
    }
    visited_ = std::ranges::any_of(first_positions_, [](std::uint64_t p) { return p != 0; });
    if ((parts.header.flags & snapshot_ended) != 0) {
        end(static_cast<LeaveReason>(parts.header.end_reason));
    }
}

Result<GameLoop> GameLoop::start(GameSegment segment, DoorbellSegment doorbells,
                                 const GameType& type, const WakeFds& wake_fds) {
    auto producer = SnapshotProducer::attach(segment.snapshot_ring());
    auto reader = SnapshotReader::attach(segment.snapshot_ring());
    if (!producer || !reader) {
        return std::unexpected(!producer ? producer.error() : reader.error());
    }
    GameLoop loop(std::move(segment), std::move(doorbells), wake_fds, std::move(*producer));
    const GameSegmentPlan& plan = loop.segment_.plan();
    const Bytes config = Bytes(plan.config).first(plan.config_bytes);

    if (!reader->has_news()) {
        loop.game_ = type.create(config, plan.seed);
        loop.changed_ = true;  // the first snapshot: a spectator may come before any player
        loop.publish();
        return loop;
    }
    std::vector<std::uint64_t> copy((reader->payload_bytes_max() + 7) / 8);
    std::size_t bytes = 0;
    if (reader->read_newest(std::as_writable_bytes(std::span(copy)), bytes) !=
        SnapshotRead::record) {
        return failure(std::errc::bad_message, "the last snapshot cannot be read");
    }
    const auto parts = parse_snapshot(std::as_bytes(std::span(copy)).first(bytes));
    const auto sane_slot = [](const auto& entry) { return entry.front_slot < front_slots_max; };
    if (!parts || !std::ranges::all_of(parts->roster, sane_slot) ||
        !std::ranges::all_of(parts->answers, sane_slot)) {
        return failure(std::errc::bad_message, "the last snapshot does not add up");
    }
    auto game = type.restore(config, parts->state, parts->view);
    if (!game) {
        return std::unexpected(std::move(game.error()));
    }
    loop.game_ = std::move(*game);
    loop.restore_roster(*parts);
    if (loop.ended_) {
        loop.publish();  // says so in the status line too: the predecessor may have died before
                         // that
    }
    return loop;
}

}  // namespace ringside
