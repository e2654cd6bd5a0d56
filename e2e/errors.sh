# SPDX-License-Identifier: Apache-2.0
# Uploads that an SFTP server refuses: every open file hears of it once, umount lists it, nothing is
# lost unless given up.
. "$ROOT/e2e/lib-sftp.sh"

[ "$(id -u)" = 0 ] || skip "needs root for a small file system"
server
mkdir -p "$SFTP_DATA/small"
mount -t tmpfs -o size=8m none "$SFTP_DATA/small" || skip "cannot mount a small file system"
at_end "umount -l '$SFTP_DATA/small'"
over_sftp small mnt
touch mnt/first mnt/second
head -c 8388608 /dev/zero >"$SFTP_DATA/small/ballast" 2>/dev/null
said="$(python3 "$ROOT/e2e/lib-write.py" report mnt/first mnt/second 2>&1)"
case "$said" in
  "ENOSPC ENOSPC ENOSPC ENOSPC") ok "the next fsync of every open file fails with ENOSPC" ;;
  *) fail "fsync of two files, each open twice: $said" ;;
esac
exits 4 "$NETFS" umount mnt
says first
says second
says "no space"
mountpoint -q mnt || fail "the mount has gone"
[ "$(head -c 3 mnt/first)" = yyy ] || fail "what is kept cannot be read"
ok "umount lists both files with the reason, exits 4 and leaves the mount"
exits 0 "$NETFS" umount --discard mnt
says first
says second
mountpoint -q mnt && fail "still mounted"
ok "umount --discard names what it gives up"

rm "$SFTP_DATA/small/ballast"
over_sftp small mnt
head -c 8388608 /dev/zero >"$SFTP_DATA/small/ballast" 2>/dev/null
head -c 2000000 /dev/zero | tr '\0' z >mnt/third
exits 4 "$NETFS" umount mnt
rm "$SFTP_DATA/small/ballast"
unmounted mnt
[ "$(tr -d z <"$SFTP_DATA/small/third" | wc -c) $(stat -c %s "$SFTP_DATA/small/third")" = "0 2000000" ] ||
  fail "third is not whole"
ok "once there is space again, umount saves everything"
