# SPDX-License-Identifier: Apache-2.0
# Two mounts edit one file 0 to 3 s apart: both versions are there afterwards, each whole.
# NETFS_CONFLICT_RUNS=N does N runs (10), NETFS_CONFLICT_SEED=S repeats those of a seed.
. "$ROOT/e2e/lib-sftp.sh"

runs="${NETFS_CONFLICT_RUNS:-$(sized 10 100)}"
seed="${NETFS_CONFLICT_SEED:-$((RANDOM * 32768 + RANDOM))}"
server
link 5
mkdir "$SFTP_DATA/both"
python3 "$ROOT/e2e/lib-conflict.py" names "$runs" "$SFTP_DATA/both"
for n in 1 2; do
  over_sftp both "mnt$n" -o "state=$WORK/state$n"
done
echo "seed $seed, $runs runs"
python3 "$ROOT/e2e/lib-conflict.py" run "$runs" "$seed" plan "$SFTP_DATA/both" mnt1 mnt2 ||
  fail "seed $seed: the edits failed"
told=$(($(field mnt1 conflicts) + $(field mnt2 conflicts)))
unmounted mnt1
unmounted mnt2
said="$(python3 "$ROOT/e2e/lib-conflict.py" judge plan "$SFTP_DATA/both" 2>&1)" || fail "seed $seed: $said"
ok "seed $seed: of $runs pairs of edits $said; status told of $told before the end"
