# SPDX-License-Identifier: Apache-2.0
# Sourced by the end-to-end tests over SFTP: an OpenSSH server of their own, a link in front of it,
# and mounts. NETFS_E2E=full runs the large sizes; otherwise a test takes a minute at most.
. "$ROOT/e2e/lib.sh"

fixtures="$ROOT/e2e/fixtures"

# The second value in a full run, else the first.
sized() { [ "${NETFS_E2E-}" = full ] && echo "$2" || echo "$1"; }

# Says that something holds, one line for each thing.
ok() { echo "ok: $*"; }

needs() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null || [ -x "/usr/sbin/$tool" ] || skip "$tool is not installed"
  done
}

# Starts sshd; what it serves is $SFTP_DATA.
server() {
  needs sshd ssh-keygen python3
  "$fixtures/sftp" start "$WORK/sftp" || fail "the SFTP server does not start"
  at_end "'$fixtures/sftp' stop '$WORK/sftp'"
  eval "$("$fixtures/sftp" params "$WORK/sftp")"
}

# Puts a link in front of the server; arguments: its one-way delay in milliseconds, its rate.
link() {
  "$fixtures/link" start "$WORK/link" "$SFTP_PORT" "$@" || fail "the link does not start"
  at_end "'$fixtures/link' stop '$WORK/link'"
  eval "$("$fixtures/link" params "$WORK/link")"
  SFTP_REMOTE="${SFTP_REMOTE/:$SFTP_PORT/:$LINK_PORT}"
}

on_link() { "$fixtures/link" ctl "$WORK/link" "$@"; }

# Mounts a directory of the server ($1, made; "" is the whole of it) on $2; further arguments are
# options of netfs.
over_sftp() {
  local below="$1" on="$2"
  shift 2
  mkdir -p "$SFTP_DATA/$below"
  mounted "$SFTP_REMOTE${below:+/$below}" "$on" -o "$SFTP_OPTIONS" "$@"
}
