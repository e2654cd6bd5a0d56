# SPDX-License-Identifier: Apache-2.0
# Git works on a mount, and what it leaves on the server is a sound repository.
. "$ROOT/e2e/lib-sftp.sh"

needs git
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@b \
  GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@b
server
git init -q origin && cd origin
for i in $(seq 40); do
  mkdir -p "d$((i % 5))"
  seq "$i" $((i * 500)) >"d$((i % 5))/file$i"
  git add . && git commit -q -m "Add file $i" || fail "cannot make a repository"
done
cd ..
over_sftp repository mnt
git clone -q --no-local origin mnt/clone || fail "clone"
ok "git clone"
for i in $(seq 10); do
  echo "line $i" >>mnt/clone/d1/file1
  git -C mnt/clone mv "d0/file$((i * 2 % 8 * 5 + 5))" "d1/moved$i" 2>/dev/null
  seq "$i" 20000 >"mnt/clone/new$i"
  git -C mnt/clone add -A && git -C mnt/clone commit -q -m "Change $i" || fail "commit $i"
done
git -C mnt/clone checkout -q -b side HEAD~5 && echo side >mnt/clone/side &&
  git -C mnt/clone add side && git -C mnt/clone commit -q -m Side &&
  git -C mnt/clone merge -q -m Merge - || fail "branch and merge"
git -C mnt/clone gc -q || fail "gc"
ok "commits, a merge, gc"
git -C mnt/clone fsck --full --strict >fsck 2>&1 || fail "fsck: $(cat fsck)"
[ -z "$(git -C mnt/clone status --porcelain)" ] || fail "the tree is not clean"
ok "git fsck --full on the mount"
head="$(git -C mnt/clone rev-parse HEAD)"
unmounted mnt
on_server="$SFTP_DATA/repository/clone"
git -C "$on_server" fsck --full --strict >fsck 2>&1 || fail "fsck on the server: $(cat fsck)"
[ "$(git -C "$on_server" rev-parse HEAD)" = "$head" ] || fail "another head on the server"
git -C "$on_server" update-index -q --refresh
[ -z "$(git -C "$on_server" status --porcelain)" ] || fail "the server's tree is not clean"
ok "git fsck --full on the server"
