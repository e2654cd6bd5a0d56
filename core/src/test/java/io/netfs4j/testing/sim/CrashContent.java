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
     * What writes past the page cache, and so past the journal, would have made of it that crashes
     * cut off: a part of them that lies past the end may be on the server, and show in a hole that
     * is made there later, as documented.
     */
    private final List<byte[]> cutOff = new ArrayList<>();

    /** What a change under way makes of it; null without one. */
    private byte @Nullable [] intended;

    /** Any part of it may be done: pieces of it are sent in any order, and as they come. */
    private boolean inParts;

    /** The write under way is done from this position on, and no byte before the one in front. */
    private int inOrderFrom = -1;

    /** The write under way goes past the journal. */
    private boolean pastJournal;

    private @Nullable Instant intendedTime;

    /** A change failed since it was last made safe: any part of it may show. */
    private boolean loose;

    CrashContent(int number) {
        this.number = number;
        since.add(now);
    }

    /**
     * A write is under way.
     *
     * @param unbuffered it goes to the server at once, and to no journal
     */
    void beginWrite(int position, byte[] data, boolean unbuffered) {
        begin(written(position, data, data.length), true);
        inOrderFrom = unbuffered ? -1 : position;
        pastJournal = unbuffered;
    }

    private byte[] written(int position, byte[] data, int count) {
        byte[] after = Arrays.copyOf(now, Math.max(now.length, position + count));
        System.arraycopy(data, 0, after, position, count);
        return after;
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
        inOrderFrom = -1;
        pastJournal = false;
        modified = null;
        intendedTime = null;
    }

    void beginTimes(Instant time) {
        intended = now;
        inParts = false;
        inOrderFrom = -1;
        pastJournal = false;
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
        boolean unbuffered = pastJournal;
        failed();
        beginWrite(position, Arrays.copyOf(data, count), unbuffered);
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
            same = is(now[i], i, seen[i]);
        }
        return same;
    }

    private boolean is(int expected, int at, int seen) {
        return seen == expected
                || (expected == 0 && cutOff.stream().anyMatch(c -> at < c.length && c[at] == seen));
    }

    private boolean mayBeUnderWay(byte[] seen, byte[] after) {
        if (inOrderFrom >= 0) {
            return isBegunWith(seen, after);
        }
        return inParts ? isMadeOf(seen, List.of(now, after)) : Arrays.equals(seen, after);
    }

    /** Whether it is what a write made of it that was done up to some byte. */
    private boolean isBegunWith(byte[] seen, byte[] after) {
        int same = Arrays.mismatch(seen, after);
        return same < 0
                || (same > inOrderFrom
                        && Arrays.equals(
                                seen,
                                same,
                                seen.length,
                                now,
                                Math.min(same, now.length),
                                now.length));
    }

    private boolean isMadeOf(byte[] seen, List<byte[]> versions) {
        int least = versions.stream().mapToInt(v -> v.length).min().orElse(0);
        int most = versions.stream().mapToInt(v -> v.length).max().orElse(0);
        if (seen.length < least || seen.length > most) {
            return false;
        }
        for (int i = 0; i < seen.length; i++) {
            int at = i;
            if (versions.stream().noneMatch(v -> is(at < v.length ? v[at] : 0, at, seen[at]))) {
                return false;
            }
        }
        return true;
    }

    /** Whether a change has failed since it was last made safe. */
    boolean isLoose() {
        return loose;
    }

    /** Whether more of what was under way may show later: the server may have it. */
    boolean mayShowMore() {
        return intended != null && pastJournal;
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
                if (pastJournal) {
                    cutOff.add(intended);
                }
            }
            since.add(seen);
            now = seen;
            // Where it is not the one that was being set, nobody has set any.
            boolean isSet = modified != null || (time != null && time.equals(intendedTime));
            modified = powerLost || !isSet ? null : time;
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
