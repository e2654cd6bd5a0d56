# SPDX-License-Identifier: Apache-2.0
# What was read or sent is served from the disk cache by the next mount, and a cache that is full,
# hangs or vanishes changes nothing that is read.
. "$ROOT/e2e/lib-sftp.sh"

needs mkfs.ext4 losetup
server
direct="$SFTP_REMOTE"
link 0
behind_link="$SFTP_REMOTE"
SFTP_REMOTE="$direct"
mkdir -p "$SFTP_DATA/files" "$SFTP_DATA/disk"
count="$(sized 40 400)"
mebibytes=$((count / 2))

for ((i = 0; i < count; i++)); do
  head -c 512K /dev/urandom >"$SFTP_DATA/files/read$i"
  # Older than the second in which it is seen.
  touch -d '1 hour ago' "$SFTP_DATA/files/read$i"
done

# Mounts with a cache in $1; further options may follow.
with_cache() {
  local cache="$1"
  shift
  over_sftp files mnt -o "cache=$cache" "$@"
}

same() { diff -r -x .netfs-locks "$SFTP_DATA/files" mnt || fail "$1: files differ"; }

downloaded() { field mnt downloadedBytes; }

# Whether the server's files are older than the second in which they could change unnoticed: what a
# mount reads of younger ones it does not leave to the next.
are_old() { [ -z "$(find "$SFTP_DATA/files" -type f -newermt '3 seconds ago')" ]; }

# ---- across mounts ------------------------------------------------------------------------------

over_sftp files mnt -o cache
same "first read"
for ((i = 0; i < count; i++)); do
  head -c 100K /dev/urandom >"mnt/sent$i"
done
unmounted mnt
wait_for are_old
find "$XDG_CACHE_HOME/netfs" -name '*.log' | grep -q . || fail "what the journal had was written again"
[ "$(stat -c %a "$XDG_CACHE_HOME/netfs")" = 700 ] || fail "the cache directory is open to others"
over_sftp files mnt -o cache
same "second read"
[ "$(downloaded)" -eq 0 ] || fail "$(downloaded) bytes were downloaded again"
touch -d '2 hours ago' "$SFTP_DATA/files/read0"
head -c 512K /dev/urandom >"$SFTP_DATA/files/read1"
touch -d '1 hour ago' "$SFTP_DATA/files/read1"
unmounted mnt
over_sftp files mnt -o cache,ro
same "what others changed"
[ "$(downloaded)" -eq $((2 << 19)) ] || fail "$(downloaded) bytes were downloaded for two files"
unmounted mnt
exits 2 "$NETFS" mount "$SFTP_REMOTE/files" mnt -o "$SFTP_OPTIONS,cache=/"
says "the cache directory / is open to others"
ok "$mebibytes MiB that were read, and what was sent, came from the disk cache"

# ---- on a disk that is full ---------------------------------------------------------------------

if [ "$(id -u)" -eq 0 ]; then
  truncate -s 64M image
  mkfs.ext4 -q image || fail "no file system"
  mkdir small
  mount -o loop image small || fail "no loop device"
  at_end "umount -l '$WORK/small'"
  with_cache "$WORK/small/cache" -o cache_size=1g
  head -c 40M /dev/zero >small/other
  same "small disk"
  cat /dev/zero >small/filler 2>/dev/null
  same "full disk"
  head -c 2M /dev/urandom >mnt/late
  unmounted mnt
  rm small/filler small/other
  with_cache "$WORK/small/cache" -o cache_size=1g
  same "after a full disk"
  unmounted mnt
  ok "a cache of $mebibytes MiB on a disk of 64 MiB, full besides"
fi

# ---- on a disk that hangs, and one that vanishes --------------------------------------------------

mkdir disk
mounted "$behind_link/disk" disk -o "$SFTP_OPTIONS,unbuffered,state=none"
disk_pid="$(field disk pid)"
chmod 700 disk
with_cache "$WORK/disk/cache"
same "before it hangs"
unmounted mnt
with_cache "$WORK/disk/cache"
cat mnt/read[0-9] >/dev/null
on_link stall >/dev/null
same "while it hangs"
head -c 2M /dev/urandom >mnt/written
sync mnt/written
cmp mnt/written "$SFTP_DATA/files/written" || fail "an fsync waited for the cache"
[ "$(field mnt cacheErrors)" -gt 0 ] || fail "the cache did not hang"
on_link resume >/dev/null
same "after it hung"
kill -KILL "$disk_pid"
wait_for gone "$disk_pid"
same "when it has vanished"
head -c 2M /dev/urandom >mnt/vanished
unmounted mnt
umount -l disk
ok "a cache that hangs, and then is gone"
