// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * What one file must hold, byte by byte.
 *
 * <p>Changes of the same bytes never overlap in time: a change claims its range first. Reads and
 * fsyncs overlap with anything, and then any of the values that the byte could have is right. After
 * a change that failed, its bytes are "wild": either value is right until one is seen.
 */
class ModelFile {
    private static final int RUNNING = Versions.RUNNING;

    final int number;
    private final Sequence sequence;
    byte[] value = new byte[0];

    final Versions versions = new Versions();
    final BitSet wild = new BitSet();
    private int size;
    private int sizeEnded;
    final List<Change> changes = new ArrayList<>();
    private final List<Reading> readings = new ArrayList<>();

    /** Ranges that the server could not read, and when. */
    private final Unread unread = new Unread();

    /** Errors that open files may hear of, and the number of the last that they must. */
    private int errors;

    /** No name any more: nothing of it has to reach the server. */
    boolean unlinked;

    final ModelAttributes attributes = new ModelAttributes(this);

    /** When attributes were last set, and when a change last began. */
    int setAt;

    int lastBegan;

    /** Somebody sets attributes now. */
    boolean beingSet;

    /** Its names. */
    final List<ModelNode> names = new ArrayList<>(1);

    /** Open files, for claims of exclusive things; and writes past the page cache under way. */
    int opens;

    int unbuffered;
    final ModelBarriers barriers = new ModelBarriers(this);
    final Forced forced = new Forced();
    final Unheard unheard = new Unheard();
    final Attempts attempts = new Attempts();

    /** Another client changed it: until this is over its attributes may be the old ones. */
    @Nullable Staleness stale;

    ModelFile(int number, Sequence sequence) {
        this.number = number;
        this.sequence = sequence;
    }

    /** Numbers moments of one world. */
    static final class Sequence {
        private int last;

        int next() {
            return ++last;
        }

        int now() {
            return last;
        }
    }

    /** A write or truncate under way. */
    final class Change {
        final int from;
        final int to;
        final int newSize;
        final boolean resizes;
        final byte @Nullable [] data;
        final int dataAt;
        final int began;

        private Change(int from, int to, int newSize, byte @Nullable [] data, int dataAt) {
            this.from = from;
            this.to = to;
            this.newSize = newSize;
            this.data = data;
            this.dataAt = dataAt;
            resizes = newSize != size;
            began = sequence.next();
        }

        private boolean conflicts(int otherFrom, int otherTo, boolean otherResizes) {
            return (resizes && otherResizes) || (from < otherTo && otherFrom < to);
        }

        /** The byte that it puts at a position of its range. */
        private byte at(int position) {
            return data == null || position < dataAt || position >= dataAt + data.length
                    ? 0
                    : data[position - dataAt];
        }
    }

    /** A read under way. */
    final class Reading {
        final int position;
        final int length;
        private final byte[] before;

        /** Of these the value was not known when the read began. */
        private final BitSet wildBefore;

        private final int began = sequence.next();

        /** The oldest of the reads that were under way then began so: it may join one of theirs. */
        private final int joins;

        private int sizeMin = size;
        private int sizeMax = size;
        private final List<Change> met = new ArrayList<>();

        private Reading(int position, int length) {
            this.position = position;
            this.length = length;
            int first = began;
            for (Reading reading : readings) {
                first = Math.min(first, reading.joins);
            }
            joins = first;
            grow(position + length);
            before = Arrays.copyOfRange(value, position, position + length);
            wildBefore = wild.get(position, position + length);
            for (Change change : changes) {
                meet(change);
            }
        }

        private void meet(Change change) {
            met.add(change);
            if (change.resizes) {
                sizeMin = Math.min(sizeMin, change.newSize);
                sizeMax = Math.max(sizeMax, change.newSize);
            }
        }
    }

    int size() {
        return size;
    }

    /** Neither content nor attributes were touched since. */
    boolean isAsSince(int moment) {
        return !beingSet && !isChanging() && setAt < moment && lastBegan < moment;
    }

    boolean isChanging() {
        return !changes.isEmpty();
    }

    boolean isResizing() {
        for (Change change : changes) {
            if (change.resizes) {
                return true;
            }
        }
        return false;
    }

