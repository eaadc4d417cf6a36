#!/usr/bin/env bash
# units.bash BUILD: systemd itself reads the units that are installed, and rates how much of the
# machine the service could reach (0 nothing, 10 everything; 3.0 at most).

set -euo pipefail
build=$1
folder=$(mktemp --directory)
trap 'rm -rf -- "$folder"' EXIT

# The program is not installed here; systemd wants to see that it could be started.
sed "s|=/[^ ]*/ringside |=$build/bin/ringside |" "$build/generated/ringside.service" >"$folder/ringside.service"
cp -- "$(dirname -- "$0")/../../bazel-free-scripts/packaging/ringside.socket" "$folder"
grep --quiet "^ExecStart=$build/bin/ringside serve" "$folder/ringside.service"

complaints=$(systemd-analyze verify --man=no "$folder/ringside.service" "$folder/ringside.socket" 2>&1) || {
    printf 'systemd-analyze verify: %s\n' "$complaints"
    exit 1
}
[[ -z $complaints ]] || { printf 'systemd-analyze verify: %s\n' "$complaints"; exit 1; }

systemd-analyze security --offline=yes --threshold=30 --no-pager "$folder/ringside.service" >"$folder/rating" || {
    cat "$folder/rating"
    exit 1
}
tail --lines 1 "$folder/rating"

# What is left of a host that crashed must be there when it is started again.
grep --quiet --line-regexp 'RemoveIPC=no' "$folder/ringside.service"
! grep --quiet '^DynamicUser=yes' "$folder/ringside.service"
