// Creating and ending: one name has at most one live game, every request gets exactly one answer,
// nobody stays in a game that has ended, and no slot is lost.
//
// Three clients, two of them at one front, each ask once for the same name, to find or create it;
// one may insist on creating it (with ALSO_FIND: or on finding it). Whoever gets a seat may leave.
// A game may end at any turn, or crash; a crash is followed by a restore or, if it is one too many,
// by giving the game up.
//
// supervisor  GameTable::open, make_game, on_forked, on_exit, on_death, retire   ipc/game_table.cpp
// nursery     run_nursery                                       ipc/nursery.cpp
// game        GameLoop::run, publish, start                     ipc/game_loop.cpp
// front       FrontServer::opened, follow, ask_again            net/front_membership.cpp
//             FrontServer::apply_snapshot, finish, give_up      net/front_news.cpp
//
// Draining the rings and publishing what that gives is one step here: restart.pml has what lies in
// between. Fronts and nurseries do not die.
//
// Broken variants
//   LOOKUP_BY_FRONT       a front looks the name up in the directory and asks for a new game
//   WITHOUT_EPOCH_CHECK   a front's word that a game has ended counts for the slot's next game too
//   WITHOUT_ASK_AGAIN     a join behind the final snapshot's position is taken for answered
//   WITHOUT_EARLY_EXITS   the exit of a process that the nursery has not reported yet is dropped
//   LISTED_AGAIN          a game gets back into the directory when its process is reported or
//                         forked again, even if its name has been given away since

#ifndef ASKS
#define ASKS 2 /* of one request; asked_count_max */
#endif
#ifndef EVENTS
#define EVENTS 3 /* games made and crashes, together; a further game is refused: no room */
#endif
#define CLIENTS 3
#define FRONTS 2
#define SLOTS 2
// Games are numbered from 1, IDS for each slot. A number stands for slot and epoch: it is used
// again only when nobody knows the game it meant any more.
#define IDS 3
#define GAMES (SLOTS * IDS)
#define slot_of(g) (((g) - 1) / IDS)
#define front_of(c) ((c) / 2)

// ---- the supervisor's table and the games' segments

#define LISTED_NOT 0
#define LISTED_LIVE 1 /* GameState::starting, running */
#define LISTED_ENDED 2
#define NO_PROCESS 0
#define RUNS 1
#define ZOMBIE 2
typedef Slot {
    byte game;     // the one that has it; 0: none, it is free
    byte listed;   // DirectoryRecord::state
    byte process;
    bool forked;   // the nursery's answer is on its way
    bool reported; // it has come
    bool early;    // in early_exits_
    // of the game's segment
    bool said_ended // GameStatusLine::progress
}
Slot slots[SLOTS];
bool final[GAMES + 1]; // the newest snapshot's flag, as long as somebody has the segment
byte named;            // slot_by_name_: the game; 0: none
byte listed_live;      // slots
byte events_left = EVENTS;

#define exists(g) (slots[slot_of(g)].game == g)

// ---- fronts and clients

#define FIND_OR_CREATE 0
#define FIND 1
#define CREATE 2
#define ASKING 0  // open: on its way to the supervisor; game: known_ended
#define OPENING 1 // opened: on its way back
#define JOINING 2
#define SEATED 3
#define LEAVING 4
#define OUT 5

// What the newest snapshot of its game has of a client. Its ring holds a join once it is JOINING
// and a leave once it is LEAVING; NOTHING is a position before the join.
#define NOTHING 0
#define SEAT 1
#define REFUSAL 2
#define LEFT 3
typedef Client {
    byte mode; // OpenMode
    byte membership;
    byte game;
    byte asked;
#ifdef LOOKUP_BY_FRONT
    bool saw_name; // in the directory, when it asked
#endif
    byte answers;
    byte entry
}
Client clients[CLIENTS];
byte followed[FRONTS * SLOTS];

#define NOBODY CLIENTS
chan tells[FRONTS] = [4] of { byte, byte }; // client, game opened or 0; NOBODY, game failed

