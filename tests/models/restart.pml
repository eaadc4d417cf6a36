// Deaths and moved links: every input is applied exactly once.
//
// One game, two fronts with a ring each, one session whose client numbers its inputs. The game may
// die at any step and goes on from its newest snapshot. A front may die at any step and gets a
// successor. The client may give up a link at any time (its front is stopped, or the network is
// slow) and resumes through either front; what the old front still holds of that link it may write
// at any later time: a front that is stopped is one that takes no step meanwhile.
//
// ring        try_claim and publish as one step, peek, release          ipc/event_ring.hpp
// front       FrontServer::take_input                               net/front_clients.cpp
//             FrontServer::take_resume                              net/front_clients.cpp
//             GameLink::publish                                     ipc/front_link.cpp
// game        GameLoop::run, drain, input, publish, start               ipc/game_loop.cpp
// supervisor  Supervisor::fork_front                                ipc/supervisor_start.cpp
//             GameTable::raise_front_epoch                          ipc/game_table.cpp
//
// In the code a link is known by the id its session has there, and a `resume` names all links whose
// place it may take: the last one the client heard of and every one it has asked for since. So it
// counts exactly if it is newer than the one the session has, which is what links have numbers for
// here. `gone` is `detach`; a client is told Joined from the first snapshot that has its session id,
// and sends again from the number after the one named there. A join is modelled as the first resume.
//
// Broken variants
//   RELEASE_BEFORE_SNAPSHOT  ring space is given back before the snapshot that holds its events
//   RELEASE_LATE             a restored game gives back what its snapshot holds only once it has
//                            something new to publish; a full ring never brings that
//   WITHOUT_MARKS            a restored game reads on from the ring's head
//   WITHOUT_EPOCH_CHECK      inputs and `gone` count whatever their link epoch
//   WITHOUT_RESUME_ORDER     an older `resume` that comes later counts
//   EPOCHS_AFTER_DRAIN       the game looks which fronts have gone after draining, not before: a
//                            front may publish, die and be replaced in between
//   EPOCHS_DIFFER            a session's front has gone if its epoch differs from the slot's as read
//                            before draining, even if it is newer

#ifndef INPUTS
#define INPUTS 2
#endif
#ifndef MOVES
#define MOVES 1 /* links given up while their front lives */
#endif
#ifndef FRONT_DEATHS
#define FRONT_DEATHS 1
#endif
#ifndef GAME_DEATHS
#define GAME_DEATHS 1
#endif
#define FRONTS 2
#define RING 2 /* records */
#define LINKS (1 + MOVES + FRONT_DEATHS)

// ---- shared memory

#define RESUME 0
#define INPUT 1
#define GONE 2
typedef Record {
    byte kind;
    byte link; // its epoch
    byte number
}
Record record[FRONTS * RING];
byte tail[FRONTS]; // positions
byte head[FRONTS];
byte front_epoch[FRONTS]; // FrontEpochs

// What a snapshot carries, and the game's memory between two of them.
typedef GameState {
    byte mark[FRONTS];  // FrontMark::event_position
    byte taken[FRONTS]; // records of each ring that are in this state
    byte link;          // RosterEntry::session
    byte slot;          // RosterEntry::front_slot
    byte last;          // RosterEntry::last_input
    bool attached;
    byte applied        // inputs, a bit each
}
GameState state;    // the game's
GameState snapshot; // the newest published

// ---- links, by epoch, from 1; known to their front and client

#define NONE 0
#define RESUMING 1 // the front has it, the event is not written
#define WAITING 2  // for the snapshot with this epoch
#define UP 3
#define OVER 4
typedef Link {
    byte stage;
    byte slot;
    byte front_epoch; // of its front
    bool left;        // its client has given it up
    byte written;     // the highest input number
    byte end          // tail after the last event of this link
}
Link links[LINKS + 1];
byte newest_link; // the highest epoch given
byte client_link; // the client's; 0: none
bool alive[FRONTS] = true;

// ---- fronts

#define has_room(f) (tail[f] - head[f] < RING)

inline write(f, a_kind, e, a_number) {
    record[f * RING + tail[f] % RING].kind = a_kind;
    record[f * RING + tail[f] % RING].link = e;
    record[f * RING + tail[f] % RING].number = a_number;
    tail[f]++;
    links[e].end = tail[f]
}

// One link of one front: a step whenever it can take one, as long as its front lives. The links of
// one front go on independently: they come through two sockets. A client sends all its inputs at
// once; one that sends less is one whose connection is cut first.
proctype serve(byte e) {
    byte f = links[e].slot;
end:
    do
    :: d_step { links[e].stage == RESUMING && has_room(f) ->
        write(f, RESUME, e, 0);
        links[e].stage = WAITING }
    :: d_step { links[e].stage == WAITING && snapshot.link == e ->
        links[e].stage = UP; // Welcome
        links[e].written = snapshot.last }
    :: d_step { links[e].stage == UP && links[e].written < INPUTS && has_room(f) ->
        links[e].written++;
        write(f, INPUT, e, links[e].written) }
    :: d_step { links[e].left && links[e].stage > RESUMING && links[e].stage < OVER && has_room(f) ->
        write(f, GONE, e, 0); // what was not written is lost with the connection
        links[e].stage = OVER;
        links[e].left = false;
        links[e].written = 0 }
    :: atomic { links[e].stage == OVER -> break }
    od
}

