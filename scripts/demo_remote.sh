#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
#
# The demo with its policy in another process and another environment, without ROS: `make demo POLICY=remote`.
# Arguments go to `lbm demo`. The server is started again two seconds after it ends, so killing it shows how the
# run is held and goes on; its process id is printed, and KILL_AFTER_S=20 kills it once, so many seconds into the demo.
#
#   VENV=path          environment of the graph (default: .venv)
#   CHECKPOINT=path    what is served (default: checkpoints/mt10)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
lbm=${VENV:-$root/.venv}/bin/lbm
checkpoint=$(realpath "${CHECKPOINT:-$root/checkpoints/mt10}")
work=$(mktemp -d)
keeper='' killer=''

say() { printf '[remote] %s\n' "$*" >&2; }

finish() {
    local process
    for process in $killer $keeper $(cat "$work/pid" 2>/dev/null); do
        kill "$process" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap finish EXIT

# In the background: the server, again and again on the same port. One that never gets ready is not started again.
keep_serving() {
    local port=0
    while true; do
        "$root/scripts/serve_env.sh" --checkpoint "$checkpoint" --port "$port" --threads 1 >"$work/said" 2>>"$work/log" &
        echo "$!" >"$work/pid"
        { wait "$!" || true; } 2>/dev/null  # bash would comment on a killed one
        port=$(sed -n 's/^serving on .*://p' "$work/said")
        [[ -n $port ]] || return
        say "the server ended; starting it again in 2 s"
        sleep 2
    done
}

await_server() {
    until grep -qs '^serving on ' "$work/said"; do
        kill -0 "$keeper" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
        sleep 0.1
    done
}

"$root/scripts/serve_env.sh"
keep_serving &
keeper=$!
await_server
url=$(sed -n 's/^serving on //p' "$work/said")
say "$checkpoint is served on $url by process $(<"$work/pid"), in an environment without ROS"

# A folder instead of the bare address, so that the monitor finds its calibration.
mkdir "$work/policy"
printf '{"type": "remote", "url": "%s"}\n' "$url" >"$work/policy/config.json"
for file in "$checkpoint"/monitor*; do
    [[ ! -e $file ]] || cp "$file" "$work/policy/"
done
if [[ -n ${KILL_AFTER_S:-} ]]; then
    (sleep "$KILL_AFTER_S" && say "killing the server" && kill -9 "$(<"$work/pid")") &
    killer=$!
fi
"$lbm" demo --checkpoint "$work/policy" "$@"
