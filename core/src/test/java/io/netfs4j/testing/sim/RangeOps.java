// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.server.Capability;
import io.netfs4j.vfs.AllocateMode;
import io.netfs4j.vfs.Vfs;

import org.jspecify.annotations.Nullable;

import java.util.random.RandomGenerator;

/** fallocate, lseek and copy_file_range on open files, each compared with the model. */
final class RangeOps {
    private final World world;
    private final FileOps files;
    private final RandomGenerator random;

    RangeOps(World world, FileOps files) {
        this.world = world;
        this.files = files;
        this.random = world.random;
    }

    private Vfs vfs() {
        return world.vfs();
    }

    private @Nullable Handle pickWritable() {
        return world.subject().knowsRanges() ? files.pick(h -> h.flags.access().writes()) : null;
    }

    boolean punch() {
        return zero(AllocateMode.PUNCH_HOLE);
    }

    boolean zero() {
        return zero(
                random.nextBoolean() ? AllocateMode.ZERO_RANGE : AllocateMode.ZERO_RANGE_KEEP_SIZE);
    }

    private boolean zero(AllocateMode mode) {
        Handle handle = pickWritable();
        if (handle == null) {
            return false;
        }
        ModelFile file = handle.file;
        int from = world.tuning.position(random, file.size());
        int length = world.tuning.length(random, from);
        ModelFile.Change change =
                mode == AllocateMode.ZERO_RANGE
                        ? file.write(from, new byte[length])
                        : file.zero(from, from + length);
        if (change == null) {
            return false;
        }
        allocate(handle, mode, from, length, change);
        return true;
    }

    boolean extend() {
        Handle handle = pickWritable();
        if (handle == null || handle.file.isResizing()) {
            return false;
        }
        ModelFile file = handle.file;
        int from = world.tuning.position(random, file.size());
        int length = world.tuning.length(random, from);
        // What is there already stays: then there is nothing to claim, or to wait for.
        ModelFile.Change change =
                from + length > file.size()
                        ? file.truncate(from + length)
                        : file.zero(file.size(), file.size());
        if (change == null) {
            return false;
        }
        allocate(handle, AllocateMode.EXTEND, from, length, change);
        return true;
    }

    private void allocate(
            Handle handle, AllocateMode mode, int from, int length, ModelFile.Change change) {
        ModelFile file = handle.file;
        files.event("allocate " + mode, file, from, length);
        handle.busy++;
        boolean unbuffered = isUnbuffered(handle);
        file.unbuffered += unbuffered ? 1 : 0;
        try {
            vfs().allocate(handle.open, mode, from, length);
            files.event("allocated", file, from, length);
            if (change.data == null) {
                file.truncated(change);
            } else {
                file.wrote(change, change.data.length);
            }
        } catch (FsException e) {
            files.requireInjected(e, "allocate");
            files.event("allocate failed", file, from, e.error().errno());
            toldOf(handle, e);
            file.failed(change, files.sizeNow(handle.node, file));
        } finally {
            file.unbuffered -= unbuffered ? 1 : 0;
            handle.busy--;
        }
    }

    /** Zeros are put at their places also where the file is open for appending. */
    private boolean isUnbuffered(Handle handle) {
        boolean direct = handle.flags.direct() && !handle.flags.append();
        return direct || world.subject().isUnbuffered();
    }

    private void toldOf(Handle handle, FsException e) {
        if (files.isSynchronous(handle) && e.error() != FsError.EINTR) {
            handle.perhapsTold();
        }
    }

    boolean copy() {
        Handle target = pickWritable();
        Handle source = files.pick(h -> h.flags.access().reads());
        if (source == null || target == null || target.flags.append()) {
            return false;
        }
        int from = world.tuning.position(random, source.file.size());
        int to = world.tuning.position(random, target.file.size());
        int asked = Math.min(world.tuning.length(random, from), world.tuning.fileBytesMax - to);
        ModelFile.Change hold = source.file.hold(from, from + asked);
        if (hold == null) {
            return false;
        }
        try {
            // Held, its size cannot grow into what is asked for, nor shrink below.
            int count = Math.clamp((long) source.file.size() - from, 0, asked);
            boolean within = source.file.equals(target.file);
            if (within && count > 0 && from < to + count && to < from + count) {
                requireRefused(source, from, target, to, asked);
                return true;
            }
            ModelFile.Change change =
                    count == 0
                            ? target.file.zero(to, to)
                            : target.file.copy(hold, source.file, to, count);
            if (change == null) {
                return false;
            }
            copy(new Copy(source, hold, target, change), to, asked, count);
            return true;
        } finally {
            source.file.release(hold);
        }
    }

