// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.FsException;
import io.netfs4j.cache.journal.FileJournal;
import io.netfs4j.engine.InodeData;
import io.netfs4j.pagecache.PagesPeek;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Compares all of one file with the model, byte by byte (I1, I3): what is in the page cache must be
 * what the model has, and so must be what the server has of everything that is not owed to it:
 * neither dirty nor under write-back. What is being changed just now, or is not known since a
 * change failed, is left out.
 */
final class FileState implements PagesPeek.Visitor {
    private static final byte[] ZEROS = new byte[1 << 16];

    private final ModelFile file;
    private final byte[] onServer;
    private final int zeroPoint;
    private int comparedTo;

    /** What the mount has of it; null where that knows nothing of it. */
    private final @Nullable InodeData data;

    private FileState(ModelFile file, @Nullable InodeData data, byte[] onServer, long zeroPoint) {
        this.file = file;
        this.data = data;
        this.onServer = onServer;
        this.zeroPoint = (int) Math.min(Integer.MAX_VALUE, zeroPoint);
    }

    /** The size is right, too, unless it is being changed. */
    static void check(ModelFile file, InodeData data, byte[] onServer) {
        if (!file.isResizing() && data.sizeBytes() != file.size()) {
            throw new Violation(
                    "I1",
                    "file "
                            + file.number
                            + " has size "
                            + data.sizeBytes()
                            + ", not "
                            + file.size());
        }
        FileState state = new FileState(file, data, onServer, data.remoteSizeBytes());
        PagesPeek.visit(data.pages(), state);
        state.absent(file.size());
    }

    /** All of a file that the mount knows nothing of is on the server. */
    static void check(ModelFile file, byte[] onServer) {
        new FileState(file, null, onServer, onServer.length).absent(file.size());
    }

    @Override
    public void run(long from, long to, boolean owed, byte[] memory, int offset) {
        absent((int) from);
        compare(memory, offset - (int) from, (int) from, (int) to, "the page cache");
        if (!owed) {
            onServer((int) from, (int) Math.min(to, file.size()));
        } else {
            inJournal(from, to, memory, offset);
        }
        comparedTo = (int) to;
    }

    /**
     * What is not here up to a position the journal keeps, or it is the server's, and zeros from
     * the zero point on.
     */
    private void absent(int to) {
        int end = Math.min(to, file.size());
        while (comparedTo < end) {
            int from = comparedTo;
            int stop = data == null ? end : (int) data.pages().stored().next(from, end);
            onServer(from, Math.min(stop, zeroPoint));
            zeros(Math.max(from, zeroPoint), stop, "what is past the zero point");
            comparedTo = stop;
            if (data != null && stop < end) {
                int kept = (int) data.pages().stored().runEnd(stop, end);
                byte[] bytes = journalled(data, stop, kept);
                compare(bytes, -stop, stop, kept, "the journal");
                comparedTo = kept;
            }
        }
    }

    /** Whatever the server lacks is in the journal, where that can be read without waiting. */
    private void inJournal(long from, long to, byte[] memory, int offset) {
        FileJournal journal = data == null ? null : data.journal();
        if (data == null || journal == null || !journal.keepsAll()) {
            return;
        }
        byte[] bytes = journalled(data, from, to);
        int at =
                Arrays.mismatch(bytes, 0, bytes.length, memory, offset, offset + (int) (to - from));
        if (at >= 0) {
            throw new Violation(
                    "I3",
                    "the journal has "
                            + bytes[at]
                            + " at "
                            + (from + at)
                            + " of file "
                            + file.number
                            + ", not "
                            + memory[offset + at]
                            + "; it has "
                            + journal.ranges());
        }
    }

    private byte[] journalled(InodeData of, long from, long to) {
        FileJournal journal = of.journal();
        ByteBuffer bytes = ByteBuffer.allocate((int) (to - from));
        try {
            while (bytes.hasRemaining()) {
                long at = from + bytes.position();
                if (journal == null || journal.read(at, bytes) == 0) {
                    throw new Violation(
                            "I3",
                            "the journal lacks what is dirty at "
                                    + at
                                    + " of file "
                                    + file.number
                                    + " in "
                                    + from
                                    + ".."
                                    + to
                                    + "; it has "
                                    + (journal == null ? "" : journal.ranges()));
                }
            }
        } catch (FsException e) {
            throw new Violation("I3", "the journal cannot be read: " + e, e);
        }
        return bytes.array();
    }

    private void onServer(int from, int to) {
        int stored = Math.min(to, onServer.length);
        compare(onServer, 0, from, stored, "the server");
        zeros(Math.max(from, stored), to, "the server past its end");
    }

    private void zeros(int from, int to, String where) {
        for (int at = from; at < to; ) {
            int n = Math.min(ZEROS.length, to - at);
            compare(ZEROS, -at, at, at + n, where);
            at += n;
        }
    }

    private void compare(byte[] seen, int shift, int from, int to, String where) {
        int end = Math.min(to, file.value.length);
        int at = from;
        while (at < end) {
            at = file.suspect(seen, shift, at, end);
            if (at >= end) {
                return;
            }
            int next = file.wild.get(at) ? file.wild.nextClearBit(at) : at;
            for (ModelFile.Change change : file.changes) {
                if (change.from <= next && next < change.to) {
                    next = change.to;
                }
            }
            if (next == at) {
                throw new Violation(
                        where.startsWith("the server") ? "I3" : "I1",
                        where
                                + " has "
                                + (seen[shift + at] & 0xff)
                                + " at "
                                + at
                                + " of file "
                                + file.number
                                + ", not "
                                + (file.value[at] & 0xff));
            }
            at = next;
        }
    }
}
