# SPDX-License-Identifier: Apache-2.0
# Small overwrites of a large file: the right bytes are on the server, and hardly any others were sent.
. "$ROOT/e2e/lib-sftp.sh"

server
over_sftp large mnt
mebibytes=1024
python3 "$ROOT/e2e/lib-write.py" stream mnt/file $mebibytes 1 || fail "writing $mebibytes MiB"
python3 "$ROOT/e2e/lib-write.py" stream want $mebibytes 1
cmp want "$SFTP_DATA/large/file" || fail "the file differs on the server after fsync"
ok "$mebibytes MiB are on the server after fsync"
sent=$(field mnt uploadedBytes)
requests=$(field mnt uploadRequests)
[ "$sent" -le $((mebibytes * 1048576 * 105 / 100)) ] || fail "$sent bytes were sent"
ok "$sent bytes were sent for them, in $requests requests"
SECONDS=0
python3 "$ROOT/e2e/lib-write.py" overwrite mnt/file,want 10000 2 || fail "overwriting"
took=$SECONDS
cmp want "$SFTP_DATA/large/file" || fail "the file differs on the server after the overwrites"
ok "10000 overwrites of 4 KiB are on the server after fsync ($took s)"
more=$(($(field mnt uploadedBytes) - sent))
[ "$more" -le $((10000 * 4096 * 105 / 100)) ] || fail "$more bytes were sent for 40960000"
ok "$more bytes were sent for 40960000 dirtied, in $(($(field mnt uploadRequests) - requests)) requests"
cmp want mnt/file || fail "the file differs when read"
ok "it reads back the same"
unmounted mnt
cmp want "$SFTP_DATA/large/file" || fail "the file differs on the server after umount"
ok "and the same after umount"
