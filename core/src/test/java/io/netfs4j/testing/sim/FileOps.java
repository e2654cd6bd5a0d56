// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Segment;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.vfs.Attributes;
import io.netfs4j.vfs.PinnedBytes;
import io.netfs4j.vfs.Vfs;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/** Operations on open files, each compared with the model. */
final class FileOps {
    /** Attempts to learn a size while faults strike. */
    private static final int STATS_MAX = 1000;

    /** How often it is looked whether a size that was in doubt is known, in nanoseconds. */
    private static final long DOUBT_NANOS = 50_000_000;

    private final World world;
    private final RandomGenerator random;

    FileOps(World world) {
        this.world = world;
        this.random = world.random;
    }

    private Vfs vfs() {
        return world.vfs();
    }

    @Nullable Handle pick(Predicate<Handle> wanted) {
        List<Handle> fitting = new ArrayList<>(world.handles.size());
        for (Handle handle : world.handles) {
            if (!handle.closing && wanted.test(handle)) {
                fitting.add(handle);
            }
        }
        return fitting.isEmpty() ? null : fitting.get(random.nextInt(fitting.size()));
    }

    boolean write(boolean append) {
        Handle handle = pick(h -> h.flags.access().writes() && h.flags.append() == append);
        if (handle == null) {
            return false;
        }
        ModelFile file = handle.file;
        int position = append ? file.size() : world.tuning.position(random, file.size());
        if (position >= world.tuning.fileBytesMax) {
            return false;
        }
        byte[] data = new byte[world.tuning.length(random, position)];
        random.nextBytes(data);
        ModelFile.Change change = file.write(position, data);
        if (change == null) {
            return false;
        }
        event("write", file, position, data.length);
        handle.busy++;
        boolean unbuffered = isUnbuffered(handle);
        file.unbuffered += unbuffered ? 1 : 0;
        try {
            int errors = file.errors();
            if (random.nextInt(30) == 0) {
                barrier(handle);
                file.beginAgain(change);
            }
            int count = put(handle, append ? 0 : position, data);
            if (count < data.length) {
                // The rest counts as changed when this began, and may be of before a barrier.
                file.barriers.forget();
            }
            if (unbuffered && count < data.length) {
                // Of the piece that failed the server may have anything, and be longer for it.
                requireOnServer(handle, position, Arrays.copyOf(data, count));
                file.failed(change, sizeNow(handle.node, file));
            } else {
                file.wrote(change, count);
            }
            if (isSynchronous(handle) && count == data.length) {
                requireOnServer(handle, position, data);
            }
            event("wrote", file, position, errors);
        } catch (FsException e) {
            requireInjected(e, "write");
            event("write failed", file, position, e.error().errno());
            if (isSynchronous(handle) && e.error() != FsError.EINTR) {
                handle.perhapsTold();
            }
            file.failed(change, sizeNow(handle.node, file));
        } finally {
            file.unbuffered -= unbuffered ? 1 : 0;
            handle.busy--;
        }
        return true;
    }

    private boolean isUnbuffered(Handle handle) {
        return !handle.flags.append() && (handle.flags.direct() || world.subject().isUnbuffered());
    }

    private void barrier(Handle handle) throws FsException {
        int began = world.sequence.next();
        vfs().barrier(handle.open);
        handle.file.barriers.add(began, world.sequence.next());
    }

    boolean isSynchronous(Handle handle) {
        boolean direct = handle.flags.direct() || world.subject().isUnbuffered();
        return handle.flags.sync()
                || handle.flags.dataSync()
                || (direct && handle.flags.append())
                || world.subject().isSynchronous();
    }

    /** Returns how many bytes were written: a failure in the middle leaves a part. */
    private int put(Handle handle, int position, byte[] data) throws FsException {
        ByteBuffer source =
                random.nextBoolean()
                        ? ByteBuffer.wrap(data)
                        : ByteBuffer.allocateDirect(data.length).put(data).flip();
        if (random.nextInt(3) == 0 && vfs().tryWrite(handle.open, position, source)) {
            return data.length;
        }
        int written =
                isUnbuffered(handle) && random.nextInt(3) == 0
                        ? putLater(handle, position, source)
                        : vfs().write(handle.open, position, source);
        boolean faulty = world.faults.total() > 0 || !world.server.injected.isEmpty();
        if (written < 1 || written > data.length || (written < data.length && !faulty)) {
            throw new Violation(
                    "I1", "write returned " + written + " of " + data.length + " bytes");
        }
        return written;
    }

    /** Writes past the page cache without waiting in it. */
    private int putLater(Handle handle, int position, ByteBuffer source) throws FsException {
        Completion<Integer> written = vfs().writeUnbuffered(handle.open, position, source);
        int[] ends = {0};
        written.whenDone((count, failure) -> ends[0]++);
        world.loop.awaitUninterruptibly(written);
        if (isSynchronous(handle)) {
            vfs().fsync(handle.open, true);
        }
        if (ends[0] != 1) {
            throw new Violation("I10", "an unbuffered write called back " + ends[0] + " times");
        }
        return written.get();
    }