    /** The greatest size that the file may have on the server now. */
    int sizeMax() {
        int most = size;
        for (Change change : changes) {
            most = change.resizes ? Math.max(most, change.newSize) : most;
        }
        return most;
    }

    /** Judges a size that was seen since a watch began. */
    void checkSize(long seen, Reading watch, String where) {
        readings.remove(watch);
        if (seen < watch.sizeMin || seen > watch.sizeMax) {
            throw new Violation(
                    "I1",
                    where
                            + " of file "
                            + number
                            + " shows size "
                            + seen
                            + ", not "
                            + watch.sizeMin
                            + (watch.sizeMin == watch.sizeMax ? "" : ".." + watch.sizeMax));
        }
    }

    /** Begins to note the sizes that the file has. */
    Reading watch() {
        return read(0, 0);
    }

    /** Claims a write; null when another change is in the way. */
    @Nullable Change write(int position, byte[] data) {
        int end = position + data.length;
        int newSize = Math.max(size, end);
        int from = Math.min(size, position);
        int claimFrom = newSize != size ? from : position;
        int claimTo = newSize != size ? RUNNING : end;
        if (isClaimed(claimFrom, claimTo, newSize != size)) {
            return null;
        }
        grow(end);
        Change change = new Change(claimFrom, claimTo, newSize, data, position);
        begin(change, position, end);
        return change;
    }

    /** Claims a truncate; null when another change is in the way. */
    @Nullable Change truncate(int newSize) {
        int from = Math.min(size, newSize);
        if (isClaimed(from, RUNNING, true)) {
            return null;
        }
        grow(newSize);
        Change change = new Change(from, RUNNING, newSize, null, 0);
        begin(change, from, Math.max(size, newSize));
        return change;
    }

    /** Claims the making of zeros that leaves the size alone; null when another is in the way. */
    @Nullable Change zero(int from, int to) {
        if (isClaimed(from, to, false)) {
            return null;
        }
        int dataAt = Math.min(from, size);
        int dataEnd = Math.max(dataAt, Math.min(to, size));
        Change change = new Change(from, to, size, new byte[dataEnd - dataAt], dataAt);
        begin(change, dataAt, dataEnd);
        return change;
    }

    /** Keeps others from changing what is copied from here; null when one does already. */
    @Nullable Change hold(int from, int to) {
        if (isClaimed(from, to, false)) {
            return null;
        }
        grow(to);
        Change change = new Change(from, to, size, Arrays.copyOfRange(value, from, to), from);
        changes.add(change);
        return change;
    }

    void release(Change hold) {
        changes.remove(hold);
    }

    /** Claims a write of what another file, or this one, holds; null when one is in the way. */
    @Nullable Change copy(Change hold, ModelFile source, int to, int count) {
        Change change = write(to, new byte[count]);
        if (change != null) {
            takeOver(change, hold, source);
        }
        return change;
    }

    /** What is not known of the source is not known here either. */
    private void takeOver(Change change, Change hold, ModelFile source) {
        byte[] data = java.util.Objects.requireNonNull(change.data);
        System.arraycopy(source.value, hold.from, data, 0, data.length);
        int shift = change.dataAt - hold.from;
        int end = hold.from + data.length;
        for (int i = source.wild.nextSetBit(hold.from); i >= 0 && i < end; ) {
            wild.set(i + shift);
            i = source.wild.nextSetBit(i + 1);
        }
    }

    /** It ended well, or in the middle. */
    void copied(Change change, Change hold, ModelFile source, int count, boolean byServer) {
        // What was unknown when it began may be known by now.
        takeOver(change, hold, source);
        wrote(change, count);
        takeOver(change, hold, source);
        if (byServer) {
            versions.clean(change.dataAt, change.dataAt + count);
        }
    }

    /** Whether nothing was written there that a hole could not show. */
    boolean mayBeHole(long from, long to) {
        for (int i = (int) from; i < Math.min(to, size); i++) {
            if (value[i] != 0 && !wild.get(i)) {
                return false;
            }
        }
        return true;
    }

    private boolean isClaimed(int from, int to, boolean resizes) {
        for (Change change : changes) {
            if (change.conflicts(from, to, resizes)) {
                return true;
            }
        }
        return false;
    }

