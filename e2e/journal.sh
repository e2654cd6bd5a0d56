# SPDX-License-Identifier: Apache-2.0
# The mount's process is killed, or told not to wait: the next mount has what was written, and sends it.
. "$ROOT/e2e/lib-sftp.sh"

server
remote="$SFTP_REMOTE/kept"

# Kills the mount's process; whoever frees the mount point is told what it leaves.
killed() {
  local pid rc
  pid="$(field mnt pid)"
  kill -KILL "$pid"
  wait_for gone "$pid"
  said="$("$NETFS" umount mnt 2>&1)"
  rc=$?
  says "free again"
  case "$rc" in
    0) says "Nothing is left in its journal" ;;
    15) says "mount $remote again" ;;
    *) fail "umount of a dead mount exited $rc: $said" ;;
  esac
}

# What is written while the server is away is on this machine alone.
over_sftp kept mnt
mkdir mnt/dir
echo before >mnt/dir/old
exec 5>mnt/dir/numbers 6>>mnt/dir/old
sync mnt/dir mnt/dir/old mnt/dir/numbers
"$fixtures/sftp" stop "$WORK/sftp"
seq 1 200000 >&5
echo after >&6
exec 5>&- 6>&-
killed
says "not on the server: dir/numbers ("
says "not on the server: dir/old ("

exits 0 "$NETFS" recover --list
says "$remote  (not mounted)"
says "changed  dir/numbers"
says "changed  dir/old"
exits 0 "$NETFS" recover --json
says '"mountedBy":null'
says '"path":"dir/numbers"'
mkdir elsewhere
exits 0 "$NETFS" recover --json -o state=elsewhere
[ "$said" = '{"remotes":[]}' ] || fail "elsewhere: $said"
[ -z "$(ls elsewhere)" ] || fail "something was made elsewhere"
ok "recover tells what is left, without mounting"

"$fixtures/sftp" start "$WORK/sftp" || fail "the server does not come back"
exits 0 "$NETFS" mount "$remote" mnt -o "$SFTP_OPTIONS,ro"
says "a read-only mount does not show it"
unmounted mnt
exits 0 "$NETFS" mount "$remote" mnt -o "$SFTP_OPTIONS,dirty_age=1000"
at_end "mountpoint -q mnt && umount -l mnt"
says "an earlier mount had not sent"
seq 1 200000 | cmp - mnt/dir/numbers || fail "numbers differ in the mount"
[ "$(cat mnt/dir/old)" = "before
after" ] || fail "old: $(cat mnt/dir/old)"
exec 5>mnt/again
echo again >&5
killed
exec 5>&-
over_sftp kept mnt
unmounted mnt
seq 1 200000 | cmp - "$SFTP_DATA/kept/dir/numbers" || fail "numbers differ"
[ "$(cat "$SFTP_DATA/kept/again")" = again ] || fail "again differs"
exits 0 "$NETFS" recover
says "nothing is left"
ok "what was written before a kill is on the server, after two of them"

# Told not to wait, it leaves what there is, says so, and the next one goes on.
over_sftp kept mnt
exec 5>mnt/later
sync mnt/later
"$fixtures/sftp" stop "$WORK/sftp"
echo later >&5
exec 5>&-
exits 15 "$NETFS" umount --no-drain --timeout 1 mnt
says later
says "next mount"
mountpoint -q mnt && fail "still mounted"
"$fixtures/sftp" start "$WORK/sftp" || fail "the server does not come back"
exits 0 "$NETFS" mount "$remote" mnt -o "$SFTP_OPTIONS"
says "an earlier mount had not sent 1 file"
exits 0 "$NETFS" umount mnt
[ "$(cat "$SFTP_DATA/kept/later")" = later ] || fail "later was lost"
ok "umount --no-drain leaves what is not on the server, and lists it"

# Without a journal it says what it cannot promise, and new files wait for the server.
exits 0 "$NETFS" mount "$remote" mnt -o "$SFTP_OPTIONS,state=none"
says "no journal (state=none)"
grep -q "no journal" "$(field mnt log)" || fail "the log does not tell"
echo there >mnt/there
[ -e "$SFTP_DATA/kept/there" ] || fail "a new file is not on the server"
exits 2 "$NETFS" umount --no-drain mnt
says "no journal"
unmounted mnt
mkdir -m 755 open
exits 2 "$NETFS" mount "$remote" mnt -o "$SFTP_OPTIONS,state=open"
says "chmod 700 $PWD/open"
mountpoint -q mnt && fail "mounted with a state directory that others may read"
ok "a mount without a journal says so"