inline answer(c) {
    clients[c].asked = ASKS;
    clients[c].mode = 0;
    clients[c].answers++;
    assert(clients[c].answers == 1)
}

#ifdef LOOKUP_BY_FRONT
#define look_up(c) clients[c].saw_name = named != 0
#define is_new(c) (!clients[c].saw_name)
#else
#define look_up(c) skip
#define is_new(c) (named == 0)
#endif

inline ask_again(c, ended) {
    if
    :: clients[c].asked == ASKS -> answer(c); clients[c].membership = OUT; clients[c].game = 0
    :: else ->
        clients[c].membership = ASKING;
        clients[c].game = ended;
        look_up(c)
    fi
}

#define is_member(f, c, g) \
    (front_of(c) == f && clients[c].game == g && clients[c].membership >= JOINING)

#define followed_in_slot_of(f, g) followed[f * SLOTS + slot_of(g)]

// close_unused; the segment's last user lets its memory go.
inline close_if_unused(f, g) {
    if
    :: !is_member(f, 0, g) && !is_member(f, 1, g) && !is_member(f, 2, g) ->
        followed_in_slot_of(f, g) = 0;
        drop_if_unused(g)
    :: else
    fi
}

inline drop_if_unused(g) {
    if
    :: !exists(g) && followed[slot_of(g)] != g && followed[SLOTS + slot_of(g)] != g ->
        final[g] = false
    :: else
    fi
}

// apply_snapshot: settle_joins, settle_answers, finish.
inline apply_snapshot(f, g) {
    for (i : 0 .. CLIENTS - 1) {
        if
        :: is_member(f, i, g) ->
            if
            :: clients[i].membership == JOINING && clients[i].entry != NOTHING ->
                answer(i); // Joined or Refused
                clients[i].membership = (clients[i].entry == REFUSAL -> OUT : SEATED)
            :: else
            fi;
            if
            :: clients[i].membership == LEAVING && clients[i].entry == LEFT ->
                clients[i].membership = OUT
            :: final[g] && (clients[i].membership == SEATED || clients[i].membership == LEAVING) ->
                clients[i].membership = OUT // Left
            :: final[g] && clients[i].membership == JOINING ->
#ifdef WITHOUT_ASK_AGAIN
                clients[i].membership = OUT
#else
                ask_again(i, g)
#endif
            :: else
            fi;
            if
            :: clients[i].membership == OUT -> clients[i].game = 0; clients[i].entry = NOTHING
            :: else
            fi
        :: else
        fi
    }
    i = 0;
    close_if_unused(f, g)
}

inline give_up(f, g) {
    for (i : 0 .. CLIENTS - 1) {
        if
        :: is_member(f, i, g) ->
            if
            :: clients[i].membership == JOINING -> answer(i) // Refused
            :: else
            fi;
            clients[i].membership = OUT; // Left
            clients[i].game = 0;
            clients[i].entry = NOTHING
        :: else
        fi
    }
    i = 0;
    close_if_unused(f, g)
}

inline enter(c, g) {
    clients[c].game = g;
    clients[c].membership = JOINING
}

inline opened(f, c, g) {
    other = followed_in_slot_of(f, g);
    if
    :: other != 0 && other != g -> // follow(): the slot has been given to another
        assert(final[other]); // or the fronts had been told that it failed
        apply_snapshot(f, other)
    :: else
    fi;
    other = 0;
    if
    :: followed_in_slot_of(f, g) == g -> enter(c, g)
    :: followed_in_slot_of(f, g) == 0 && exists(g) && !final[g] -> // open_game, read_news
        followed_in_slot_of(f, g) = g;
        enter(c, g)
    :: else -> ask_again(c, g)
    fi
}

#define has_news(f, c) (front_of(c) == f && \
    ((clients[c].membership == JOINING && \
      (clients[c].entry != NOTHING || final[clients[c].game])) || \
     (clients[c].membership == SEATED && final[clients[c].game]) || \
     (clients[c].membership == LEAVING && (clients[c].entry == LEFT || final[clients[c].game]))))
