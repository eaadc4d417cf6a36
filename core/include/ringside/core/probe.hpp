#pragma once
// Static probes for perf, bpftrace and gdb: docs/probes.md lists them.
//
// A probe is one nop in the program and a note in its ELF file that says where its arguments are;
// a tracer puts a breakpoint in the nop's place. Nothing else is paid while nobody traces.
// Provider, names and arguments are API: what a probe is called and what its arguments mean stays.

#include <sys/sdt.h>

// A macro, because the name becomes part of the note. Arguments are integers; each is 8 or 4 bytes
// whatever the caller's own type, because happenings.hpp, its one user, declares them so.
#define RINGSIDE_PROBE(name, first, second, third) \
    DTRACE_PROBE3(ringside, name, first, second, third)
