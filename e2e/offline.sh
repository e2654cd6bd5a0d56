# SPDX-License-Identifier: Apache-2.0
# The server is away: what is cached is found and read, writes go on into the journal up to its limit, then
# writers wait, or fail where that was asked for; when it is back all of it is sent.
. "$ROOT/e2e/lib-sftp.sh"

server
away_seconds="$(sized 8 3600)"
over_sftp files mnt -o dirty=8m,memory=9m,journal=128m,attr_timeout=1,cache
mkdir mnt/dir
for ((i = 0; i < 40; i++)); do
  head -c 512K /dev/urandom >"mnt/dir/file$i"
done
sync mnt/dir
ls -l mnt/dir >/dev/null
mkdir before
cp mnt/dir/* before/ || fail "cannot read"

connected() { [ "$(field "$1" connection)" = up ]; }
lost() { [ "$(field "$1" connection)" = lost ]; }

# What is done while it is away must end by itself.
soon() { timeout 120 "$@" || fail "'$*' waits for the server (exit $?)"; }

"$fixtures/sftp" stop "$WORK/sftp"
wait_for lost mnt
sleep "$away_seconds"
[ "$(soon ls mnt/dir | wc -l)" -eq 40 ] || fail "the listing is not what it was"
soon diff -r before mnt/dir || fail "what was cached differs"
timeout 3 stat mnt/dir/none >said 2>&1
[ "$?" -eq 124 ] || fail "a name that nobody knows: $(cat said)"
ok "20 MiB that were cached are read after $away_seconds s without a server"

for ((i = 0; i < 8; i++)); do
  head -c 8M /dev/urandom >"before/file$i"
  soon dd if="before/file$i" of="mnt/dir/file$i" bs=1M conv=notrunc,nocreat status=none
done
soon cmp before/file0 mnt/dir/file0 || fail "what was written does not read back"
for ((i = 10; i < 14; i++)); do
  head -c "$((i * 1000))" /dev/urandom >"before/file$i"
  soon cp "before/file$i" "mnt/dir/file$i"
  soon cmp "before/file$i" "mnt/dir/file$i" || fail "what was written anew does not read back"
done
head -c 200M /dev/zero >zeros
timeout 60 dd if=zeros of=mnt/dir/file9 bs=1M conv=notrunc,nocreat status=none
[ "$?" -eq 124 ] || fail "the journal is full, and the writer does not wait"
exits 0 "$NETFS" recover --list
says "changed  dir/file7"
ok "64 MiB were written past a memory of 9 MiB, files were written anew, and then writers wait"

"$fixtures/sftp" start "$WORK/sftp" || fail "the server does not come back"
exits 0 sync mnt/dir
unmounted mnt
cmp zeros "$SFTP_DATA/files/dir/file9" 2>&1 | grep -q "EOF on .*file9" || fail "file9 is not a part of it"
rm before/file9 "$SFTP_DATA/files/dir/file9"
diff -r before "$SFTP_DATA/files/dir" || fail "the server has something else"
ok "when it was back all was sent"

over_sftp soft mnt -o dirty=8m,memory=9m,journal=128m,soft,timeout=3
: >mnt/file
sync mnt/file
"$fixtures/sftp" stop "$WORK/sftp"
wait_for lost mnt
exits 1 timeout 120 dd if=zeros of=mnt/file bs=1M conv=nocreat,notrunc
says "timed out"
written="$(stat -c %s mnt/file)"
[ "$written" -gt $((32 << 20)) ] || fail "only $written bytes went into the journal"
"$fixtures/sftp" start "$WORK/sftp" || fail "the server does not come back"
wait_for connected mnt
unmounted mnt
cmp -n "$written" zeros "$SFTP_DATA/soft/file" || fail "what was written was not sent"
ok "with soft a writer is told after $written bytes"

link 5 4m
over_sftp busy mnt -o dirty=8m,memory=9m,journal=128m
: >mnt/file
sync mnt/file
sending() { [ "$(field mnt inFlightBytes)" -gt 0 ]; }
head -c 64M /dev/urandom >big
timeout 120 dd if=big of=mnt/file bs=300000 conv=nocreat,notrunc status=none &
writer=$!
wait_for sending
on_link refuse
on_link reset
wait_for lost mnt
wait "$writer" || fail "a writer waits for the server (exit $?)"
on_link rate 0
on_link accept
wait_for connected mnt
ok "who was writing when the connection went goes on"

# What they ask is on the wire when the connection goes.
sync mnt/file
on_link stall
openers=()
for ((i = 0; i < 10; i++)); do
  timeout 60 dd if=/dev/zero of=mnt/file bs=1 count=1 seek=$((i * 100)) conv=nocreat,notrunc status=none &
  openers+=("$!")
done
on_link refuse
on_link reset
wait_for lost mnt
for opener in "${openers[@]}"; do
  wait "$opener" || fail "who opened waits for the server (exit $?)"
done
printf '\0' >zero
for ((i = 0; i < 10; i++)); do
  dd if=zero of=big bs=1 seek=$((i * 100)) conv=notrunc status=none
done
on_link resume
on_link accept
unmounted mnt
cmp big "$SFTP_DATA/busy/file" || fail "what was written was not sent"
ok "and so does who was opening"
