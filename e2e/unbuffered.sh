# SPDX-License-Identifier: Apache-2.0
# O_DIRECT, O_SYNC and -o unbuffered over a mount: what write(2) returned for is on the server, what
# is read comes from there, and buffered writers of the same file lose nothing.
. "$ROOT/e2e/lib-sftp.sh"

server
over_sftp plain mnt

# Each block written directly over what is dirty in the page cache, and beyond the end.
head -c 3000000 /dev/urandom >wanted
cp wanted mnt/file
head -c 1048576 /dev/urandom >block
for place in 0 1 2; do
  dd if=block of=wanted bs=1M seek="$place" conv=notrunc status=none
  dd if=block of=mnt/file bs=1M seek="$place" conv=notrunc oflag=direct status=none || fail "dd exited $?"
  dd if="$SFTP_DATA/plain/file" bs=1M skip="$place" count=1 status=none | cmp - block ||
    fail "a direct write returned before the server had it"
done
dd if=mnt/file bs=1M iflag=direct status=none | cmp - wanted || fail "direct reads show something else"
cmp mnt/file wanted || fail "buffered reads show something else"
ok "direct writes and reads agree with buffered ones"

# Synchronous appends: each is there when dd goes on.
dd if=block of=mnt/log bs=64k oflag=sync,append conv=notrunc status=none || fail "dd exited $?"
cmp "$SFTP_DATA/plain/log" block || fail "synchronous appends were not on the server"
ok "synchronous writes are on the server when they return"
unmounted mnt
cmp "$SFTP_DATA/plain/file" wanted || fail "the file on the server is another one"

# What another puts there is seen at once: nothing is cached.
over_sftp bare bare -o unbuffered
echo one >bare/note
echo two >"$SFTP_DATA/bare/note"
[ "$(cat bare/note)" = two ] || fail "an unbuffered mount shows what was there before"
cp wanted bare/copy
cmp "$SFTP_DATA/bare/copy" wanted || fail "an unbuffered copy is not on the server"
ok "an unbuffered mount shows and holds what the server has"
unmounted bare

# The server goes away in the middle of direct writes: who makes them can be killed all the same.
over_sftp away away
connection_is() { [ "$(field away connection)" = "$1" ]; }
is_at_work() { [ "$(stat -c %s "$SFTP_DATA/away/file" 2>/dev/null || echo 0)" -gt 0 ]; }
dd if=/dev/zero of=away/file bs=1M count=100000 oflag=direct status=none &
writer=$!
at_end "kill -9 $writer 2>/dev/null"
wait_for is_at_work
"$fixtures/sftp" stop "$WORK/sftp"
wait_for connection_is lost
sleep 1
kill -9 "$writer"
wait_for gone "$writer"
connection_is lost || fail "the server was back too early to show anything"
ok "a direct write is killed while the server is away"
"$fixtures/sftp" start "$WORK/sftp" || fail "the server does not come back"
size=$(stat -c %s away/file)
echo end >>away/file || fail "cannot go on writing"
unmounted away
tail -c 4 "$SFTP_DATA/away/file" | grep -qx end || fail "what was appended is not at the end"
[ "$(stat -c %s "$SFTP_DATA/away/file")" -ge $((size + 4)) ] || fail "the file has become shorter"
ok "the file goes on once the server is back"