    private void begin(Change change, int from, int to) {
        versions.begin(from, to, change.began);
        changes.add(change);
        lastBegan = change.began;
        attributes.contentChanges();
        for (Reading reading : readings) {
            reading.meet(change);
        }
    }

    /** Of a write that has only claimed its range until now: it comes after what was meanwhile. */
    void beginAgain(Change change) {
        int length = java.util.Objects.requireNonNull(change.data).length;
        versions.begin(change.dataAt, change.dataAt + length, sequence.next());
    }

    /** It ended well, or in the middle: then the rest was not touched. */
    void wrote(Change change, int count) {
        byte[] data = java.util.Objects.requireNonNull(change.data);
        System.arraycopy(data, 0, value, change.dataAt, count);
        wild.clear(change.dataAt, change.dataAt + count);
        if (count < data.length) {
            barriers.forget(); // What was not touched counts as changed, but is older.
        }
        int newSize = change.resizes ? Math.max(size, change.dataAt + count) : size;
        end(change, change.dataAt, change.dataAt + data.length, newSize);
    }

    void truncated(Change change) {
        int old = size;
        int from = Math.min(old, change.newSize);
        int to = Math.max(old, change.newSize);
        Arrays.fill(value, from, to, (byte) 0);
        wild.clear(from, to);
        end(change, from, to, change.newSize);
        // Nothing of it is to be uploaded: the server is told of the size alone.
        versions.clean(from, to);
    }

    /** The server has it already: it was another client who changed it. */
    void wroteElsewhere(Change change) {
        int count = java.util.Objects.requireNonNull(change.data).length;
        wrote(change, count);
        versions.clean(change.dataAt, change.dataAt + count);
    }

    /** It failed: what is there now, and the size, are unknown within its bounds. */
    void failed(Change change, long sizeNow) {
        barriers.forget();
        int least = change.resizes ? Math.min(size, change.newSize) : size;
        int most = change.resizes ? Math.max(size, change.newSize) : size;
        if (change.resizes && (sizeNow < least || sizeNow > most)) {
            throw new Violation(
                    "I1",
                    "after a change that failed, file "
                            + number
                            + " has size "
                            + sizeNow
                            + ", not "
                            + least
                            + ".."
                            + most);
        }
        int from = change.data == null ? least : change.dataAt;
        int to = change.data == null ? most : change.dataAt + change.data.length;
        wild.set(from, to);
        end(change, from, to, (int) sizeNow);
        // Past its end: when this left that alone, another may be making the file longer.
        if (change.resizes && size < value.length) {
            Arrays.fill(value, size, value.length, (byte) 0);
            wild.clear(size, value.length);
        }
    }

    private void end(Change change, int from, int to, int newSize) {
        int now = sequence.next();
        versions.end(from, to, now);
        if (change.resizes) {
            size = newSize;
            sizeEnded = now;
        }
        changes.remove(change);
    }

    Reading read(int position, int length) {
        Reading reading = new Reading(position, length);
        readings.add(reading);
        return reading;
    }

    void drop(Reading reading) {
        readings.remove(reading);
    }

    /** The server failed to read a range; reads that begin now may fail, until its end. */
    Unread.Range couldNotRead(long from, long to) {
        return unread.add(from, to);
    }

    /** A read failed: that must be for bytes of its own. */
    void failedToRead(Reading reading) {
        readings.remove(reading);
        int end = reading.position + reading.length;
        if (unread.meets(reading.position, end, reading.joins)) {
            return;
        }
        throw new Violation(
                "errors",
                "read of file "
                        + number
                        + " at "
                        + reading.position
                        + " fails, and no byte of it could not be read");
    }

    /** Judges what a read returned. */
    void hasRead(Reading reading, byte[] got, int count) {
        readings.remove(reading);
        int least = Math.clamp((long) reading.sizeMin - reading.position, 0, reading.length);
        int most = Math.clamp((long) reading.sizeMax - reading.position, 0, reading.length);
        if (count < least || count > most) {
            throw new Violation(
                    "I1",
                    "read of file "
                            + number
                            + " at "
                            + reading.position
                            + " returned "
                            + count
                            + " of "
                            + reading.length
                            + " bytes, not "
                            + least
                            + (least == most ? "" : ".." + most));
        }
        int end = reading.position + count;
        for (int at = suspect(got, -reading.position, reading.position, end); at < end; ) {
            judge(reading, at, got[at - reading.position]);
            at = suspect(got, -reading.position, at + 1, end);
        }
    }

