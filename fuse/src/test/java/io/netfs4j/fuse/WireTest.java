// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The offsets of {@link Wire} and the numbers of {@link Opcode} against linux/fuse.h. */
final class WireTest {
    private static final Path HEADER = Path.of("/usr/include/linux/fuse.h");

    /** Constants whose name does not lead to the C field by itself. */
    private static final Map<String, String> SPECIAL =
            Map.ofEntries(
                    Map.entry(
                            "GETATTR_IN_FLAGS", "offsetof(struct fuse_getattr_in, getattr_flags)"),
                    Map.entry("ATTR_OUT_VALID", "offsetof(struct fuse_attr_out, attr_valid)"),
                    Map.entry(
                            "ATTR_OUT_VALID_NSEC",
                            "offsetof(struct fuse_attr_out, attr_valid_nsec)"),
                    Map.entry("FSYNC_IN_FLAGS", "offsetof(struct fuse_fsync_in, fsync_flags)"),
                    Map.entry("COPY_OUT_BYTES", "sizeof(struct fuse_write_out)"),
                    Map.entry("DIRENT_NAME", "FUSE_NAME_OFFSET"),
                    Map.entry("SETXATTR_IN_BYTES", "FUSE_COMPAT_SETXATTR_IN_SIZE"));

    /** Our short prefixes, and the structures they stand for. */
    private static final Map<String, String> STRUCTS =
            Map.of(
                    "COPY_IN", "fuse_copy_file_range_in",
                    "INVAL_INODE", "fuse_notify_inval_inode_out",
                    "INVAL_ENTRY", "fuse_notify_inval_entry_out",
                    "NOTIFY_DELETE", "fuse_notify_delete_out",
                    "ATTR", "fuse_attr",
                    "DIRENT", "fuse_dirent",
                    "FORGET_ONE", "fuse_forget_one",
                    "STATFS_OUT", "fuse_kstatfs");

    @Test
    void wire_withTheCHeader_agrees(@TempDir Path directory) throws Exception {
        assumeTrue(Files.exists(HEADER), "skipped: linux/fuse.h is not installed");
        assumeTrue(isOnPath("gcc"), "skipped: no gcc");
        Map<String, String> expressions = new LinkedHashMap<>();
        for (Field field : Wire.class.getDeclaredFields()) {
            String name = field.getName();
            if (field.getType() == int.class && !name.equals("MAJOR") && !name.equals("MINOR")) {
                expressions.put(name, expression(name));
            }
        }
        Map<String, Integer> inC = evaluate(directory, expressions);
        for (Map.Entry<String, Integer> e : inC.entrySet()) {
            Field field = Wire.class.getDeclaredField(e.getKey());
            field.setAccessible(true);
            assertThat(field.getInt(null)).as(e.getKey()).isEqualTo(e.getValue());
        }
        assertThat(inC).hasSizeGreaterThan(100);
    }

    @Test
    void opcodes_withTheCHeader_agree(@TempDir Path directory) throws Exception {
        assumeTrue(Files.exists(HEADER), "skipped: linux/fuse.h is not installed");
        assumeTrue(isOnPath("gcc"), "skipped: no gcc");
        String header = Files.readString(HEADER);
        Map<String, String> expressions = new LinkedHashMap<>();
        for (Field field : Opcode.class.getDeclaredFields()) {
            // An older header lacks the newest.
            if (header.contains("\tFUSE_" + field.getName() + "\t")) {
                expressions.put(field.getName(), "FUSE_" + field.getName());
            }
        }
        for (Map.Entry<String, Integer> e : evaluate(directory, expressions).entrySet()) {
            assertThat(Opcode.class.getDeclaredField(e.getKey()).getInt(null))
                    .as(e.getKey())
                    .isEqualTo(e.getValue());
        }
        assertThat(expressions).hasSizeGreaterThan(35);
    }

    @Test
    void sizes_areThoseOfProtocol7_45() {
        assertThat(Wire.IN_HEADER_BYTES).isEqualTo(40);
        assertThat(Wire.OUT_HEADER_BYTES).isEqualTo(16);
        assertThat(Wire.ENTRY_OUT_BYTES).isEqualTo(Wire.ENTRY_OUT_ATTR + Wire.ATTR_BYTES);
        assertThat(Wire.ATTR_OUT_BYTES).isEqualTo(Wire.ATTR_OUT_ATTR + Wire.ATTR_BYTES);
        assertThat(Wire.WRITE_IN_BYTES).isEqualTo(40);
        assertThat(Wire.INIT_OUT_BYTES).isEqualTo(64);
    }

    private static String expression(String name) {
        String special = SPECIAL.get(name);
        if (special != null) {
            return special;
        }
        String prefix = prefix(name);
        String struct = "struct " + STRUCTS.getOrDefault(prefix, "fuse_" + prefix.toLowerCase());
        String rest = name.substring(prefix.length() + 1);
        return rest.equals("BYTES")
                ? "sizeof(" + struct + ")"
                : "offsetof(" + struct + ", " + rest.toLowerCase() + ")";
    }

    private static String prefix(String name) {
        String best = "";
        for (String known : STRUCTS.keySet()) {
            if (name.startsWith(known + "_") && known.length() > best.length()) {
                best = known;
            }
        }
        for (String end : List.of("_IN_", "_OUT_", "_HEADER_")) {
            int at = name.indexOf(end);
            if (at > 0 && at + end.length() - 1 > best.length()) {
                best = name.substring(0, at + end.length() - 1);
            }
        }
        return best;
    }

    private static Map<String, Integer> evaluate(Path directory, Map<String, String> expressions)
            throws Exception {
        StringBuilder program = new StringBuilder();
        program.append("#include <stddef.h>\n#include <stdio.h>\n#include <linux/fuse.h>\n");
        program.append("int main(void) {\n");
        expressions.forEach((name, c) ->
                program.append("  printf(\"%s %d\\n\", \"")
                        .append(name)
                        .append("\", (int) (")
                        .append(c)
                        .append("));\n"));
        program.append("  return 0;\n}\n");
        Path source = Files.writeString(directory.resolve("wire.c"), program);
        Path binary = directory.resolve("wire");
        assertThat(run("gcc", "-o", binary.toString(), source.toString())).isEmpty();
        Map<String, Integer> values = new LinkedHashMap<>();
        for (String line : run(binary.toString())) {
            String[] nameAndValue = line.split(" ");
            values.put(nameAndValue[0], Integer.valueOf(nameAndValue[1]));
        }
        return values;
    }

    private static List<String> run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        List<String> lines = new ArrayList<>(process.inputReader().lines().toList());
        int status = process.waitFor();
        if (status != 0) {
            lines.add("status " + status);
        }
        return lines;
    }

    private static boolean isOnPath(String program) {
        for (String directory : System.getenv().getOrDefault("PATH", "").split(":")) {
            if (Files.isExecutable(Path.of(directory, program))) {
                return true;
            }
        }
        return false;
    }
}
