// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing;

import io.netfs4j.base.Disk;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/**
 * A disk in memory that is meaner than real ones: of what was not forced a loss of power keeps any
 * sectors and loses the others, and keeps the names up to some change of them; a write that fails,
 * or in which the process dies, has written a part; after a force that failed what it should have
 * forced reads well and is lost all the same.
 *
 * <p><b>Threads</b>: one.
 */
public final class ForgetfulDisk implements Disk {
    private static final int SECTOR_BYTES = 512;

    /** The process is killed at this call. */
    public static final class Killed extends Error {
        private static final long serialVersionUID = 1L;

        Killed() {
            super("killed");
        }
    }

    private static final class Content {
        byte[] bytes = new byte[0];
        byte[] forced = new byte[0];

        /** Sectors that were written since. */
        final BitSet unforced = new BitSet();

        void resize(int size) {
            bytes = Arrays.copyOf(bytes, size);
        }

        /** Only what was written since the last time: what a force that failed lost stays so. */
        void force() {
            forced = Arrays.copyOf(forced, bytes.length);
            for (int s = unforced.nextSetBit(0); s >= 0; s = unforced.nextSetBit(s + 1)) {
                keep(s, forced);
            }
            unforced.clear();
        }

        void keep(int sector, byte[] in) {
            int from = sector * SECTOR_BYTES;
            int to = Math.min(Math.min(in.length, bytes.length), from + SECTOR_BYTES);
            if (from < to) {
                System.arraycopy(bytes, from, in, from, to - from);
            }
        }
    }

    private final RandomGenerator random;
    private Map<String, Content> names = new TreeMap<>();
    private final List<Map<String, Content>> unforcedNames = new ArrayList<>();
    private Map<String, Content> forcedNames = new TreeMap<>();
    private int calls;
    private int killedAt = Integer.MAX_VALUE;
    private int failsFrom = Integer.MAX_VALUE;
    private int failsTo = Integer.MAX_VALUE;
    private @Nullable String failure;
    private int failures;
    private long written;
    private int openFiles;
    private long freeBytes = Long.MAX_VALUE;
    private long totalBytes = Long.MAX_VALUE;
    private Runnable meanwhile = () -> {};

    public ForgetfulDisk(RandomGenerator random) {
        this.random = random;
    }

    /** How many calls there were. */
    public int calls() {
        return calls;
    }

    /** How many calls failed since it was opened last. */
    public int failures() {
        return failures;
    }

    /** How many files were opened and not closed, by processes that are dead as well. */
    public int openFiles() {
        return openFiles;
    }

    /** How many bytes were written. */
    public long written() {
        return written;
    }

    /** So many bytes may still be added to files. */
    public void setFreeBytes(long bytes) {
        freeBytes = bytes;
    }

    /** So large is the disk that it says it is. */
    public void setTotalBytes(long bytes) {
        totalBytes = bytes;
    }

    /** Is done once, while a file is being forced. */
    public void duringForce(Runnable what) {
        meanwhile = what;
    }

    /** The names of the files as they are now, and not a call. */
    public List<String> names() {
        return new ArrayList<>(names.keySet());
    }

    /** How long a file is now, in bytes. */
    public int length(String name) {
        Content content = names.get(name);
        return content == null ? 0 : content.bytes.length;
    }

    /** The process is killed at a call, counted from now. */
    public void killAt(int call) {
        killedAt = calls + call;
    }

    /** Calls fail, counted from now, from one to before another. */
    public void failAt(int from, int to, String text) {
        failsFrom = calls + from;
        failsTo = to == Integer.MAX_VALUE ? to : calls + to;
        failure = text;
    }

    /** Another process opens it. */
    public void restart() {
        killedAt = Integer.MAX_VALUE;
        failsFrom = Integer.MAX_VALUE;
        failures = 0;
    }

    /** The machine starts again after its power was lost. */
    public void losePower() {
        restart();
        int kept = random.nextInt(unforcedNames.size() + 1);
        names = new TreeMap<>(kept == 0 ? forcedNames : unforcedNames.get(kept - 1));
        unforcedNames.clear();
        forcedNames = new TreeMap<>(names);
        for (Content content : names.values()) {
            // Its length is forgotten, or known, or anything in between that was written.
            int least = Math.min(content.forced.length, content.bytes.length);
            int most = Math.max(content.forced.length, content.bytes.length);
            byte[] left = Arrays.copyOf(content.forced, least + random.nextInt(most - least + 1));
            for (int s = content.unforced.nextSetBit(0); s >= 0; ) {
                if (random.nextBoolean()) {
                    content.keep(s, left);
                }
                s = content.unforced.nextSetBit(s + 1);
            }
            content.bytes = left;
            content.forced = left.clone();
            content.unforced.clear();
        }
    }

