// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import java.util.Locale;

/** Sizes and times as people read them. */
final class Quantity {
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

    private Quantity() {}

    /** A size with one digit after the point from KiB on: "1.5 MiB". */
    static String bytes(long bytes) {
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        return unit == 0 ? bytes + " B" : String.format(Locale.ROOT, "%.1f %s", value, UNITS[unit]);
    }

    /** Files and what they hold: "2 files (1.5 MiB)". */
    static String files(int count, long bytes) {
        return (count == 1 ? "1 file" : count + " files") + " (" + bytes(bytes) + ")";
    }

    /** A time in the two largest units that say something: "1 h 5 min", "12 s". */
    static String seconds(long seconds) {
        if (seconds < 60) {
            return seconds + " s";
        }
        long minutes = seconds / 60;
        if (minutes < 60) {
            return minutes + " min " + seconds % 60 + " s";
        }
        return minutes / 60 + " h " + minutes % 60 + " min";
    }
}
