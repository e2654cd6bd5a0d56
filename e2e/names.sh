# SPDX-License-Identifier: Apache-2.0
# Names of open files come and go; two mounts of one directory see each other's work.
. "$ROOT/e2e/lib-sftp.sh"

server
over_sftp names mnt
python3 - mnt <<'P' || fail "renaming and unlinking open files"
import os, sys
top = sys.argv[1]
body = os.urandom(3_000_000)

fd = os.open(f"{top}/gone", os.O_RDWR | os.O_CREAT)
os.write(fd, body)
os.unlink(f"{top}/gone")
assert os.fstat(fd).st_nlink == 0, "an unlinked file has links"
os.pwrite(fd, b"more", len(body))
os.fsync(fd)
assert os.pread(fd, len(body) + 4, 0) == body + b"more", "an unlinked file lost bytes"
assert not os.path.exists(f"{top}/gone")
os.close(fd)

fd = os.open(f"{top}/dirty", os.O_RDWR | os.O_CREAT)
os.write(fd, body)
os.mkdir(f"{top}/dir")
os.rename(f"{top}/dirty", f"{top}/dir/renamed")
os.pwrite(fd, b"head", 0)
os.fsync(fd)
os.close(fd)

with open(f"{top}/target", "wb") as file:
    file.write(b"old")
old = os.open(f"{top}/target", os.O_RDONLY)
fd = os.open(f"{top}/source", os.O_RDWR | os.O_CREAT)
os.write(fd, body)
os.rename(f"{top}/source", f"{top}/target")
os.pwrite(fd, b"tail", len(body))
os.close(fd)
assert os.pread(old, 10, 0) == b"old", "the file that was renamed over lost its bytes"
os.close(old)

def linked(lose):
    os.link(f"{top}/first", f"{top}/second")
    assert os.stat(f"{top}/first").st_nlink == 2
    lose()
    assert os.stat(f"{top}/first").st_nlink == 1
    os.link(f"{top}/first", f"{top}/third")
    os.unlink(f"{top}/third")

open(f"{top}/first", "w").close()
linked(lambda: os.unlink(f"{top}/second"))
open(f"{top}/over", "w").close()
linked(lambda: os.rename(f"{top}/over", f"{top}/second"))
os.unlink(f"{top}/second")
os.unlink(f"{top}/first")

with open(f"{top}/expect", "wb") as file:
    file.write(body)
P
ok "an unlinked open file keeps its bytes; open, dirty files are renamed, over a target too; links come and go"
[ -z "$(ls -A mnt | grep -v -x -e dir -e target -e expect)" ] || fail "left behind: $(ls -A mnt)"
unmounted mnt
cd "$SFTP_DATA/names" || fail "no directory"
[ "$(ls -A | tr '\n' ' ')" = "dir expect target " ] || fail "on the server: $(ls -A)"
cmp -s <(printf head; tail -c +5 expect) dir/renamed || fail "renamed differs"
cmp -s <(cat expect; printf tail) target || fail "target differs"
cd "$WORK" || exit 1
ok "the server has the names and the bytes"

over_sftp names one -o attr_timeout=1 -o state=state-one
over_sftp names two -o attr_timeout=1 -o state=state-two
for i in $(seq 20); do
  echo "from one $i" >one/shared
  sync -f one/shared
  sync one/shared
  sleep 1.1
  [ "$(cat two/shared)" = "from one $i" ] || fail "two sees '$(cat two/shared)', not 'from one $i'"
  [ "$i" -ge "$(sized 5 20)" ] && break
done
ok "what one mount fsynced, another sees when it opens the file after attr_timeout"
for mount in one two; do
  for i in $(seq 200); do echo "$mount $i" >"$mount/$mount-$i"; done &
done
wait
unmounted one
unmounted two
[ "$(find "$SFTP_DATA/names" -name 'one-*' -size +0 | wc -l)" = 200 ] || fail "files of one are missing"
[ "$(find "$SFTP_DATA/names" -name 'two-*' -size +0 | wc -l)" = 200 ] || fail "files of two are missing"
ok "two mounts write into one directory"

# One mount at a time keeps what it has of a remote in a directory.
over_sftp names one
mkdir -p two
exits 14 "$NETFS" mount "$SFTP_REMOTE/names" two -o "$SFTP_OPTIONS"
says "$PWD/one (pid $(field one pid))"
mountpoint -q two && fail "mounted twice"
unmounted one
ok "a second mount is refused, and told where the first one is"
