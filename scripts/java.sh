# SPDX-License-Identifier: Apache-2.0
# Sourced by ./netfs and ./check: finds a JDK and Maven. Speaks on stderr only.

# The feature number (25) of the JDK whose home is $1, read from its release file, which costs
# nothing beside asking it; 0 when there is none.
jdk_feature() {
  local line version=0
  if [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] && [ -r "$1/release" ]; then
    while IFS= read -r line; do
      case "$line" in
        JAVA_VERSION=*)
          version="${line#JAVA_VERSION=}"
          version="${version//\"/}"
          version="${version%%[.+-]*}"
          ;;
      esac
    done <"$1/release"
  fi
  case "$version" in '' | *[!0-9]*) version=0 ;; esac
  printf '%s' "$version"
}

# Sets JDK to the home of a JDK of feature number $1 or newer (exactly $1 with $2 = exactly).
find_jdk() {
  local wanted="$1" exactly="${2-}" candidate feature on_path
  on_path="$(command -v java 2>/dev/null || true)"
  [ -n "$on_path" ] && on_path="$(dirname "$(dirname "$(readlink -f "$on_path")")")"
  for candidate in "${JAVA_HOME-}" "$on_path" /usr/lib/jvm/* /usr/java/* /opt/* /usr/local/* \
    "${HOME-}"/.sdkman/candidates/java/* "${HOME-}"/.jdks/* "${HOME-}"/.asdf/installs/java/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    [ -n "$candidate" ] && [ -d "$candidate" ] || continue
    feature="$(jdk_feature "$candidate")"
    if [ "$feature" -eq "$wanted" ] || { [ -z "$exactly" ] && [ "$feature" -gt "$wanted" ]; }; then
      JDK="$candidate"
      return 0
    fi
  done
  return 1
}

# Installs Debian packages when this is root on a machine that has apt-get; else fails.
apt_install() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
  {
    DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
  } </dev/null >&2
}

# Sees to it that mvn is on the path.
need_maven() {
  command -v mvn >/dev/null 2>&1 && return 0
  echo "$1: installing Maven" >&2
  apt_install maven && command -v mvn >/dev/null 2>&1 && return 0
  echo "$1: needs Maven 3.8.7 or newer to build; install it (Debian: apt-get install maven)" >&2
  return 1
}
