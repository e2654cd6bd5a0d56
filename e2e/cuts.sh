# SPDX-License-Identifier: Apache-2.0
# Files are cut and grow on the server while they are read: zeros that nobody wrote are not read.
. "$ROOT/e2e/lib-sftp.sh"

seconds="$(sized 10 60)"
server
link 2
mkdir "$SFTP_DATA/cut"
python3 "$ROOT/e2e/lib-cuts.py" names "$SFTP_DATA/cut"
over_sftp cut mnt
said="$(python3 "$ROOT/e2e/lib-cuts.py" run "$SFTP_DATA/cut" mnt "$seconds" 2>&1)" || fail "$said"
unmounted mnt
ok "$said"