    /** The next position whose byte is not as it is here, or is not known here. */
    int suspect(byte[] seen, int shift, int from, int end) {
        int unknown = from < end ? wild.nextSetBit(from) : -1;
        int known = unknown < 0 ? end : Math.min(unknown, end);
        if (known <= from) {
            return Math.max(known, from);
        }
        int differs = Arrays.mismatch(seen, from + shift, known + shift, value, from, known);
        return differs < 0 ? known : from + differs;
    }

    private void judge(Reading reading, int at, byte got) {
        boolean met = false;
        for (Change change : reading.met) {
            if (at >= change.from && at < change.to) {
                if (got == change.at(at)) {
                    return;
                }
                met = true;
            }
        }
        int offset = at - reading.position;
        if (met && (got == reading.before[offset] || reading.wildBefore.get(offset))) {
            return;
        }
        if (wild.get(at)) {
            if (!met) {
                value[at] = got;
                wild.clear(at);
            }
            return;
        }
        if (got != value[at]) {
            throw new Violation(
                    "I1",
                    "read of file "
                            + number
                            + " shows "
                            + (got & 0xff)
                            + " at "
                            + at
                            + ", not "
                            + (value[at] & 0xff));
        }
    }

    /** Compares with the server what did not change since a moment. */
    void checkServer(byte[] onServer, int since, String invariant, String where) {
        if (sizeEnded <= since && !isResizing()) {
            if (onServer.length != size) {
                throw new Violation(
                        invariant,
                        where
                                + ": file "
                                + number
                                + " has "
                                + onServer.length
                                + " bytes on the server, not "
                                + size);
            }
        }
        int end = Math.min(size, onServer.length);
        for (int i = suspect(onServer, 0, 0, end); i < end; i = suspect(onServer, 0, i + 1, end)) {
            if (onServer[i] != value[i] && versions.endedAt(i) <= since && !wild.get(i)) {
                throw new Violation(
                        invariant,
                        where
                                + ": file "
                                + number
                                + " has "
                                + (onServer[i] & 0xff)
                                + " at "
                                + i
                                + " on the server, not "
                                + (value[i] & 0xff));
            }
        }
    }

    /** A piece is about to be sent: each byte of it must have been changed since it last was. */
    void checkUpload(long from, long to, int granule, long zerosFrom) {
        checkSizeLimit(to);
        // A granule that reaches past the base is sent whole, be it zeros.
        long end = to <= zerosFrom ? to : from + Math.max(0, zerosFrom - from) / granule * granule;
        int bad = versions.firstNotOwed((int) from, (int) end, granule);
        if (bad >= 0) {
            throw new Violation(
                    "I12",
                    "upload ["
                            + from
                            + ", "
                            + to
                            + ") of file "
                            + number
                            + ": nothing was written at "
                            + bad
                            + " since the server has it; granules of "
                            + granule);
        }
    }

    void checkSizeLimit(long to) {
        if (to > sizeMax() || to > value.length) {
            throw new Violation(
                    "I14",
                    "upload to " + to + " of file " + number + ", whose size is " + sizeMax());
        }
    }

    /** The server has these bytes, as they were at or after a moment. */
    void acknowledge(long from, long to, int since, byte @Nullable [] sent) {
        int unknown = sent == null ? -1 : wild.nextSetBit((int) from);
        if (unknown < 0 || unknown >= to) {
            versions.acknowledge((int) from, (int) to, since, sent, value);
        }
    }

    /** Notes an error; {@code must}: each open file has to hear of it. */
    void error(boolean must) {
        // A write past the page cache tells its caller, and nobody else.
        note(must && unbuffered == 0);
    }

    /** As {@link #error}, where it is nobody's write alone. */
    void note(boolean must) {
        errors++;
        if (must && !unlinked) {
            unheard.failed(errors, opens);
        }
    }

    int errors() {
        return errors;
    }

    private void grow(int capacity) {
        if (capacity > value.length) {
            value = Arrays.copyOf(value, Math.max(capacity, value.length * 2));
        }
    }
}
