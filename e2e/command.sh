# SPDX-License-Identifier: Apache-2.0
# The command line over a real mount: what it says, how it exits, what it leaves behind.
. "$ROOT/e2e/lib.sh"

# The caller's streams are not held: the pipe ends although the mount goes on.
mkdir mnt
said="$("$NETFS" mount ./remote ./mnt 2>&1 | cat)"
at_end "mountpoint -q mnt && '$NETFS' umount --discard mnt >/dev/null 2>&1"
says "mounted ./remote on $PWD/mnt"
mountpoint -q mnt || fail "not mounted"
pid="$(field mnt pid)"
[ "$(readlink "/proc/$pid/fd/0")" = /dev/null ] || fail "stdin is held"
[ "$(readlink "/proc/$pid/fd/1")" = /dev/null ] || fail "stdout is held"
[ "$(readlink "/proc/$pid/cwd")" = / ] || fail "the working directory is held"
[ "$(field mnt mountPoint)" = "$PWD/mnt" ] || fail "mountPoint: $(field mnt mountPoint)"
[ "$(field mnt remote)" = "$PWD/remote" ] || fail "remote: $(field mnt remote)"
log="$(field mnt log)"
[ -s "$log" ] || fail "no log in $log"
[ "$(stat -c %a "$XDG_RUNTIME_DIR/netfs/$pid.sock")" = 600 ] || fail "others may talk to the mount"
[ "$(stat -c %a "$XDG_RUNTIME_DIR/netfs")" = 700 ] || fail "others may enter"

# What is written is on the server after umount, and the process has gone.
seq 1 100000 >mnt/numbers
mkdir mnt/dir
echo "grüße" >"mnt/dir/größe"
unmounted mnt
gone "$pid" || fail "process $pid is still there"
seq 1 100000 | cmp - remote/numbers || fail "numbers differ"
[ "$(cat "remote/dir/größe")" = "grüße" ] || fail "the name or its content differs"
exits 10 "$NETFS" status mnt
exits 10 "$NETFS" umount mnt
"$NETFS" status --json | grep -F "\"$PWD/mnt\"" && fail "it is still listed"

# Options on either side, from another directory.
mkdir elsewhere
(cd elsewhere && "$NETFS" mount -o ro ../remote ../mnt -o umask=022) || fail "mount from elsewhere"
touch mnt/x 2>/dev/null && fail "ro is not read-only"
[ "$(stat -c %a mnt/numbers)" = 755 ] || fail "umask: $(stat -c %a mnt/numbers)"
exits 3 "$NETFS" mount ./other mnt
says busy
[ ! -e other ] || fail "a remote was made for a mount that failed"
unmounted ./elsewhere/../mnt

# How many lines were said; whoever has a dead mount on this machine is told of it, too.
lines() { printf '%s\n' "$said" | grep -cv "the process of the mount on"; }

# How many lines of what was said are of the mount on $1, in a list of all on this machine.
lines_about() {
  printf '%s\n' "$said" | about="$1  " awk '
    /^[^ ]/ { on = index($0, ENVIRON["about"]) == 1 }
    on' | wc -l
}

# A result that cannot be written is a failure, in one line.
for case in "status" "status --json" version help "help mount"; do
  # shellcheck disable=SC2086
  said="$("$NETFS" $case 2>&1 >/dev/full)"
  rc=$?
  [ "$rc" -eq 1 ] || fail "'$case' to a full device exited $rc: $said"
  says "cannot write to stdout"
  [ "$(lines)" -eq 1 ] || fail "more than one line: $said"
done

# Names with control characters: one line for each thing, and JSON that gives them back.
for name in $'two\nlines' $'carriage\rreturn' $'a\ttab\x1b[2Jand more'; do
  shown="${name//$'\n'/\\n}"
  shown="${shown//$'\r'/\\r}"
  shown="${shown//$'\t'/\\t}"
  shown="${shown//$'\x1b'/\\u001b}"
  mkdir "$name"
  exits 0 "$NETFS" mount "./remote of $name" "$name"
  at_end "mountpoint -q $(printf %q "$name") && umount -l $(printf %q "$name")"
  says "mounted ./remote of $shown on $PWD/$shown"
  [ "$(lines)" -eq 1 ] || fail "more than one line: $said"
  exits 3 "$NETFS" mount ./other "$name"
  says "$shown is busy"
  [ "$(lines)" -eq 1 ] || fail "more than one line: $said"
  exits 0 "$NETFS" status
  says "$PWD/$shown  $PWD/remote of $shown  (mounted"
  [ "$(lines_about "$PWD/$shown")" -eq 7 ] || fail "status has other lines: $said"
  [ "$(field "$name" mountPoint)" = "$PWD/$name" ] || fail "mountPoint: $(field "$name" mountPoint)"
  [ "$(field "$name" remote)" = "$PWD/remote of $name" ] || fail "remote: $(field "$name" remote)"
  echo content >"$name/file"
  exits 0 "$NETFS" umount "$name"
  says "unmounted $PWD/$shown; everything"
  [ "$(lines)" -eq 1 ] || fail "more than one line: $said"
  [ "$(cat "remote of $name/file")" = content ] || fail "content was lost below $shown"
