// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What is mounted where, from /proc/self/mountinfo (proc(5)). Reading it touches no mount. */
final class MountTable {
    private static final Path MOUNT_INFO = Path.of("/proc/self/mountinfo");

    /**
     * One line of the table.
     *
     * @param deviceMinor for FUSE also the number of the connection under /sys/fs/fuse/connections
     * @param device as {@code major:minor}
     */
    record Line(String mountPoint, String type, String source, String device, int deviceMinor) {}

    private MountTable() {}

    /** The topmost mount exactly at this path, or null. */
    static @Nullable Line at(Path mountPoint) throws IOException {
        String wanted = mountPoint.toString();
        Line found = null;
        for (Line line : all()) {
            if (line.mountPoint.equals(wanted)) {
                found = line;
            }
        }
        return found;
    }

    static List<Line> all() throws IOException {
        // Latin-1 keeps each byte of a path; a name that is not ASCII is decoded after the escapes.
        return parseAll(Files.readString(MOUNT_INFO, StandardCharsets.ISO_8859_1));
    }

    /** Lines end with a newline alone: a carriage return stands in a name as it is. */
    static List<Line> parseAll(String table) {
        List<Line> lines = new ArrayList<>();
        for (String text : table.split("\n", -1)) {
            Line line = parse(text);
            if (line != null) {
                lines.add(line);
            }
        }
        return lines;
    }

    /** {@code 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue}. */
    static @Nullable Line parse(String text) {
        String[] fields = text.split(" ");
        int separator = 6;
        while (separator < fields.length && !fields[separator].equals("-")) {
            separator++;
        }
        if (fields.length < separator + 3) {
            return null;
        }
        String device = fields[2];
        int minor = Integer.parseInt(device.substring(device.indexOf(':') + 1));
        return new Line(
                unescape(fields[4]),
                fields[separator + 1],
                unescape(fields[separator + 2]),
                device,
                minor);
    }

    /** Space, tab, newline and backslash stand as a backslash and three octal digits. */
    private static String unescape(String field) {
        byte[] raw = field.getBytes(StandardCharsets.ISO_8859_1);
        byte[] out = new byte[raw.length];
        int length = 0;
        for (int i = 0; i < raw.length; i++) {
            if (raw[i] == '\\' && i + 3 < raw.length) {
                int code = (raw[i + 1] - '0') * 64 + (raw[i + 2] - '0') * 8 + (raw[i + 3] - '0');
                out[length++] = (byte) code;
                i += 3;
            } else {
                out[length++] = raw[i];
            }
        }
        return new String(out, 0, length, StandardCharsets.UTF_8);
    }
}
