#!/usr/bin/env bash
# package.bash BUILD: makes the Debian package, lets lintian judge it, installs it in an empty root,
# runs what was installed there, and removes it.

set -euo pipefail
build=$1
folder=$(mktemp --directory)
host_pid=
finish() {
    if [[ -n $host_pid ]]; then  # a check has failed, and says so; the host may have ended, too
        kill "$host_pid" 2>/dev/null || true
        wait "$host_pid" || true
    fi
    rm -rf -- "$folder"
}
trap finish EXIT

fail() {
    printf '%s\n' "$*"
    exit 1
}

printf -- '--- cpack\n'
(cd "$folder" && cpack --config "$build/CPackConfig.cmake" -G DEB -B "$folder/made") >"$folder/cpack.log" 2>&1 || {
    cat "$folder/cpack.log"
    exit 1
}
package=$(echo "$folder"/made/ringside_*.deb)
symbols=$(echo "$folder"/made/ringside-dbgsym_*.*deb)
[[ -f $package && -f $symbols ]] || fail "these were made: $(ls "$folder/made")"

printf -- '--- lintian\n'
lintian --fail-on error --tag-display-limit 0 "$package" 2>"$folder/lintian.log" || {
    cat "$folder/lintian.log"
    exit 1
}

printf -- '--- install\n'
root=$folder/root
mkdir -p "$root/var/lib/dpkg/"{info,updates} "$root/etc"
touch "$root/var/lib/dpkg/status"
as_root=()
[[ $(id --user) -eq 0 ]] || as_root=(fakeroot)
# Its libraries are this machine's, and so are the programs that its scripts call.
in_root() {
    PATH=$PATH:/usr/sbin:/sbin "${as_root[@]}" dpkg --root="$root" --log=/dev/null --force-depends \
        --force-script-chrootless --force-not-root "$@"
}
in_root --install "$package" 2>"$folder/dpkg.log" || { cat "$folder/dpkg.log"; exit 1; }
grep --quiet '^ringside:' "$root/etc/passwd" || fail 'the service has no user'
for file in usr/bin/ringside etc/ringside/ringside.toml usr/lib/systemd/system/ringside.service \
    usr/lib/systemd/system/ringside.socket usr/share/bash-completion/completions/ringside \
    usr/share/man/man1/ringside-serve.1.gz usr/share/doc/ringside/copyright; do
    [[ -f $root/$file ]] || fail "$file is not there"
done
grep --quiet '^ExecStart=/usr/bin/ringside serve' "$root/usr/lib/systemd/system/ringside.service" ||
    fail 'the unit starts another program'

printf -- '--- manual\n'
ringside=$root/usr/bin/ringside
for command in $("$ringside" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z]\{1,\}\) .*/\1/p'); do
    page=$root/usr/share/man/man1/ringside-$command.1.gz
    [[ -f $page ]] || fail "there is no page of $command"
    said=$(MANWIDTH=80 man --warnings --local-file "$page" 2>&1 >"$folder/laid-out") ||
        fail "$command: $said"
    [[ -z $said ]] || fail "$command: $said"
    col --no-backspaces <"$folder/laid-out" >"$folder/page"
    for flag in $("$ringside" "$command" --help | grep --only-matching -- '--[a-z-]*' | sort --unique); do
        grep --quiet --fixed-strings -- "$flag" "$folder/page" ||
            fail "the page of $command does not say $flag"
    done
done

printf -- '--- completion\n'
complete_words() { # complete_words <word…>: what the last one may become
    bash -c 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ringside; echo "${COMPREPLY[*]}"' \
        bash "$root/usr/share/bash-completion/completions/ringside" "$@"
}
[[ $(complete_words ringside se) == 'serve sessions' ]] || fail "commands: $(complete_words ringside se)"
[[ $(complete_words ringside serve --games-m) == --games-max ]] ||
    fail "flags: $(complete_words ringside serve --games-m)"
[[ $(complete_words ringside serve --config "$root/etc/ringside/ri") == "$root/etc/ringside/ringside.toml" ]] ||
    fail "files: $(complete_words ringside serve --config "$root/etc/ringside/ri")"

printf -- '--- run\n'
mkfifo "$folder/said"
"$ringside" serve --config "$root/etc/ringside/ringside.toml" --listen 127.0.0.1:0 --instance "package-$$" >"$folder/said" &
host_pid=$!
exec 3<"$folder/said"
IFS= read -r line <&3 || fail 'the installed program does not serve'
port=$(sed 's/.*listening on 127.0.0.1:\([0-9]*\).*/\1/' <<<"$line")
[[ $("$ringside" list --port "$port") == 'no games on 127.0.0.1:'* ]] || fail 'the installed program does not list'
status=0
"$ringside" doctor --latency-seconds 0 >"$folder/doctor" || status=$?
[[ $status -le 2 && $(tail --lines 1 "$folder/doctor") == *' FAIL' ]] || fail 'the installed doctor says nothing'
kill "$host_pid"
wait "$host_pid" || fail "the installed host ended with $?"
host_pid=

printf -- '--- remove\n'
in_root --purge ringside 2>"$folder/dpkg.log" || { cat "$folder/dpkg.log"; exit 1; }
# grep fails when it finds nothing, which is as it should be.
left=$(find "$root" -path "$root/var/lib/dpkg" -prune -o -type f -print | grep --invert-match "^$root/etc/\(passwd\|group\|shadow\|gshadow\|\.pwd\.lock\)-\?$" || true)
[[ -z $left ]] || fail "left behind: $left"