    /** Turns a bit of a file. */
    public void rot(String name, int at) {
        Content content = names.get(name);
        if (content == null) {
            throw new AssertionError(name);
        }
        content.bytes[at] ^= 1;
        if (at < content.forced.length) {
            content.forced[at] ^= 1;
        }
    }

    /** Fails or kills; a part of what was to be done may be done before. */
    private void begins() throws IOException {
        int call = calls++;
        if (call >= killedAt) {
            throw new Killed();
        }
        if (call >= failsFrom && call < failsTo) {
            failures++;
            throw new IOException(failure);
        }
    }

    private void namesChanged() {
        unforcedNames.add(new TreeMap<>(names));
    }

    @Override
    public List<String> list() throws IOException {
        begins();
        return new ArrayList<>(names.keySet());
    }

    @Override
    public File open(String name, boolean create) throws IOException {
        begins();
        Content content = names.get(name);
        if (content == null) {
            if (!create) {
                throw new NoSuchFileException(name);
            }
            content = new Content();
            names.put(name, content);
            namesChanged();
        }
        return new OpenFile(content);
    }

    @Override
    public void rename(String from, String to) throws IOException {
        begins();
        Content content = names.remove(from);
        if (content == null) {
            throw new NoSuchFileException(from);
        }
        names.put(to, content);
        namesChanged();
    }

    @Override
    public void link(Disk from, String name, String as) throws IOException {
        begins();
        Content content = ((ForgetfulDisk) from).names.get(name);
        if (content == null) {
            throw new NoSuchFileException(name);
        }
        if (names.putIfAbsent(as, content) != null) {
            throw new FileAlreadyExistsException(as);
        }
        namesChanged();
    }

    @Override
    public void delete(String name) throws IOException {
        begins();
        Content content = names.remove(name);
        if (content == null) {
            throw new NoSuchFileException(name);
        }
        freeBytes += freeBytes == Long.MAX_VALUE ? 0 : content.bytes.length;
        namesChanged();
    }

    @Override
    public void forceNames() throws IOException {
        begins();
        forcedNames = new TreeMap<>(names);
        unforcedNames.clear();
    }

    @Override
    public long freeBytes() throws IOException {
        begins();
        return freeBytes;
    }

    @Override
    public long totalBytes() throws IOException {
        begins();
        return totalBytes;
    }

    private final class OpenFile implements File {
        private final Content content;
        private boolean closed;

        OpenFile(Content content) {
            this.content = content;
            openFiles++;
        }

        private void requireOpen() {
            if (closed) {
                throw new AssertionError("a call on a closed file");
            }
        }

        @Override
        public long sizeBytes() throws IOException {
            requireOpen();
            begins();
            return content.bytes.length;
        }

        @Override
        public int read(ByteBuffer to, long position) throws IOException {
            requireOpen();
            begins();
            int count =
                    (int) Math.max(0, Math.min(to.remaining(), content.bytes.length - position));
            if (count > 0) {
                to.put(content.bytes, (int) position, count);
            }
            return count;
        }

        @Override
        public void write(ByteBuffer from, long position) throws IOException {
            requireOpen();
            int count = from.remaining();
            try {
                begins();
            } catch (IOException | Killed e) {
                put(from, position, random.nextInt(count + 1));
                throw e;
            }
            long more = Math.max(0, position + count - content.bytes.length);
            if (more > freeBytes) {
                put(from, position, (int) Math.max(0, count - (more - freeBytes)));
                throw new IOException("No space left on device");
            }
            put(from, position, count);
        }

        private void put(ByteBuffer from, long position, int count) {
            int at = (int) position;
            int more = Math.max(0, at + count - content.bytes.length);
            freeBytes -= freeBytes == Long.MAX_VALUE ? 0 : more;
            if (count == 0) {
                return;
            }
            if (more > 0) {
                content.resize(at + count);
            }
            from.get(content.bytes, at, count);
            content.unforced.set(at / SECTOR_BYTES, (at + count - 1) / SECTOR_BYTES + 1);
            written += count;
        }

        @Override
        public void truncate(long sizeBytes) throws IOException {
            requireOpen();
            begins();
            content.resize((int) sizeBytes);
        }

        @Override
        public void force() throws IOException {
            requireOpen();
            Runnable first = meanwhile;
            meanwhile = () -> {};
            first.run();
            requireOpen();
            try {
                begins();
            } catch (IOException e) {
                content.unforced.clear();
                throw e;
            }
            content.force();
        }

        @Override
        public void close() {
            openFiles -= closed ? 0 : 1;
            closed = true;
        }
    }
}
