# SPDX-License-Identifier: Apache-2.0
# The server dies while files are written, and comes back: nothing is lost, fsync told the truth.
. "$ROOT/e2e/lib-sftp.sh"

server
over_sftp restart mnt
seconds=$(sized 15 60)
python3 "$ROOT/e2e/lib-write.py" journal mnt/journal "$SFTP_DATA/restart/journal" "$seconds" >journal.log 2>&1 &
writer=$!
at_end "kill $writer 2>/dev/null"
python3 "$ROOT/e2e/lib-write.py" stream mnt/stream 300 6 &
other=$!
at_end "kill $other 2>/dev/null"
connection_is() { [ "$(field mnt connection)" = "$1" ]; }
connection_is up || fail "the connection is $(field mnt connection)"
for i in 1 2 3; do
  sleep $((seconds / 5))
  "$fixtures/sftp" stop "$WORK/sftp"
  wait_for connection_is lost
  "$NETFS" status mnt | grep -q '^  connection  *lost' || fail "status does not tell that it is lost"
  sleep 1
  "$fixtures/sftp" start "$WORK/sftp" || fail "the server does not come back"
done
wait_for connection_is up
ok "status tells whether the connection is lost"
wait "$writer" || fail "the writer of lines: $(cat journal.log)"
wait "$other" || fail "the writer of the stream failed"
read -r lines synced <journal.log
unmounted mnt
[ "$(wc -l <"$SFTP_DATA/restart/journal")" = "$lines" ] || fail "lines are missing"
awk '$1 + 0 != NR - 1 || length($2) != 990 { exit 1 }' "$SFTP_DATA/restart/journal" || fail "a line is wrong"
python3 "$ROOT/e2e/lib-write.py" stream want 300 6
cmp want "$SFTP_DATA/restart/stream" || fail "the stream differs"
ok "the server died three times: $lines lines and 300 MiB are whole, $synced fsyncs were true"

# umount(8) does not wait: what it leaves behind would go over what a later mount writes.
over_sftp restart mnt
exec 5>mnt/late
"$fixtures/sftp" stop "$WORK/sftp"
echo last >&5
exec 5>&-
"$NETFS" umount mnt 2>interrupted &
waiting=$!
sleep 2
kill -TERM "$waiting" # a shell has its background ignore INT
wait "$waiting"
grep -q "goes on" interrupted || fail "umount does not tell that the mount goes on: $(cat interrupted)"
umount mnt || fail "umount(8) exited $?"
exits 13 "$NETFS" mount "$SFTP_REMOTE/restart" mnt -o "$SFTP_OPTIONS"
says "still has"
says "netfs umount"
"$fixtures/sftp" start "$WORK/sftp" || fail "the server does not come back"
"$NETFS" umount mnt || [ $? = 10 ] || fail "umount mnt fails" # 10: it was ready before it was asked
[ "$(cat "$SFTP_DATA/restart/late")" = last ] || fail "what was written last is not there"
over_sftp restart mnt
unmounted mnt
ok "a mount is refused while an earlier one of the same files still sends"
