// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.tidy;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.tidy.Sources.Source;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Holds what ARCHITECTURE.md says of the floors, and the habits that a machine can check: it reads
 * the source text, so it sees imports and full names alike.
 */
class ArchitectureTest {
    /** The floors of core; each may use those with a greater number, and itself. */
    private static final Map<String, Integer> FLOORS =
            Map.ofEntries(
                    Map.entry("nio", 0),
                    Map.entry("", 1),
                    Map.entry("vfs", 2),
                    Map.entry("engine", 3),
                    Map.entry("server", 4),
                    Map.entry("cache", 4),
                    Map.entry("crypto", 4),
                    Map.entry("request", 5),
                    Map.entry("pagecache", 6),
                    Map.entry("trace", 7),
                    Map.entry("base", 8));

    private static final Set<String> SEEN_BY_BACK_ENDS =
            Set.of("server", "request", "base", "trace", "sftp");

    private static final Pattern OURS = Pattern.compile("\\bio\\.netfs4j\\.([A-Za-z_]\\w*)");

    /** What would let core depend on real time, real chance or threads that nobody gave it. */
    private static final List<Pattern> BANNED =
            List.of(
                    Pattern.compile(
                            "\\bThread\\s*\\.\\s*(sleep|ofVirtual|ofPlatform|startVirtual\\w*)"),
                    Pattern.compile("\\bnew\\s+Thread\\b"),
                    Pattern.compile("\\bSystem\\s*\\.\\s*(nanoTime|currentTimeMillis)\\b"),
                    Pattern.compile("\\bnew\\s+(Random|SplittableRandom|SecureRandom)\\b"),
                    Pattern.compile("\\bThreadLocalRandom\\b"),
                    Pattern.compile("\\bMath\\s*\\.\\s*random\\b"),
                    Pattern.compile("\\bsynchronized\\b"),
                    Pattern.compile("\\bExecutors\\s*\\."),
                    Pattern.compile("\\bForkJoinPool\\b"),
                    Pattern.compile("\\b(parkNanos|parkUntil|awaitNanos|awaitUntil)\\b"),
                    Pattern.compile("\\b(orTimeout|completeOnTimeout|delayedExecutor)\\b"),
                    Pattern.compile("\\b(Instant|LocalDateTime|ZonedDateTime)\\s*\\.\\s*now\\b"),
                    Pattern.compile("\\bUUID\\s*\\.\\s*randomUUID\\b"));

    private static final String REAL_WORLD = "SystemRuntime.java";

    private static final int FILE_LINES_MAX = 600;
    private static final int LINE_COLUMNS_MAX = 100;

    private static final Pattern BANNED_NAME =
            Pattern.compile(
                    "^(Base|Abstract)[A-Z].*|.*(Manager|Helper|Util|Utils|Impl|Info)(Test|IT)?$");

