# SPDX-License-Identifier: Apache-2.0
# Sourced by the end-to-end tests; they run in an empty directory with NETFS, ROOT and WORK set.
set -u

# Nothing of a test outlives it, and none sees the mounts of another.
export XDG_RUNTIME_DIR="$WORK/run" XDG_STATE_HOME="$WORK/state" XDG_CACHE_HOME="$WORK/xdg"
mkdir -p -m 700 "$XDG_RUNTIME_DIR"

cleanup=()

# Runs the command at the end, the last one first.
at_end() { cleanup+=("$*"); }

finish() {
  local rc=$? i
  set +e
  for ((i = ${#cleanup[@]} - 1; i >= 0; i--)); do
    eval "${cleanup[i]}"
  done
  exit "$rc"
}
trap finish EXIT

fail() {
  echo "FAILED: $*"
  for log in "$XDG_STATE_HOME"/netfs/*.log; do
    [ -e "$log" ] && { echo "-- $log"; tail -n 40 "$log"; }
  done
  exit 1
}

skip() {
  echo "$*"
  exit 77
}

[ -e /dev/fuse ] || skip "no /dev/fuse"

# Mounts $1 on the directory $2, which is made; further arguments are for netfs mount.
mounted() {
  mkdir -p "$2"
  "$NETFS" mount "$@" || fail "mount $* exited $?"
  at_end "mountpoint -q '$2' && { '$NETFS' umount --discard '$2' >/dev/null 2>&1 || umount -l '$2'; }"
}

# Unmounts $1; everything must be on the server then.
unmounted() { "$NETFS" umount "$1" || fail "umount $1 exited $?"; }

# The value of the field $2 in the status of the mount on $1.
field() {
  "$NETFS" status "$1" --json |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["mounts"][0][sys.argv[1]])' "$2"
}

# Runs the rest of the arguments and demands the exit code $1; leaves what it said in $said.
exits() {
  local wanted="$1" rc
  shift
  said="$("$@" 2>&1)"
  rc=$?
  [ "$rc" -eq "$wanted" ] || fail "'$*' exited $rc, not $wanted: $said"
}

# Demands that $said holds the text.
says() {
  case "$said" in
    *"$1"*) ;;
    *) fail "'$1' is not in: $said" ;;
  esac
}

# Waits for a condition, at most 60 seconds.
wait_for() {
  local i
  for ((i = 0; i < 600; i++)); do
    "$@" && return 0
    sleep 0.1
  done
  fail "waited in vain for: $*"
}

# Whether a process has ended, its parent knowing or not.
gone() { [ ! -e "/proc/$1" ] || grep -qs '^State:.Z' "/proc/$1/status"; }
