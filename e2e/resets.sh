# SPDX-License-Identifier: Apache-2.0
# Random writes verified by fio, while the connection is slow (20 ms each way) and reset every second.
. "$ROOT/e2e/lib-sftp.sh"
. "$ROOT/e2e/lib-fio.sh"

needs fio
server
link 20
seconds=$(sized 10 60)
fio_size=$(sized 64m 256m)
for size in 4k 64k; do
  over_sftp "fio$size" mnt
  { while sleep 1; do on_link reset >/dev/null; done } 2>/dev/null &
  resetting=$!
  at_end "kill $resetting 2>/dev/null"
  verified mnt "$size" "$seconds"
  same_as_served "$SFTP_DATA/fio$size" mnt
  kill "$resetting"
  wait "$resetting" 2>/dev/null
done
ok "$(on_link stats)"
