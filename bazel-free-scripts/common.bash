# What every script here shares; sourced, never run.
#
# A script's documentation is its own leading comment: `--help` prints it, so it cannot go stale
# somewhere else.

set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
script=$(basename -- "$0")

show_help() {
    sed -n '2,/^$/{/^$/d;s/^# \{0,1\}//;p}' "$0"
    exit 0
}

fail() {
    printf '%s: %s\n' "$script" "$*" >&2
    exit 1
}

refuse() { # what was asked makes no sense
    printf "%s: %s; '%s --help' lists what it takes\n" "$script" "$*" "$script" >&2
    exit 2
}

refuse_option() {
    refuse "unknown option '$1'"
}

# option_value <option> <arguments left> <value>: the value, or a clear refusal when it is missing.
option_value() {
    [[ $2 -ge 2 ]] || refuse "'$1' needs a value"
    printf '%s' "$3"
}

presets() {
    cmake -S "$root" --list-presets | sed -n 's/^ *"\([^"]*\)".*/\1/p'
}

# All C++ of the project. A source tree without git (a release archive) is checked the same way.
sources() {
    find "$root"/{core,ipc,net,games,tests} -name '*.[ch]pp' -o -name '*.h' | LC_ALL=C sort
}
