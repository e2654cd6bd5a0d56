# SPDX-License-Identifier: Apache-2.0
# Thousands of small files over a slow link: made here at once, on the server in the background.
. "$ROOT/e2e/lib-sftp.sh"
server
link 10 50m

files=3000
mkdir mnt
over_sftp small mnt
served="$SFTP_DATA/small"

mkdir mnt/many local
python3 - mnt/many local "$files" <<'P'
import os, random, sys
source = random.Random(7)
for i in range(int(sys.argv[3])):
    data = source.randbytes(source.randrange(5000))
    for top in sys.argv[1:3]:
        with open(f"{top}/{i}", "wb", buffering=0) as file:
            file.write(data)
P
[ "$(find mnt/many -type f | wc -l)" -eq "$files" ] || fail "not all files are shown"
diff -r local mnt/many || fail "the mount shows other bytes"

# A directory that was synced has its names on the server.
mkdir mnt/synced
for i in $(seq 200); do echo "$i" >"mnt/synced/$i"; done
sync mnt/synced || fail "sync of the directory fails"
[ "$(find "$served/synced" -type f | wc -l)" -eq 200 ] || fail "after sync of the directory names are missing"
ok "after sync of the directory its 200 names are on the server"

# What follows at once on a new file finds it, over a connection that breaks.
mkdir mnt/busy
for i in $(seq 60); do
  echo one >"mnt/busy/$i.new"
  [ "$((i % 20))" -ne 0 ] || on_link reset >/dev/null
  echo two >>"mnt/busy/$i.new"
  chmod 640 "mnt/busy/$i.new" || fail "chmod of $i"
  mv "mnt/busy/$i.new" "mnt/busy/$i" || fail "mv of $i"
  ln "mnt/busy/$i" "mnt/busy/$i.also" || fail "ln of $i"
  [ "$((i % 3))" -ne 0 ] || rm "mnt/busy/$i" || fail "rm of $i"
done
rmdir mnt/busy 2>/dev/null && fail "a directory with files in it was removed"

unmounted mnt
diff -r local "$served/many" || fail "the server has other bytes"
[ "$(find "$served/busy" -type f | wc -l)" -eq 100 ] || fail "the server has other names"
for i in $(seq 60); do
  [ "$(cat "$served/busy/$i.also")" = "one
two" ] || fail "$i.also: $(cat "$served/busy/$i.also")"
  [ "$(stat -c %a "$served/busy/$i.also")" = 640 ] || fail "the mode of $i.also"
done
ok "$files small files, and 60 that were moved, linked and removed at once, are what they should be"
