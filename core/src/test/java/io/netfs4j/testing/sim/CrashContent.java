// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * One file of a world with crashes, whatever its name: what was acknowledged, what is under way,
 * and what it was since it was last made safe.
 */
final class CrashContent {
    final int number;

    /** What was acknowledged last. */
    byte[] now = new byte[0];

    /** Its name survives a loss of power. */
    boolean named;

    /** When it was modified, as somebody set it; null: not known. */
    @Nullable Instant modified;

    /** The safe content, and what it was afterwards. */
    private final List<byte[]> since = new ArrayList<>();

    /**
     * What writes that crashes cut off would have made of it: a part of them that lies past the end
     * may be on the server, and show in a hole that is made there later, as documented.
     */
    private final List<byte[]> cutOff = new ArrayList<>();

    /** What a change under way makes of it; null without one. */
    private byte @Nullable [] intended;

    /** Any part of it may be done: pieces of it are sent in any order, and as they come. */
    private boolean inParts;

    private @Nullable Instant intendedTime;

    /** A change failed since it was last made safe: any part of it may show. */
    private boolean loose;

    CrashContent(int number) {
        this.number = number;
        since.add(now);
    }

    /** A write is under way. */
    void beginWrite(int position, byte[] data) {
        byte[] after = Arrays.copyOf(now, Math.max(now.length, position + data.length));
        System.arraycopy(data, 0, after, position, data.length);
        begin(after, true);
    }

    /** A change is under way that is done whole or not at all. */
    void beginWhole(byte[] after) {
        begin(after, false);
    }

    /** A change is under way of which any part may be done. */
    void beginParts(byte[] after) {
        begin(after, true);
    }

    private void begin(byte[] after, boolean mayBePart) {
        intended = after;
        inParts = mayBePart;
        modified = null;
        intendedTime = null;
    }

    void beginTimes(Instant time) {
        intended = now;
        inParts = false;
        intendedTime = time;
    }

    /** Nothing is known of the times that are being set: the server may refuse them for good. */
    void forgetTimes() {
        intendedTime = null;
    }

    /** What was under way is acknowledged. */
    void done() {
        if (intended != null) {
            now = intended;
            since.add(now);
            modified = intendedTime;
            over();
        }
    }

    /** Of the write under way a part was done; the rest may follow. */
    void doneShort(int position, byte[] data, int count) {
        failed();
        beginWrite(position, Arrays.copyOf(data, count));
    }

    /** What was under way has failed: some of it may be done. */
    void failed() {
        if (intended != null) {
            since.add(intended);
            loose = true;
            modified = null;
            over();
        }
    }

    private void over() {
        intended = null;
        intendedTime = null;
    }

    /** What it is now survives a loss of power. */
    void safe() {
        since.clear();
        since.add(now);
        named = true;
        loose = false;
    }

    /** Whether it may be like this. */
    boolean mayBe(byte[] seen, boolean powerLost) {
        if (isNow(seen)) {
            return true;
        }
        byte[] after = intended;
        if (!powerLost && !loose) {
            return after != null && mayBeUnderWay(seen, after);
        }
        List<byte[]> versions = new ArrayList<>(since);
        if (after != null) {
            versions.add(after);
        }
        return isMadeOf(seen, versions);
    }

    private boolean isNow(byte[] seen) {
        boolean same = seen.length == now.length;
        for (int i = 0; same && i < seen.length; i++) {
            int at = i;
            same =
                    seen[i] == now[i]
                            || (now[i] == 0
                                    && cutOff.stream()
                                            .anyMatch(c -> at < c.length && c[at] == seen[at]));
        }
        return same;
    }

    private boolean mayBeUnderWay(byte[] seen, byte[] after) {
        return inParts ? isMadeOf(seen, List.of(now, after)) : Arrays.equals(seen, after);
    }

    private static boolean isMadeOf(byte[] seen, List<byte[]> versions) {
        int least = versions.stream().mapToInt(v -> v.length).min().orElse(0);
        int most = versions.stream().mapToInt(v -> v.length).max().orElse(0);
        if (seen.length < least || seen.length > most) {
            return false;
        }
        for (int i = 0; i < seen.length; i++) {
            int at = i;
            if (versions.stream().noneMatch(v -> (at < v.length ? v[at] : 0) == seen[at])) {
                return false;
            }
        }
        return true;
    }

    /** Whether a change has failed since it was last made safe. */
    boolean isLoose() {
        return loose;
    }

    /** Whether something was under way. */
    boolean isUnsettled() {
        return intended != null;
    }

    /** Whether it may show this time. */
    boolean mayBeOf(Instant seen, boolean powerLost) {
        Instant known = modified;
        return powerLost
                || loose
                || known == null
                || seen.equals(known)
                || seen.equals(intendedTime)
                || (intended != null && intendedTime == null);
    }

    /** A later process has seen it so: it stays so. */
    void settle(byte[] seen, @Nullable Instant time, boolean powerLost) {
        if (intended != null || powerLost || loose) {
            if (intended != null) {
                since.add(intended);
                cutOff.add(intended);
            }
            since.add(seen);
            now = seen;
            modified = powerLost || (modified == null && intendedTime == null) ? null : time;
            over();
        }
    }

    @Override
    public String toString() {
        byte[] after = intended;
        return "file "
                + number
                + " of "
                + now.length
                + " bytes"
                + (after == null ? "" : ", soon " + after.length)
                + (loose ? ", loose" : "")
                + (named ? "" : ", not named")
                + ", "
                + since.size()
                + " versions";
    }

    /** What is odd about a content that it may not have. */
    String difference(byte[] seen) {
        byte[] after = intended;
        String other = after == null ? "" : ", soon at " + Arrays.mismatch(seen, after);
        long zeros = IntStream.range(0, seen.length).filter(i -> seen[i] == 0).count();
        return seen.length
                + " bytes, "
                + zeros
                + " of them zeros, that differ at "
                + Arrays.mismatch(seen, now)
                + other
                + "; "
                + this;
    }
}
