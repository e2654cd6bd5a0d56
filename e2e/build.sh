# SPDX-License-Identifier: Apache-2.0
# Builds run on a mount: javac and jar, and Maven when its plugins are in the local repository.
. "$ROOT/e2e/lib-sftp.sh"

server
over_sftp build mnt
cp -r "$ROOT/core/src/main/java" mnt/java || fail "cp -r"
find mnt/java -name '*.java' >files
jspecify="$(find ~/.m2/repository/org/jspecify -name 'jspecify-*.jar' 2>/dev/null | head -n 1)"
if [ -n "$jspecify" ]; then
  mkdir -p mnt/classes
  "$JDK/bin/javac" --release 21 -nowarn -proc:none -cp "$jspecify" -d mnt/classes @files >javac.log 2>&1 ||
    fail "javac: $(tail -n 20 javac.log)"
  "$JDK/bin/jar" cf mnt/core.jar -C mnt/classes . || fail "jar"
  "$JDK/bin/jar" tf mnt/core.jar >/dev/null || fail "the jar cannot be read"
  ok "javac and jar, $(wc -l <files) files"
fi
needs mvn
mkdir -p mnt/project
cp -r "$ROOT/pom.xml" "$ROOT/.mvn" mnt/project/
for module in core servers/sftp fuse cli bench; do
  mkdir -p "mnt/project/$module"
  cp "$ROOT/$module/pom.xml" "mnt/project/$module/"
done
cp -r "$ROOT/core/src" mnt/project/core/
(cd mnt/project && JAVA_HOME="$JDK" mvn -o -q -B -pl core package -Dnetfs.unjudged \
  -Dmaven.test.skip=true) >maven.log 2>&1 || {
  grep -q -i 'offline' maven.log && skip "Maven's plugins are not in the local repository"
  fail "Maven: $(tail -n 20 maven.log)"
}
built="$(cd mnt && find project/core/target -maxdepth 1 -name '*.jar' | head -n 1)"
[ -n "$built" ] || fail "Maven left no jar"
md5sum <"mnt/$built" >sum
ok "mvn package"
unmounted mnt
md5sum <"$SFTP_DATA/build/$built" | cmp - sum || fail "the jar differs on the server"
"$JDK/bin/jar" tf "$SFTP_DATA/build/$built" >/dev/null || fail "the server's jar cannot be read"
ok "the server has the same jar"