active proctype client() {
    byte moves = MOVES;
    byte f = 0;
end:
    do
    :: atomic { client_link == 0 ->
        if
        :: alive[0] -> f = 0
        :: alive[1] && newest_link > 0 -> f = 1 // the fronts are alike
        fi;
        newest_link++;
        client_link = newest_link;
        links[client_link].stage = RESUMING;
        links[client_link].slot = f;
        links[client_link].front_epoch = front_epoch[f];
        f = 0;
        run serve(client_link) }
    :: d_step { client_link != 0 && links[client_link].stage == OVER -> client_link = 0 }
    :: d_step { client_link != 0 && moves > 0 && links[client_link].stage != OVER ->
        moves--;
        links[client_link].left = true;
        client_link = 0 }
    od
}

// ---- deaths of fronts

active proctype supervisor() {
    byte deaths = FRONT_DEATHS;
    byte f = 0;
    byte e = 0;
end:
    do
    :: atomic { deaths > 0 ->
        deaths--;
        if
        :: f = 0
        :: f = 1
        fi;
        alive[f] = false;
        for (e : 1 .. LINKS) {
            if
            :: links[e].stage != NONE && links[e].slot == f ->
                links[e].stage = OVER;
                links[e].left = false;
                links[e].written = 0
            :: else
            fi
        };
        e = 0 };
        d_step { front_epoch[f]++; alive[f] = true; f = 0 } // raise_front_epoch, fork
    od
}

// ---- the game

inline copy_state(to, from) {
    to.mark[0] = from.mark[0];
    to.mark[1] = from.mark[1];
    to.taken[0] = from.taken[0];
    to.taken[1] = from.taken[1];
    to.link = from.link;
    to.slot = from.slot;
    to.last = from.last;
    to.attached = from.attached;
    to.applied = from.applied
}

#ifdef WITHOUT_EPOCH_CHECK
#define is_current(f, e) (state.slot == f)
#else
#define is_current(f, e) (state.slot == f && state.link == e)
#endif

inline apply(f, what) {
    assert(state.taken[f] == state.mark[f]); // no event is in this state already, none is left out
    if
#ifdef WITHOUT_RESUME_ORDER
    :: what.kind == RESUME ->
#else
    :: what.kind == RESUME && what.link > state.link ->
#endif
        state.link = what.link;
        state.slot = f;
        state.attached = true
    :: what.kind == INPUT && is_current(f, what.link) && what.number == state.last + 1 ->
        assert(what.link == state.link); // nothing of a link that has been left behind
        assert((state.applied & (1 << what.number)) == 0);
        state.applied = state.applied | (1 << what.number);
        state.last = what.number
    :: what.kind == GONE && is_current(f, what.link) ->
        state.attached = false
    :: else
    fi;
    state.mark[f]++;
    state.taken[f]++
}

inline publish_snapshot() {
    may_die();
    copy_state(snapshot, state)
}

inline release(f) {
    may_die();
    if
    :: !poisoned[f] -> head[f] = state.mark[f]
    :: else
    fi
}

#define has_more(f) (!poisoned[f] && state.mark[f] < tail[f])

#ifdef EPOCHS_DIFFER
#define has_gone(epoch) (links[state.link].front_epoch != epoch)
#else
#define has_gone(epoch) (links[state.link].front_epoch < epoch)
#endif

inline may_die() {
    if
    :: true
    :: deaths > 0 -> deaths--; goto death
    fi
}

active proctype game() {
    byte deaths = GAME_DEATHS;
    byte epochs[FRONTS];
    bool poisoned[FRONTS];
turn:
end:
    has_more(0) || has_more(1) || (state.attached && has_gone(front_epoch[state.slot]));
    atomic { may_die(); epochs[0] = front_epoch[0] };
    atomic { may_die(); epochs[1] = front_epoch[1] };
    do
    :: atomic { has_more(0) -> may_die(); apply(0, record[state.mark[0] % RING]) }
    :: atomic { !has_more(0) -> break }
    od;
    do
    :: atomic { has_more(1) -> may_die(); apply(1, record[RING + state.mark[1] % RING]) }
    :: atomic { !has_more(1) -> break }
    od;
#ifdef EPOCHS_AFTER_DRAIN
    atomic { epochs[0] = front_epoch[0]; epochs[1] = front_epoch[1] };
#endif
    atomic { // detach_sessions_of_dead_fronts
        may_die();
        if
        :: state.attached && has_gone(epochs[state.slot]) ->
            assert(links[state.link].front_epoch != front_epoch[state.slot]); // it has indeed
            assert(state.mark[state.slot] >= links[state.link].end); // all it had published counts
            state.attached = false
        :: else
        fi;
        epochs[0] = 0;
        epochs[1] = 0
    };
#ifdef RELEASE_BEFORE_SNAPSHOT
    atomic { release(0) };
    atomic { release(1) };
    atomic { publish_snapshot() };
#else
    atomic { publish_snapshot() };
    atomic { release(0) };
    atomic { release(1) };
#endif
    goto turn;
death:
    atomic { // and restored
        epochs[0] = 0;
        epochs[1] = 0;
        copy_state(state, snapshot);
#ifdef WITHOUT_MARKS
        state.mark[0] = head[0];
        state.mark[1] = head[1];
#endif
        // EventConsumer::attach refuses such a position; the ring is not used again.
        poisoned[0] = state.mark[0] < head[0] || state.mark[0] > tail[0];
        poisoned[1] = state.mark[1] < head[1] || state.mark[1] > tail[1]
    };
#ifndef RELEASE_LATE
    atomic { release(0) };
    atomic { release(1) };
#endif
    goto turn
}

// Nothing can happen any more: the client's last link is up and all of its inputs are in.
active proctype check() {
    timeout;
    assert(snapshot.last == INPUTS);
    assert(snapshot.applied == (1 << (INPUTS + 1)) - 2);
    assert(snapshot.link == client_link && snapshot.attached);
    assert(snapshot.slot == links[client_link].slot)
}
