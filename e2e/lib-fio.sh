# SPDX-License-Identifier: Apache-2.0
# Sourced by the tests with fio.

# Random writes that name what they wrote, by four jobs; then everything is read and verified.
# Arguments: directory, block size, seconds.
verified() {
  fio --name=verified --directory="$1" --rw=randwrite --bs="$2" --numjobs=4 --size="$fio_size" \
    --ioengine=psync --verify=crc32c --verify_fatal=1 --verify_state_save=0 --do_verify=1 \
    --time_based --runtime="$3" --fsync_on_close=1 --group_reporting >"fio-$2.log" 2>&1 ||
    fail "fio $2: $(tail -n 30 "fio-$2.log")"
  grep -q 'err= 0' "fio-$2.log" || fail "fio $2: $(tail -n 30 "fio-$2.log")"
  ok "random writes of $2, four jobs, $3 s: verified" \
    "($(sed -n 's/^ *write: \(IOPS=[^,]*, BW=[^ ]*\).*/\1/p' "fio-$2.log"))"
}

# The server's disk holds what the mount showed. Arguments: directory of the server, mount.
same_as_served() {
  local file
  for file in "$2"/verified.*; do
    md5sum <"$file" >"$(basename "$file").md5"
  done
  unmounted "$2"
  for file in "$1"/verified.*; do
    md5sum <"$file" | cmp - "$(basename "$file").md5" || fail "$file is not what was read"
  done
  ok "the server's files are what the mount showed"
}
