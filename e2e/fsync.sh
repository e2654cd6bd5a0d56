# SPDX-License-Identifier: Apache-2.0
# After fsync the server's disk has the bytes: looked at on the server's side.
. "$ROOT/e2e/lib-sftp.sh"

server
over_sftp synced mnt
right=$(python3 "$ROOT/e2e/lib-write.py" fsync_truth mnt/file "$SFTP_DATA/synced/file" 100 3)
[ "$right" = 100 ] || fail "after $right of 100 fsyncs the server had the bytes"
ok "after 100 of 100 fsyncs the server had the bytes"
unmounted mnt
