// The doorbell of a game: nothing published is slept through (ipc/doorbell.cpp).
//
// A parked game without a deadline sleeps on its bell; two fronts publish into its rings and ring;
// a front may die at any step, and then the supervisor raises its epoch and wakes the game.
//
// game        GameLoop::wait_for_events, has_events, apply_events   ipc/game_loop.cpp
// front       GameLink::publish = EventProducer::publish, take_announcement, wake
//                                                                  ipc/front_link.cpp
// supervisor  GameTable::raise_front_epoch                          ipc/game_table.cpp
//
// Memory is x86's: each process has a store buffer of one entry, which drains at any time. An
// atomic exchange drains its own process's buffer first, and so does a system call. Weaker memory
// is left to the orderings named in doorbell.cpp and to ThreadSanitizer.
//
// Broken variants
//   WITHOUT_FENCE         announce_sleep() is a plain store
//   RINGER_LOADS          take_announcement() loads the word and exchanges only what it saw set
//   WITHOUT_RECHECK       the game waits without looking for work after the announcement
//   WAKE_IF_ANNOUNCED     after a front's death the supervisor wakes only if the word says asleep:
//                         the front may have taken the announcement and died before FUTEX_WAKE

#define FRONTS 2
#define PUBLISHES(front) (2 - (front)) /* events */
#define INTERRUPTS 1 /* futex waits that return early */

// Words of shared memory. What the game looks at: both tails, both epochs.
#define TAIL(front) (front)
#define EPOCH(front) (FRONTS + (front))
#define WORK_WORDS (2 * FRONTS)
#define ASLEEP WORK_WORDS
#define WORDS (WORK_WORDS + 1)
#define EMPTY WORDS /* of a store buffer */

// Processes by their store buffer: fronts first.
#define GAME FRONTS
#define SUPERVISOR (FRONTS + 1)
#define PROCESSES (FRONTS + 2)

byte memory[WORDS];
byte buffered_word[PROCESSES] = EMPTY;
byte buffered_value[PROCESSES];
bool futex_waiting; // the kernel's queue: at most the game
bool died[FRONTS];
byte seen[WORK_WORDS]; // by the game

inline drain(who) {
    if
    :: buffered_word[who] != EMPTY ->
        memory[buffered_word[who]] = buffered_value[who];
        buffered_word[who] = EMPTY;
        buffered_value[who] = 0
    :: else
    fi
}

inline store(who, word, value) {
    d_step {
        drain(who);
        buffered_word[who] = word;
        buffered_value[who] = value
    }
}

#define load(who, word) (buffered_word[who] == (word) -> buffered_value[who] : memory[word])

inline exchange(who, word, value, old) {
    d_step { drain(who); old = memory[word]; memory[word] = value }
}

// ring(): take_announcement(), then FUTEX_WAKE.
inline take_announcement(who, taken) {
#ifdef RINGER_LOADS
    taken = load(who, ASLEEP);
    if
    :: taken -> exchange(who, ASLEEP, 0, taken)
    :: else
    fi
#else
    exchange(who, ASLEEP, 0, taken)
#endif
}

inline futex_wake(who) {
    d_step { drain(who); futex_waiting = false }
}

active [FRONTS] proctype front() {
    byte published = 0;
    bit taken = 0;
    {
        do
        :: published < PUBLISHES(_pid) ->
            published++;
            store(_pid, TAIL(_pid), published); // EventProducer::publish
            take_announcement(_pid, taken);
            if
            :: taken -> futex_wake(_pid); taken = 0
            :: else
            fi
        :: else -> break
        od;
    end_idle:
        false
    } unless {
        died[_pid]
    }
    // What its last store left in the buffer still reaches memory.
end:
    false
}

active proctype game() {
    bit unused = 0;
    byte i = 0;
    bool more = false;
work: // apply_events: peek and advance, detach_sessions_of_dead_fronts
    for (i : 0 .. WORK_WORDS - 1) {
        seen[i] = load(GAME, i)
    }
    i = 0;
announce:
#ifdef WITHOUT_FENCE
    store(GAME, ASLEEP, 1);
#else
    exchange(GAME, ASLEEP, 1, unused); // announce_sleep
#endif
#ifndef WITHOUT_RECHECK
    for (i : 0 .. WORK_WORDS - 1) { // has_events
        more = more || load(GAME, i) != seen[i]
    }
    i = 0;
    if
    :: more -> more = false; exchange(GAME, ASLEEP, 0, unused); goto work // stay_awake
    :: else
    fi;
#endif
    // wait_until: the kernel compares and queues in one step.
    d_step {
        drain(GAME);
        futex_waiting = memory[ASLEEP] == 1
    }
end:
    !futex_waiting;
    exchange(GAME, ASLEEP, 0, unused); // stay_awake, at the end of wait_until
#ifdef WITHOUT_RECHECK
    goto work
#else
    goto announce
#endif
}

// A front's death at any step; the supervisor is told once it is gone, its buffer with it.
active proctype supervisor() {
    bit taken = 0;
    if
    :: goto end_quiet
    :: died[0] = true // front 0 stands for either
    fi;
    buffered_word[0] == EMPTY;
    store(SUPERVISOR, EPOCH(0), 1);
    take_announcement(SUPERVISOR, taken);
#ifdef WAKE_IF_ANNOUNCED
    if
    :: taken -> futex_wake(SUPERVISOR)
    :: else
    fi;
#else
    futex_wake(SUPERVISOR);
#endif
end_quiet:
    skip
}

active proctype signals() { // EINTR, ETIMEDOUT
    byte left = INTERRUPTS;
end:
    do
    :: atomic { left > 0 && futex_waiting -> left--; futex_waiting = false }
    od
}

active proctype store_buffers() {
end:
    do
    :: atomic { buffered_word[0] != EMPTY -> drain(0) }
    :: atomic { buffered_word[1] != EMPTY -> drain(1) }
    :: atomic { buffered_word[GAME] != EMPTY -> drain(GAME) }
    :: atomic { buffered_word[SUPERVISOR] != EMPTY -> drain(SUPERVISOR) }
    od
}

// Nothing can happen any more: whatever was published has been seen.
active proctype check() {
    byte i;
    timeout;
    for (i : 0 .. WORK_WORDS - 1) {
        assert(seen[i] == memory[i])
    }
}
