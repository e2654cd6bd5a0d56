# SPDX-License-Identifier: Apache-2.0
# A mount by a user who is not root, through fusermount3. Root runs it as nobody, in a directory of
# nobody's, with a /dev/fuse of its own that only this test sees.
. "$ROOT/e2e/lib.sh"

command -v fusermount3 >/dev/null || skip "fusermount3 is not installed"

# The parts of the test that only root can set up; the rest follows as nobody.
as_root() {
  local file own rc
  id nobody >/dev/null 2>&1 || skip "there is no user nobody"
  command -v setpriv >/dev/null || skip "setpriv is not installed"
  for file in "$ROOT/e2e/user.sh" "$NETFS" "$ROOT/.build/current/netfs-cli.jar" "$JDK/bin/java"; do
    as_nobody test -r "$file" || skip "the user nobody cannot read $file"
  done
  own="$(mktemp -d "${TMPDIR:-/tmp}/netfs-user.XXXXXX")" || fail "no directory for nobody"
  at_end "rm -rf --one-file-system '$own'"
  mkdir "$own/foreign" "$WORK/dev" && chmod 755 "$own/foreign" && chown nobody "$own" || fail "chown"
  as_nobody test -w "$own" || skip "the user nobody cannot use $own"
  mount -t tmpfs -o mode=755 none "$WORK/dev" && mknod -m 600 "$WORK/dev/fuse" c 10 229 &&
    mount --bind "$WORK/dev/fuse" /dev/fuse || skip "cannot give nobody a /dev/fuse here"
  begin_user "$own" denied
  rc=$?
  [ "$rc" -eq 0 ] || exit "$rc"
  chmod 666 "$WORK/dev/fuse"
  begin_user "$own" mounts
  exit
}

as_nobody() { setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups "$@"; }

# Runs the part $2 of this script as nobody, who works in $1.
begin_user() {
  (cd "$1" && as_nobody env -i PATH="$PATH" HOME="$1" JAVA_HOME="$JDK" JDK="$JDK" NETFS="$NETFS" \
    ROOT="$ROOT" WORK="$1" bash "$ROOT/e2e/user.sh" "$2")
}

one_line() { [ "$(printf '%s\n' "$said" | wc -l)" -eq 1 ] || fail "more than one line: $said"; }

# Refused is what this user may not do: one line with the remedy, nothing left behind.
denied() {
  mkdir -p mnt
  exits 5 "$NETFS" mount ./remote mnt
  one_line
  says "/dev/fuse"
  says "chmod"
  mountpoint -q mnt && fail "mounted although /dev/fuse is closed"
  echo "ok: a closed /dev/fuse is told with the remedy"
}

mounts() {
  mounted ./remote mnt
  pid="$(field mnt pid)"
  grep -q " $PWD/mnt .*fuse.netfs.*user_id=$(id -u)," /proc/self/mountinfo || fail "not mounted as this user"
  mkdir mnt/dir
  python3 - mnt/dir/file remote/dir/file <<'P' || fail "write and fsync"
import os, sys
body = os.urandom(5_000_000)
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
os.write(fd, body)
os.pwrite(fd, b"head", 0)
os.fsync(fd)
with open(sys.argv[2], "rb") as file:
    assert file.read() == b"head" + body[4:], "after fsync the server has other bytes"
os.close(fd)
P
  [ "$(stat -c %u:%g mnt/dir/file)" = "$(id -u):$(id -g)" ] || fail "owner: $(stat -c %u:%g mnt/dir/file)"
  exits 0 "$NETFS" status
  says "$PWD/mnt  $PWD/remote  (mounted"
  seq 1 100000 >mnt/numbers
  exec 5<mnt/numbers
  exits 3 "$NETFS" umount mnt
  one_line
  says "in use"
  exec 5<&-
  unmounted mnt
  mountpoint -q mnt && fail "still mounted"
  gone "$pid" || fail "process $pid is still there"
  seq 1 100000 | cmp - remote/numbers || fail "numbers differ"
  echo "ok: mount, write, fsync, umount"

  for way in fusermount3 signal signal-in-use; do
    mounted ./remote mnt
    pid="$(field mnt pid)"
    head -c 20000000 /dev/urandom | tee mnt/random | md5sum >sum
    case "$way" in
      fusermount3) fusermount3 -u mnt || fail "fusermount3 -u" ;;
      signal) kill -TERM "$pid" ;;
      signal-in-use)
        exec 5<mnt/random
        kill -TERM "$pid"
        ;;
    esac
    wait_for gone "$pid"
    exec 5<&-
    mountpoint -q mnt && fail "still mounted after $way"
    md5sum <remote/random | cmp - sum || fail "bytes were lost after $way"
    rm remote/random
  done
  echo "ok: fusermount3 -u and SIGTERM drain in the background"

  mounted ./remote mnt
  pid="$(field mnt pid)"
  kill -KILL "$pid"
  wait_for gone "$pid"
  exits 3 "$NETFS" mount ./remote mnt
  one_line
  says "process is gone"
  exits 0 "$NETFS" umount mnt
  one_line
  says "free again"
  mountpoint -q mnt && fail "still mounted"
  echo "ok: the mount of a killed process is freed"

  mounted ./remote mnt -o ro
  touch mnt/x 2>/dev/null && fail "ro is not read-only"
  unmounted mnt
  if ! grep -qs '^ *user_allow_other' /etc/fuse.conf; then
    exits 5 "$NETFS" mount ./remote mnt -o allow_other
    one_line
    says "fuse.conf"
  fi
  if [ -d foreign ]; then
    exits 3 "$NETFS" mount ./remote foreign
    one_line
    says "foreign"
    says "belongs to"
  fi
  name=$'a "name", of\\this\nuser'
  mounted "./remote of $name" "$name"
  echo content >"$name/file"
  unmounted "$name"
  [ "$(cat "remote of $name/file")" = content ] || fail "content was lost"
  echo "ok: options, other users' directories, names"
}

if [ "$(id -u)" != 0 ]; then
  part="${1-mounts}"
  [ "$part" = denied ] || [ -w /dev/fuse ] || skip "this user may not open /dev/fuse"
  "$part"
elif [ "${1-}" = in-private ]; then
  as_root
else
  unshare -m true 2>/dev/null || skip "cannot keep a /dev/fuse of nobody's from the others here"
  unshare -m bash "$ROOT/e2e/user.sh" in-private
fi
