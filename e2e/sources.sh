# SPDX-License-Identifier: Apache-2.0
# A source tree unpacked through a mount is on the server's disk byte for byte after umount.
. "$ROOT/e2e/lib-sftp.sh"

[ -r "$JDK/lib/src.zip" ] || skip "this JDK has no src.zip"
server
over_sftp tree mnt
SECONDS=0
(cd mnt && "$JDK/bin/jar" xf "$JDK/lib/src.zip") || fail "jar xf"
# Whatever the JDK has: 10,000 files at least.
python3 - mnt/more <<'P' || fail "cannot write more files"
import os, random, sys
source = random.Random(7)
for d in range(20):
    os.makedirs(f"{sys.argv[1]}/{d}")
    for i in range(50):
        with open(f"{sys.argv[1]}/{d}/{i} ü.txt", "wb") as file:
            file.write(source.randbytes(source.randrange(20000)))
P
unpacked=$SECONDS
unmounted mnt
total=$SECONDS
mkdir want
(cd want && "$JDK/bin/jar" xf "$JDK/lib/src.zip")
mkdir -p want/more
python3 - want/more <<'P'
import os, random, sys
source = random.Random(7)
for d in range(20):
    os.makedirs(f"{sys.argv[1]}/{d}")
    for i in range(50):
        with open(f"{sys.argv[1]}/{d}/{i} ü.txt", "wb") as file:
            file.write(source.randbytes(source.randrange(20000)))
P
files=$(find want -type f | wc -l)
[ "$files" -ge 10000 ] || skip "src.zip has only $files files"
diff -r want "$SFTP_DATA/tree" >differences || fail "differs: $(head -5 differences)"
ok "$files files are the same on the server (unpacked in $unpacked s, unmounted after $total s)"

# Seen through a fresh mount as well.
over_sftp tree mnt
diff -r want mnt >differences || fail "differs when read: $(head -5 differences)"
ok "$files files read back the same"
rm -rf mnt/java.base || fail "rm -rf"
unmounted mnt
[ ! -e "$SFTP_DATA/tree/java.base" ] || fail "java.base is still there"
ok "a directory tree is removed"
