# SPDX-License-Identifier: Apache-2.0
# A local directory as the remote: the first command of the documents, and work on it.
. "$ROOT/e2e/lib.sh"

mkdir mnt && "$NETFS" mount ./remote ./mnt || fail "mkdir mnt && netfs mount ./remote ./mnt"
at_end "mountpoint -q mnt && '$NETFS' umount --discard mnt >/dev/null 2>&1"
echo "ok: mkdir mnt && netfs mount ./remote ./mnt"
cp -a "$ROOT/core/src" mnt/src || fail "cp -a"
python3 "$ROOT/e2e/lib-write.py" stream mnt/file 200 4 || fail "stream"
python3 "$ROOT/e2e/lib-write.py" stream want 200 4
python3 "$ROOT/e2e/lib-write.py" overwrite mnt/file,want 2000 5 || fail "overwrite"
cmp want remote/file || fail "the file differs after fsync"
echo "ok: what fsync promised is in the directory"
diff -r "$ROOT/core/src" mnt/src || fail "the tree differs when read"
"$NETFS" umount mnt || fail "umount"
diff -r "$ROOT/core/src" remote/src || fail "the tree differs"
cmp want remote/file || fail "the file differs"
echo "ok: everything is in the directory after umount"