#define wants_to_leave(f, c) (front_of(c) == f && clients[c].membership == SEATED)

active [FRONTS] proctype front() {
    byte c = 0;
    byte g = 0;
    byte i = 0;
    byte other = 0;
end:
    do
    :: atomic { wants_to_leave(_pid, 0) -> clients[0].membership = LEAVING }
    :: atomic { wants_to_leave(_pid, 1) -> clients[1].membership = LEAVING }
    :: atomic { wants_to_leave(_pid, 2) -> clients[2].membership = LEAVING }
    :: atomic { tells[_pid] ? c, g ->
        if
        :: c == NOBODY && followed_in_slot_of(_pid, g) == g -> give_up(_pid, g)
        :: c == NOBODY && followed_in_slot_of(_pid, g) != g
        :: c != NOBODY && g == 0 -> answer(c); clients[c].membership = OUT // Refused
        :: c != NOBODY && g != 0 -> opened(_pid, c, g)
        fi;
        c = 0;
        g = 0 }
    :: atomic { has_news(_pid, 0) -> g = clients[0].game; apply_snapshot(_pid, g); g = 0 }
    :: atomic { has_news(_pid, 1) -> g = clients[1].game; apply_snapshot(_pid, g); g = 0 }
    :: atomic { has_news(_pid, 2) -> g = clients[2].game; apply_snapshot(_pid, g); g = 0 }
    od
}

// ---- games

// One seat a game.
#define taken_by(g, c) (clients[c].game == g && clients[c].entry == SEAT)
#define is_taken(g) (taken_by(g, 0) || taken_by(g, 1) || taken_by(g, 2))

// The process of the game that has the slot, when there is one.
active [SLOTS] proctype game_process() {
    byte s = _pid - FRONTS;
    byte g = 0;
    byte i = 0;
end:
    do
    :: atomic { slots[s].process == RUNS && !final[slots[s].game] ->
        g = slots[s].game; // a turn: apply_events, publish
        for (i : 0 .. CLIENTS - 1) {
            if
            :: clients[i].game == g && clients[i].membership >= JOINING &&
                clients[i].entry == NOTHING ->
                clients[i].entry = (is_taken(g) -> REFUSAL : SEAT)
            :: else
            fi;
            if
            :: clients[i].game == g && clients[i].membership == LEAVING &&
                clients[i].entry == SEAT ->
                clients[i].entry = LEFT
            :: else
            fi
        };
        g = 0;
        i = 0 }
    // end_if_over, publish; what came after the last draining is behind its position.
    :: atomic { slots[s].process == RUNS && !final[slots[s].game] -> final[slots[s].game] = true }
    :: atomic { slots[s].process == RUNS && final[slots[s].game] ->
        slots[s].said_ended = true;
        slots[s].process = ZOMBIE }
    :: atomic { slots[s].process == RUNS && events_left > 0 -> // it dies
        events_left--;
        slots[s].process = ZOMBIE }
    od
}

// ---- supervisor and nursery

inline list(s, how) {
    listed_live = listed_live - (slots[s].listed == LISTED_LIVE -> 1 : 0);
    listed_live = listed_live + (how == LISTED_LIVE -> 1 : 0);
    slots[s].listed = how;
    assert(listed_live <= 1) // nobody sees one name twice
}

#ifdef LISTED_AGAIN
#define keeps_name(s) true
#else
#define keeps_name(s) (named == slots[s].game)
#endif

inline list_live(s) {
    if
    :: keeps_name(s) -> list(s, LISTED_LIVE)
    :: else
    fi
}

// The nursery's part is in it: the process may take its first step at any later time.
inline start_process(s) {
    slots[s].process = RUNS;
    slots[s].forked = true;
    slots[s].reported = false;
    list_live(s)
}

#define is_known(g) (exists(g) || \
    followed[slot_of(g)] == g || followed[SLOTS + slot_of(g)] == g || \
    clients[0].game == g || clients[1].game == g || clients[2].game == g || \
    is_told(0, g) || is_told(1, g) || is_told(2, g) || is_told(NOBODY, g))