    private void requireRefused(Handle source, int from, Handle target, int to, int asked) {
        try {
            vfs().copyRange(source.open, from, target.open, to, asked);
        } catch (FsException e) {
            if (e.error() == FsError.EINVAL) {
                return;
            }
            throw new Violation("errors", "copy to where it comes from: " + e, e);
        }
        throw new Violation("errors", "copies to where it comes from");
    }

    private record Copy(
            Handle source, ModelFile.Change hold, Handle target, ModelFile.Change change) {}

    private void copy(Copy copy, int to, int asked, int count) {
        Handle source = copy.source;
        Handle target = copy.target;
        files.event("copy from " + source.file.number, target.file, copy.hold.from, to);
        boolean byServer = world.server.capabilities().has(Capability.SERVER_COPY);
        // Reads may join its own, and hear of bytes that had failed before they began.
        ModelFile.Reading watch = source.file.watch();
        source.busy++;
        target.busy++;
        boolean unbuffered = isUnbuffered(target);
        target.file.unbuffered += unbuffered ? 1 : 0;
        // Others may join the reads that this begins.
        ModelFile.Reading reads = source.file.watch();
        try {
            long done = vfs().copyRange(source.open, copy.hold.from, target.open, to, asked);
            files.event("copied", target.file, to, done);
            boolean faulty = world.faults.total() > 0 || !world.server.injected.isEmpty();
            if (done > count || (done < count && (done < 1 || !faulty))) {
                throw new Violation("I1", "copied " + done + " of " + count + " bytes");
            }
            if (done < count) {
                target.file.barriers.forget();
            }
            if (unbuffered && done < count) {
                // Of the piece that failed the server may have anything.
                target.file.failed(copy.change, files.sizeNow(target.node, target.file));
            } else {
                target.file.copied(copy.change, copy.hold, source.file, (int) done, byServer);
            }
        } catch (FsException e) {
            files.requireInjected(e, "copy");
            files.event("copy failed", target.file, to, e.error().errno());
            toldOf(target, e);
            target.file.failed(copy.change, files.sizeNow(target.node, target.file));
        } finally {
            source.file.drop(reads);
            target.file.unbuffered -= unbuffered ? 1 : 0;
            source.file.drop(watch);
            source.busy--;
            target.busy--;
        }
    }

    boolean seek() {
        Handle handle = world.subject().knowsRanges() ? files.pick(h -> true) : null;
        if (handle == null) {
            return false;
        }
        ModelFile file = handle.file;
        int position = world.tuning.position(random, file.size());
        boolean forData = random.nextBoolean();
        boolean quiet = !file.isResizing();
        try {
            long found =
                    forData
                            ? vfs().seekData(handle.open, position)
                            : vfs().seekHole(handle.open, position);
            judgeSeek(file, position, forData, found);
        } catch (FsException e) {
            if (e.error() != FsError.ENXIO) {
                files.requireInjected(e, "seek");
            } else if (quiet && position < file.size() && !forData) {
                throw new Violation("I1", "no hole at or after " + position + ": " + e, e);
            } else if (quiet && !file.mayBeHole(position, file.size())) {
                throw new Violation("I1", "no data at or after " + position + ": " + e, e);
            }
        }
        return true;
    }

    private static void judgeSeek(ModelFile file, int position, boolean forData, long found) {
        if (file.isChanging()) {
            return;
        }
        if (position >= file.size() || found < position || found > file.size()) {
            throw new Violation(
                    "I1",
                    "seeks from " + position + " to " + found + " in " + file.size() + " bytes");
        }
        boolean right =
                forData
                        ? file.mayBeHole(position, found)
                        : found == file.size() || file.mayBeHole(found, found + 1);
        if (!right) {
            throw new Violation(
                    "I1",
                    "file "
                            + file.number
                            + ": from "
                            + position
                            + (forData ? " the first data is at " : " the first hole is at ")
                            + found);
        }
    }
}