    private void requireOnServer(Handle handle, int position, byte[] data) {
        if (handle.file.unlinked) {
            return;
        }
        byte[] there = world.server.peek(handle.file);
        int end = position + data.length;
        if (there.length < end || !Arrays.equals(there, position, end, data, 0, data.length)) {
            throw new Violation(
                    "I2",
                    "a synchronous write of file "
                            + handle.file.number
                            + " at "
                            + position
                            + " returned before the server had it");
        }
    }

    boolean read() {
        Handle handle = pick(h -> h.flags.access().reads());
        if (handle == null) {
            return false;
        }
        ModelFile file = handle.file;
        int position = world.tuning.position(random, file.size());
        int length = world.tuning.length(random, position);
        if (random.nextInt(4) == 0 && readPinned(handle, position, length)) {
            return true;
        }
        byte[] got = new byte[length];
        ModelFile.Reading reading = file.read(position, length);
        event("read", file, position, length);
        handle.busy++;
        try {
            int count = vfs().read(handle.open, position, ByteBuffer.wrap(got));
            file.hasRead(reading, got, count);
            event("has read", file, position, count);
        } catch (FsException e) {
            requireInjected(e, "read");
            // One past the page cache writes back first, which may fail.
            if (isUnbuffered(handle)
                    || e.error() == FsError.EINTR
                    || e.error() == FsError.ETIMEDOUT) {
                file.drop(reading);
            } else {
                file.attempts.told(e);
                file.failedToRead(reading);
            }
        } finally {
            handle.busy--;
        }
        return true;
    }

    private boolean readPinned(Handle handle, int position, int length) {
        ModelFile.Reading reading = handle.file.read(position, length);
        try (PinnedBytes pinned = vfs().tryRead(handle.open, position, length)) {
            if (pinned == null) {
                handle.file.drop(reading);
                return false;
            }
            byte[] got = new byte[length];
            int at = 0;
            for (Segment s : pinned.segments()) {
                s.memory().get(s.offset(), got, at, s.length());
                at += s.length();
            }
            if (at != pinned.length()) {
                throw new Violation("I1", at + " bytes lent, not " + pinned.length());
            }
            handle.file.hasRead(reading, got, at);
            return true;
        } catch (FsException e) {
            handle.file.drop(reading);
            requireInjected(e, "tryRead");
            return true;
        }
    }

    boolean truncate() {
        Handle handle = pick(h -> h.flags.access().writes());
        if (handle == null) {
            return false;
        }
        ModelFile file = handle.file;
        int size = random.nextInt(4) == 0 ? 0 : world.tuning.position(random, file.size());
        ModelFile.Change change = file.truncate(size);
        if (change == null) {
            return false;
        }
        event("truncate", file, size, file.size());
        ModelFile.Reading watch = file.watch();
        handle.busy++;
        try {
            boolean byHandle = random.nextBoolean() || file.unlinked;
            Attributes after =
                    vfs().setAttributes(
                                    handle.open.ino(),
                                    AttributeChange.size(size),
                                    byHandle ? handle.open : null);
            file.truncated(change);
            // Another may have written since, but not below this size.
            file.checkSize(after.sizeBytes(), watch, "setattr");
            event("truncated", file, size, 0);
        } catch (FsException e) {
            requireInjected(e, "truncate");
            event("truncate failed", file, size, e.error().errno());
            file.drop(watch);
            file.failed(change, sizeNow(handle.node, file));
        } finally {
            handle.busy--;
        }
        return true;
    }

    boolean fsync() {
        Handle handle = pick(h -> true);
        return handle != null && fsync(handle);
    }

    boolean fsync(Handle handle) {
        ModelFile file = handle.file;
        int errors = file.errors();
        int must = file.unheard.last();
        // One that is under way past the page cache answers for itself.
        int uploaded = file.isChanging() ? 0 : file.forced.uploadedAt();
        int since = world.sequence.next();
        event("fsync", file, since, 0);
        handle.busy++;
        try {
            vfs().fsync(handle.open, random.nextBoolean());
            event("fsynced", file, since, 0);
            handle.fsyncSucceeded(must);
            if (!file.unlinked) {
                if (world.server.isAwaited(file)) {
                    throw new Violation("I2", "after fsync the server has no file " + file.number);
                }
                file.checkServer(world.server.peek(file), since, "I2", "after fsync");
                file.forced.check(uploaded, file.number);
            }
        } catch (FsException e) {
            event("fsync failed", file, since, e.error().errno());
            requireInjected(e, "fsync");
            toldUnlessGivenUp(handle, e, errors, "fsync");
        } finally {
            handle.busy--;
        }
        return true;
    }

