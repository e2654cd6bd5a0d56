# SPDX-License-Identifier: Apache-2.0
# Uploads that the server refuses for good: named, kept, and given up only when told to.
. "$ROOT/e2e/lib.sh"

[ "$(id -u)" = 0 ] || skip "needs root for a small file system"
mkdir remote
mount -t tmpfs -o size=4m none remote || skip "cannot mount a small file system"
at_end "umount -l remote"

mounted ./remote mnt
echo small >mnt/small
head -c 8000000 /dev/zero | tr '\0' x >mnt/large 2>/dev/null

exits 4 "$NETFS" umount mnt
says large
says "no space"
mountpoint -q mnt || fail "the mount has gone"
[ "$(field mnt dirtyBytes)" -gt 0 ] || fail "nothing is dirty"
[ "$(head -c 3 mnt/large)" = xxx ] || fail "what is kept cannot be read"

# Mended, it goes through.
mount -o remount,size=32m remote || fail "cannot enlarge"
unmounted mnt
[ "$(stat -c %s remote/large)" = 8000000 ] || fail "large is short"

# Given up, it is named, and the exit code is 0.
mount -o remount,size=9m remote || fail "cannot shrink"
mounted ./remote mnt
head -c 8000000 /dev/zero | tr '\0' y >mnt/second 2>/dev/null
exits 4 "$NETFS" umount mnt
exits 0 "$NETFS" umount --discard mnt
says second
mountpoint -q mnt && fail "still mounted"
[ "$(stat -c %s remote/large)" = 8000000 ] || fail "large was touched"
echo done
