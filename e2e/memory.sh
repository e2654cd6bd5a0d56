# SPDX-License-Identifier: Apache-2.0
# Writing faster than the link carries does not fill the memory.
. "$ROOT/e2e/lib-sftp.sh"

server
link 0 50m
over_sftp memory mnt -o dirty=256m
mebibytes=$(sized 2048 8192)
pid=$(field mnt pid)
SECONDS=0
dd if=/dev/zero of=mnt/file bs=1M count="$mebibytes" conv=fsync 2>dd.log || fail "dd: $(cat dd.log)"
took=$SECONDS
kibibytes=$(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status")
[ "$kibibytes" -lt $(((256 + 200) * 1024)) ] || fail "$((kibibytes / 1024)) MiB were resident"
ok "$mebibytes MiB at 50 MiB/s ($took s) with dirty=256m: at most $((kibibytes / 1024)) MiB resident"
[ "$(stat -c %s "$SFTP_DATA/memory/file")" = $((mebibytes * 1048576)) ] || fail "the file is short"
cmp -n $((mebibytes * 1048576)) "$SFTP_DATA/memory/file" /dev/zero || fail "the file differs"
unmounted mnt