    boolean stat() {
        Handle handle = pick(h -> true);
        if (handle == null) {
            return false;
        }
        ModelFile.Reading watch = handle.file.watch();
        int began = world.sequence.next();
        boolean quiet = !handle.file.beingSet && !handle.file.isChanging();
        handle.busy++;
        try {
            Attributes attributes = vfs().getAttributes(handle.open.ino());
            handle.file.checkSize(attributes.sizeBytes(), watch, "getattr");
            if (quiet && handle.file.isAsSince(began)) {
                handle.file.attributes.checkBits(attributes, "getattr");
                handle.file.attributes.checkTimes(
                        attributes.accessed(), attributes.modified(), "getattr");
            }
        } catch (FsException e) {
            handle.file.drop(watch);
            requireInjected(e, "getattr");
        } finally {
            handle.busy--;
        }
        return true;
    }

    boolean setAttributes() {
        Handle handle = pick(h -> !h.file.beingSet && !h.file.isChanging());
        if (handle == null) {
            return false;
        }
        ModelFile file = handle.file;
        Integer mode = random.nextBoolean() ? 0600 | random.nextInt(0200) : null;
        Instant accessed = random.nextInt(3) == 0 ? time() : null;
        Instant modified = mode == null || random.nextBoolean() ? time() : null;
        // Of what is drawn anyway: what a seed draws stays what it was.
        Integer owner = mode == null || mode % 4 > 0 ? null : mode % 0100 + 1;
        AttributeChange change = new AttributeChange(mode, owner, owner, null, accessed, modified);
        int began = world.sequence.next();
        event(
                "set",
                file,
                mode == null ? -1 : mode,
                modified == null ? 0 : modified.getEpochSecond());
        file.beingSet = true;
        file.setAt = began;
        handle.busy++;
        ModelAttributes known = file.attributes;
        known.forget(change);
        try {
            Attributes after = vfs().setAttributes(handle.open.ino(), change, handle.open);
            known.bitsWereSet(change, began);
            known.checkBits(after, "setattr");
            known.timesWereSet(change, began);
            known.checkTimes(after.accessed(), after.modified(), "setattr");
        } catch (FsException e) {
            requireInjected(e, "setattr");
        } finally {
            file.beingSet = false;
            handle.busy--;
        }
        return true;
    }

    Instant time() {
        return Instant.ofEpochSecond(1_000_000_000L + random.nextInt(1 << 28));
    }

    boolean close() {
        Handle handle = pick(h -> h.busy == 0);
        if (handle != null) {
            close(handle);
        }
        return handle != null;
    }

    void close(Handle handle) {
        handle.closing = true;
        int errors = handle.file.errors();
        event("close", handle.file, 0, 0);
        try {
            vfs().flush(handle.open);
        } catch (FsException e) {
            requireInjected(e, "flush");
            toldUnlessGivenUp(handle, e, errors, "flush");
        }
        vfs().release(handle.open);
        world.handles.remove(handle);
        handle.file.opens--;
        handle.file.unheard.closed(handle.file.opens);
        if (handle.file.unlinked && handle.file.opens == 0) {
            world.orphans.stream().filter(n -> handle.file.equals(n.file)).forEach(world::forget);
        }
    }

    /** Waiting may have been given up, and then nothing is known of the file. */
    private void toldUnlessGivenUp(Handle handle, FsException e, int errors, String where) {
        if (e.error() == FsError.ETIMEDOUT && world.hasLocks()) {
            handle.perhapsTold(); // Or it is the answer that was lost to the one who asked for a
            // lock.
        } else if (e.error() != FsError.EINTR && e.error() != FsError.ETIMEDOUT) {
            told(handle, e, errors, where);
        }
    }

    private void told(Handle handle, FsException e, int errors, String where) {
        handle.file.attempts.told(e);
        // What was given up before the server had it can be saved no more, each time anew.
        if (!handle.file.unlinked || !world.server.isAwaited(handle.file)) {
            handle.toldOf(e, errors, where);
        }
    }

    /** The size after a change that failed, asked until there is an answer. */
    long sizeNow(ModelNode node, ModelFile file) {
        String last = "";
        while (!world.subject().knowsSize(node.ino)) {
            world.loop.sleep(DOUBT_NANOS);
        }
        for (int i = 0; i < STATS_MAX; i++) {
            try {
                return vfs().getAttributes(node.ino).sizeBytes();
            } catch (FsException e) {
                requireInjected(e, "getattr");
                last = e.toString();
            }
            world.loop.sleep(1_000_000);
        }
        throw new Violation("liveness", "no attributes of file " + file.number + ": " + last);
    }

    void requireInjected(FsException e, String what) {
        if (world.isInterrupt(e)) {
            return;
        }
        if (!world.server.injected.contains(e.error())) {
            throw new Violation("errors", what + " fails though nothing did: " + e, e);
        }
    }

    void event(String what, ModelFile file, long a, long b) {
        world.trace.event(world.loop.nanoTime(), what, file.number, a, b);
    }
}
