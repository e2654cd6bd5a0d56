// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import java.io.PrintStream;

/** One line on a terminal that says how far a drain is: what is left, how fast, how long yet. */
final class ProgressLine implements AutoCloseable {
    private static final double NANOS_A_SECOND = 1e9;

    /** The weight of the newest rate; the figure settles within about three seconds. */
    private static final double NEWEST = 0.1;

    private final PrintStream out;
    private final boolean watched;
    private int shownChars;
    private long lastUploadedBytes = -1;
    private long lastNanos;
    private double bytesASecond;

    /**
     * @param watched whether anybody sees it; else nothing is written
     */
    ProgressLine(PrintStream out, boolean watched) {
        this.out = out;
        this.watched = watched;
    }

    void show(MountCounts counters, long nowNanos) {
        if (!watched) {
            return;
        }
        String line = text(counters, nowNanos);
        out.print('\r' + line + " ".repeat(Math.max(0, shownChars - line.length())));
        out.flush();
        shownChars = line.length();
    }

    /** The line for these counters. */
    String text(MountCounts counters, long nowNanos) {
        measure(counters, nowNanos);
        String left =
                counters.dirtyBytes() == 0
                        ? "finishing"
                        : Quantity.bytes(counters.dirtyBytes()) + " not on the server yet";
        if (bytesASecond < 1 || counters.dirtyBytes() == 0) {
            return left;
        }
        long seconds = (long) Math.ceil(counters.dirtyBytes() / bytesASecond);
        return left
                + ", "
                + Quantity.bytes((long) bytesASecond)
                + "/s, "
                + Quantity.seconds(seconds)
                + " left";
    }

    private void measure(MountCounts counters, long nowNanos) {
        if (lastUploadedBytes >= 0 && nowNanos > lastNanos) {
            double now =
                    (counters.uploadedBytes() - lastUploadedBytes)
                            * NANOS_A_SECOND
                            / (nowNanos - lastNanos);
            bytesASecond = bytesASecond == 0 ? now : bytesASecond * (1 - NEWEST) + now * NEWEST;
        }
        lastUploadedBytes = counters.uploadedBytes();
        lastNanos = nowNanos;
    }

    /** Leaves the terminal's line empty for what comes next. */
    @Override
    public void close() {
        if (shownChars > 0) {
            out.print('\r' + " ".repeat(shownChars) + '\r');
            out.flush();
            shownChars = 0;
        }
    }
}
