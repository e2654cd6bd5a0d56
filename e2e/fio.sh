# SPDX-License-Identifier: Apache-2.0
# Random writes verified by fio.
. "$ROOT/e2e/lib-sftp.sh"
. "$ROOT/e2e/lib-fio.sh"

needs fio
server
seconds=$(sized 10 60)
fio_size=$(sized 64m 256m)
for size in 4k 64k; do
  over_sftp "fio$size" mnt
  verified mnt "$size" "$seconds"
  same_as_served "$SFTP_DATA/fio$size" mnt
done
