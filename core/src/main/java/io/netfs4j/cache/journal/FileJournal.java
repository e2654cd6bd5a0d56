// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import io.netfs4j.base.Disk;
import io.netfs4j.base.FsException;
import io.netfs4j.cache.Journalled;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * The journal's side of one open file. Before anything of it is appended, what is known of it is;
 * once nothing of it is owed, it is forgotten.
 *
 * <p><b>Threads</b>: with the lock of the file's inode held, except for {@link #read} and {@link
 * #link}, which wait for the disk, and {@link #find}.
 */
public final class FileJournal implements Journalled {
    /** Who knows a file. */
    public interface Facts {
        /** All that is to be known of it besides its bytes and its length, as it is now. */
        byte[] now();
    }

    private final Journal journal;
    private final long file;
    private final Facts facts;

    /** Something of it is in the journal. Written with the inode's lock held. */
    private volatile boolean known;

    private volatile long lastLsn;

    /** A file that nothing is known of in the journal. */
    public FileJournal(Journal journal, Facts facts) {
        this(journal, journal.newFile(), facts, false);
    }

    private FileJournal(Journal journal, long file, Facts facts, boolean known) {
        this.journal = journal;
        this.file = file;
        this.facts = facts;
        this.known = known;
        this.lastLsn = known ? journal.lastLsn() : 0;
    }

    /** A file that was found in the journal. */
    public static FileJournal found(Journal journal, long file, Facts facts) {
        return new FileJournal(journal, file, facts, true);
    }

    public Journal journal() {
        return journal;
    }

    /** Its number in the journal. */
    public long file() {
        return file;
    }

    /** Whether all that was written and is owed is in the journal, and can be read from there. */
    public boolean keepsAll() {
        return known && journal.isWritten(lastLsn);
    }

    /** Whether it will keep all once what it was given is written. */
    public boolean isBehind() {
        return known && journal.broken() == null && !journal.isWritten(lastLsn);
    }

    public Facts facts() {
        return facts;
    }

    /** The last record over it; 0 where nothing of it is in the journal. Wants no lock. */
    public long lastLsn() {
        return known ? lastLsn : 0;
    }

    /** As {@link #lastLsn}, also where the last record says that nothing of it is owed. */
    public long lastRecord() {
        return lastLsn;
    }

    /**
     * Bytes have been written.
     *
     * @param sizeBefore how long the file was before that, in bytes
     */
    public void written(long offset, long sizeBefore, ByteBuffer bytes) {
        if (!known) {
            describe(sizeBefore);
        }
        lastLsn = journal.write(file, offset, sizeBefore, bytes);
    }

    /** Says what is known of it now, from now on. */
    public void describe(long sizeBytes) {
        known = true;
        lastLsn = journal.describe(file, sizeBytes, facts.now());
    }

    /** As {@link #describe}, where something of it is in the journal. */
    public void describeAgain(long sizeBytes) {
        if (known) {
            describe(sizeBytes);
        }
    }

    /**
     * The server has bytes.
     *
     * @param upToLsn {@link #lastLsn} when they were taken for it
     */
    public void landed(long from, long to, long upToLsn) {
        if (known && upToLsn > 0) {
            lastLsn = journal.drop(file, from, to, upToLsn);
        }
    }

    /** Bytes do not count any more. */
    public void cut(long from, long to) {
        if (known && from < to) {
            lastLsn = journal.drop(file, from, to, lastLsn);
        }
    }

    /** Nothing of it is owed any more. */
    public void forget() {
        if (known) {
            known = false;
            lastLsn = journal.forget(file);
        }
    }

    /** Which bytes of it are in the journal, ascending. */
    public List<Journal.Range> ranges() {
        return journal.ranges(file);
    }

    /** As {@link Journal#forcedTo}. */
    public long forcedTo(long from, long to) {
        return known ? journal.forcedTo(file, from, to) : to;
    }

    /** As {@link Journal#extentEnd}. */
    public long extentEnd(long position) {
        return journal.extentEnd(file, position);
    }

    @Override
    public void find(long position, int blockBytes, long[] segments, int[] positions) {
        Arrays.fill(segments, NOWHERE);
        if (known) {
            journal.find(file, position, blockBytes, segments, positions);
        }
    }

    @Override
    public int segmentBytes() {
        return journal.segmentBytes();
    }

    @Override
    public void link(long segment, Disk into, String as) throws IOException {
        journal.link(segment, into, as);
    }

    /** As {@link Journal#read}. */
    public int read(long position, ByteBuffer to) throws FsException {
        return journal.read(file, position, to);
    }
}
