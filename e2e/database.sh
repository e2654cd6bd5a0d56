# SPDX-License-Identifier: Apache-2.0
# SQLite keeps its promises on a mount, with a rollback journal and with a write-ahead log's rules.
. "$ROOT/e2e/lib-sftp.sh"

python3 -c 'import sqlite3' 2>/dev/null || skip "python3 has no sqlite3"
server
over_sftp database mnt
cat >work.py <<'P'
import sqlite3, sys
path, count = sys.argv[1], int(sys.argv[2])
db = sqlite3.connect(path, isolation_level=None)
db.execute("PRAGMA synchronous=" + sys.argv[3])
db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT, v BLOB)")
db.execute("CREATE INDEX i ON t (k)")
for n in range(count):
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO t (k, v) VALUES (?, zeroblob(?))", (f"key{n * 7919 % count}", n % 300))
    if n % 3 == 0:
        db.execute("UPDATE t SET v = randomblob(100) WHERE id = ?", (n // 2 + 1,))
    db.execute("COMMIT")
print(db.execute("PRAGMA integrity_check").fetchone()[0], db.execute("SELECT count(*) FROM t").fetchone()[0])
P
cat >judge.py <<'P'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
print(db.execute("PRAGMA integrity_check").fetchone()[0], db.execute("SELECT count(*) FROM t").fetchone()[0])
P
n=10000
SECONDS=0
said="$(python3 work.py mnt/off.db $n OFF 2>&1)"
[ "$said" = "ok $n" ] || fail "synchronous=OFF: $said"
ok "$n transactions, integrity_check ok ($SECONDS s)"
few=$(sized 500 10000)
SECONDS=0
said="$(python3 work.py mnt/full.db "$few" FULL 2>&1)"
[ "$said" = "ok $few" ] || fail "synchronous=FULL: $said"
ok "$few transactions with fsync, integrity_check ok ($SECONDS s)"
[ "$(python3 judge.py "$SFTP_DATA/database/full.db" 2>&1)" = "ok $few" ] ||
  fail "after fsync the server's copy is not sound"
ok "the server's copy is sound at once after the last commit"
unmounted mnt
[ "$(python3 judge.py "$SFTP_DATA/database/off.db" 2>&1)" = "ok $n" ] || fail "the server's copy is not sound"
ok "the server's copy is sound after umount"