#define is_told(c, g) (tells[0]??[c, eval(g)] || tells[1]??[c, eval(g)])

inline make_game(s) {
    assert(slots[0].game == 0 || final[slots[0].game]); // one live game of this name
    assert(slots[1].game == 0 || final[slots[1].game]);
    i = s * IDS + 1;
    do
    :: is_known(i) -> i++
    :: else -> break
    od;
    assert(slot_of(i) == s); // else IDS is too small
    events_left--;
    slots[s].game = i;
    named = i;
    start_process(s);
    i = 0
}

inline forget_name(g) {
    list(slot_of(g), LISTED_ENDED);
    if
    :: named == g -> named = 0
    :: else
    fi
}

#ifdef WITHOUT_EPOCH_CHECK
#define says_ended(known) (known != 0 && named != 0 && slot_of(known) == slot_of(named))
#else
#define says_ended(known) (known != 0 && known == named)
#endif

inline open(c) {
    if
    :: clients[c].asked > 0
    :: clients[c].asked == 0 -> clients[c].mode = FIND_OR_CREATE
    :: clients[c].asked == 0 && c == 1 -> clients[c].mode = CREATE
#ifdef ALSO_FIND
    :: clients[c].asked == 0 && c == 1 -> clients[c].mode = FIND
#endif
    fi;
    clients[c].asked++;
    clients[c].membership = OPENING;
    if
    :: says_ended(clients[c].game) -> forget_name(named)
    :: else
    fi;
    clients[c].game = 0;
    if
    :: is_new(c) && clients[c].mode != FIND && events_left > 0 && slots[0].game == 0 ->
        make_game(0);
        tells[front_of(c)] ! c, named
    :: is_new(c) && clients[c].mode != FIND && events_left > 0 && slots[0].game != 0 &&
        slots[1].game == 0 ->
        make_game(1);
        tells[front_of(c)] ! c, named
    :: !is_new(c) && clients[c].mode != CREATE -> tells[front_of(c)] ! c, named
    :: else -> tells[front_of(c)] ! c, 0
    fi
}

inline retire(s) {
    g = slots[s].game;
    forget_name(g);
    list(s, LISTED_NOT);
    slots[s].game = 0;
    slots[s].reported = false;
    slots[s].said_ended = false;
    drop_if_unused(g);
    g = 0
}

inline on_exit(s) {
    if
    :: slots[s].said_ended -> retire(s)
    :: else ->
        if
        :: start_process(s) // on_death
        :: tells[0] ! NOBODY, slots[s].game; // one death too many
            tells[1] ! NOBODY, slots[s].game;
            retire(s)
        fi
    fi
}

inline on_forked(s) {
    slots[s].forked = false;
    slots[s].reported = true;
    list_live(s);
    if
    :: slots[s].early -> slots[s].early = false; on_exit(s)
    :: else
    fi
}

inline reap(s) {
    slots[s].process = NO_PROCESS;
    if
    :: slots[s].reported -> on_exit(s)
    :: else ->
#ifndef WITHOUT_EARLY_EXITS
        slots[s].early = true
#endif
    fi
}

active proctype supervisor() {
    byte g = 0;
    byte i = 0;
end:
    do
    :: atomic { clients[0].membership == ASKING -> open(0) }
    :: atomic { clients[1].membership == ASKING -> open(1) }
    :: atomic { clients[2].membership == ASKING -> open(2) }
    :: atomic { slots[0].forked -> on_forked(0) }
    :: atomic { slots[1].forked -> on_forked(1) }
    :: atomic { slots[0].process == ZOMBIE -> reap(0) }
    :: atomic { slots[1].process == ZOMBIE -> reap(1) }
    od
}

// Nothing can happen any more, so every game has ended.
active proctype check() {
    byte c;
    timeout;
    for (c : 0 .. CLIENTS - 1) {
        assert(clients[c].answers == 1);
        assert(clients[c].membership == OUT)
    }
    assert(named == 0 && slots[0].game == 0 && slots[1].game == 0)
}