    @Test
    void core_importsOnlyFloorsBelow() {
        List<String> wrong = new ArrayList<>();
        for (Source source : main("core")) {
            String from = floor(source.packageName());
            Integer height = FLOORS.get(from);
            if (height == null) {
                wrong.add(source.path() + " is on no floor");
                continue;
            }
            for (String to : used(source)) {
                Integer target = FLOORS.get(to);
                if (target == null || (!to.equals(from) && target <= height)) {
                    wrong.add(source.path() + " uses " + (to.isEmpty() ? "the root" : to));
                }
            }
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void backEnds_seeTheServerSpiAlone() {
        List<String> wrong = new ArrayList<>();
        for (Source source : Sources.main()) {
            boolean backEnd =
                    source.module().startsWith("servers/")
                            || source.packageName().startsWith("io.netfs4j.server.");
            if (backEnd) {
                for (String to : used(source)) {
                    if (!SEEN_BY_BACK_ENDS.contains(to)) {
                        wrong.add(source.path() + " uses " + (to.isEmpty() ? "the root" : to));
                    }
                }
            }
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void core_needsNothingButTheJdk() {
        Pattern imports = Pattern.compile("(?m)^import\\s+(?:static\\s+)?([\\w.]+)");
        List<String> wrong = new ArrayList<>();
        for (Source source : main("core")) {
            Matcher matcher = imports.matcher(source.code());
            while (matcher.find()) {
                if (!matcher.group(1)
                        .matches("(java|javax|jdk\\.jfr|io\\.netfs4j|org\\.jspecify)\\..*")) {
                    wrong.add(source.path() + " imports " + matcher.group(1));
                }
            }
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void core_takesTimeChanceAndThreadsFromItsEnvironment() {
        List<String> wrong = new ArrayList<>();
        for (Source source : main("core")) {
            if (source.fileName().equals(REAL_WORLD)) {
                continue;
            }
            String code = source.code();
            for (Pattern banned : BANNED) {
                Matcher matcher = banned.matcher(code);
                if (matcher.find()) {
                    wrong.add(source.path() + ": " + matcher.group());
                }
            }
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void everywhere_locksAreReentrantLocks() {
        Pattern banned = Pattern.compile("\\bsynchronized\\b");
        assertThat(Sources.main())
                .filteredOn(source -> banned.matcher(source.code()).find())
                .extracting(Source::path)
                .isEmpty();
    }

    @Test
    void everyPackage_saysWhatItIs() {
        Set<String> packages = new TreeSet<>();
        Set<String> described = new TreeSet<>();
        for (Source source : Sources.main()) {
            packages.add(source.module() + " " + source.packageName());
            if (source.fileName().equals("package-info.java")
                    && source.code().contains("@NullMarked")
                    && source.text().contains("/**")) {
                described.add(source.module() + " " + source.packageName());
            }
        }
        assertThat(described).isEqualTo(packages);
    }

    @Test
    void everyFile_hasItsLicenceAndIsShort() {
        List<String> wrong = new ArrayList<>();
        for (Source source : Sources.all()) {
            if (!source.text().startsWith("// SPDX-License-Identifier: Apache-2.0\n")) {
                wrong.add(source.path() + ": no SPDX line first");
            }
            List<String> lines = source.text().lines().toList();
            if (lines.size() > FILE_LINES_MAX) {
                wrong.add(source.path() + ": " + lines.size() + " lines");
            }
            for (int i = 0; i < lines.size(); i++) {
                if (lines.get(i).length() > LINE_COLUMNS_MAX
                        && !lines.get(i).startsWith("import ")) {
                    wrong.add(source.path() + ":" + (i + 1) + ": wider than " + LINE_COLUMNS_MAX);
                }
            }
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void everyType_isNamedForWhatItIs() {
        assertThat(Sources.all())
                .extracting(source -> source.fileName().replace(".java", ""))
                .filteredOn(name -> BANNED_NAME.matcher(name).matches())
                .isEmpty();
    }

    @Test
    void noComment_leavesWorkForLater() {
        Pattern later = Pattern.compile("\\b(TODO|FIXME|XXX)\\b|@author\\b");
        assertThat(Sources.main())
                .filteredOn(source -> later.matcher(source.text()).find())
                .extracting(Source::path)
                .isEmpty();
    }

    @Test
    void code_leavesOutCommentsAndLiterals() {
        String text = "a /* b */ c // d\n\"e\\\"f\" 'g' \"\"\"\nh\"\"\" i";

        assertThat(Sources.code(text)).isEqualTo("a  c \n\"\" \"\" \"\" i");
    }

    private static List<Source> main(String module) {
        return Sources.main().stream().filter(source -> source.module().equals(module)).toList();
    }

    /** The first word below {@code io.netfs4j}; empty for the root. */
    private static String floor(String packageName) {
        String below = packageName.replaceFirst("^io\\.netfs4j\\.?", "");
        int dot = below.indexOf('.');
        return dot < 0 ? below : below.substring(0, dot);
    }

    /** The floors that a file names; a capital letter is a type of the root. */
    private static Set<String> used(Source source) {
        Set<String> floors = new TreeSet<>();
        Matcher matcher = OURS.matcher(source.code());
        while (matcher.find()) {
            String word = matcher.group(1);
            floors.add(Character.isUpperCase(word.charAt(0)) ? "" : word);
        }
        return floors;
    }
}