done

# In use: it says so, and stays.
mounted ./remote mnt
exec 5<mnt/numbers
exits 3 "$NETFS" umount mnt
says "in use"
mountpoint -q mnt || fail "not mounted any more"
exec 5<&-
unmounted mnt

# Plain umount and SIGTERM drain in the background.
for way in kernel signal; do
  mounted ./remote mnt
  pid="$(field mnt pid)"
  head -c 20000000 /dev/urandom | tee mnt/random | md5sum >sum
  if [ "$way" = kernel ]; then
    umount mnt 2>/dev/null || fusermount3 -u mnt || fail "cannot unmount"
  else
    kill -TERM "$pid"
  fi
  wait_for gone "$pid"
  mountpoint -q mnt && fail "still mounted after $way"
  md5sum <remote/random | cmp - sum || fail "bytes were lost after $way"
  rm remote/random
done

# A locale that is not installed is no reason to take names for ASCII.
mkdir mné
exits 0 env -u LC_ALL LANG=nn_NN.UTF-8 "$NETFS" mount ./remote mné
exits 0 env -u LC_ALL LANG=nn_NN.UTF-8 "$NETFS" umount mné
mkdir $'bytes\xff'
exits 2 "$NETFS" mount ./remote $'bytes\xff'
says "is not UTF-8"
exits 2 "$NETFS" mount $'./bytes\xff' mnt
says "is not UTF-8"

# Killed: the mount point is freed, and nobody is told that all is well.
mounted ./remote mnt
pid="$(field mnt pid)"
kill -KILL "$pid"
wait_for gone "$pid"
exits 0 "$NETFS" status
says "the process of the mount on $PWD/mnt is gone"
exits 10 "$NETFS" status mnt
says "free it with netfs umount $PWD/mnt"
exits 3 "$NETFS" mount ./remote mnt
says "process is gone"
exits 0 "$NETFS" umount mnt
says "free again. Nothing is left in its journal"
mountpoint -q mnt && fail "still mounted"
exits 10 "$NETFS" umount mnt

# What a killed one had not sent was given up before its mount point is freed: nothing is left.
mounted ./remote mnt -o dirty_age=1000
pid="$(field mnt pid)"
exec 5>mnt/given
echo up >&5
kill -KILL "$pid"
wait_for gone "$pid"
exec 5>&-
exits 0 "$NETFS" recover --discard=./remote --yes
says "gave up given"
exits 10 "$NETFS" status mnt
says "which tells what is left to send"
exits 0 "$NETFS" umount mnt
says "nothing is left to send"
mountpoint -q mnt && fail "still mounted"

mounted ./remote mnt -o state=none
pid="$(field mnt pid)"
kill -KILL "$pid"
wait_for gone "$pid"
exits 1 "$NETFS" umount mnt
says "free again. It had no journal"
mountpoint -q mnt && fail "still mounted"

# In the foreground, ended by SIGTERM: drained, exit 0.
"$NETFS" mount --foreground ./remote mnt >foreground.log 2>&1 &
pid=$!
wait_for mountpoint -q mnt
echo front >mnt/front
kill -TERM "$pid"
wait "$pid"
rc=$?
[ "$rc" -eq 0 ] || fail "the foreground mount exited $rc: $(cat foreground.log)"
[ "$(cat remote/front)" = front ] || fail "front was lost"

# Bad input: an exit code, one line, nothing left mounted.
touch file
mkdir full && touch full/x
for case in "3 ./remote none" "3 ./remote file" "3 ./remote full" "2 nosuch://x/ mnt" \
  "9 ./none/none mnt" "2 ./remote mnt -o nosuch" "2 sftp://-x/ mnt" "3 ./mnt/remote mnt" \
  "2 ./remote" "9 file mnt" "2 ./remote mnt --log none/log" "2 -f --log none/log ./remote mnt"; do
  # shellcheck disable=SC2086
  exits "${case%% *}" "$NETFS" mount ${case#* }
  [ "$(lines)" -eq 1 ] || fail "more than one line: $said"
  mountpoint -q mnt && fail "left mounted: $case"
done
[ ! -e none ] || fail "the directory of a log was made"
mounted ./remote mnt --log log
[ "$(field mnt log)" = "$PWD/log" ] || fail "log: $(field mnt log)"
[ "$(stat -c %a log)" = 600 ] || fail "others may read the log"
unmounted mnt
echo done

# With the helper plain umount waits too; -l does not.
if [ "$(id -u)" -eq 0 ] && [ ! -e /sbin/umount.fuse.netfs ]; then
  exits 0 "$NETFS" install-helpers
  at_end "'$NETFS' install-helpers --remove >/dev/null"
  mounted ./remote mnt -o dirty_age=1000
  pid="$(field mnt pid)"
  seq 1 300000 >mnt/waited
  exits 0 umount mnt
  says "everything is on the server"
  gone "$pid" || fail "process $pid is still there"
  seq 1 300000 | cmp - remote/waited || fail "plain umount did not wait"
  exits 0 "$NETFS" install-helpers --remove
  [ ! -e /sbin/umount.fuse.netfs ] || fail "the helper is still there"
fi
