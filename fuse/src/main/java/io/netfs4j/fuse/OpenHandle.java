// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.base.FsException;
import io.netfs4j.vfs.OpenFile;
import io.netfs4j.vfs.OpenFlags;
import io.netfs4j.vfs.Vfs;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.atomic.AtomicReference;

/**
 * What one number of the kernel's stands for: an open file, and, where the file appends and is also
 * mapped into memory, the same file opened without appending.
 *
 * <p><b>Threads</b>: any.
 */
final class OpenHandle {
    private final OpenFile file;
    private final ReadsInHand.Count reads;
    private volatile long openedNanos;
    private final AtomicReference<@Nullable OpenFile> positional = new AtomicReference<>();

    /**
     * @param reads of its inode; closed with this
     */
    OpenHandle(OpenFile file, ReadsInHand.Count reads) {
        this.file = file;
        this.reads = reads;
    }

    OpenFile file() {
        return file;
    }

    /** The kernel is about to be told of it: what it reads by it, it asks for after this. */
    void opened() {
        openedNanos = System.nanoTime();
    }

    /** When that was; 0 before. */
    long openedNanos() {
        return openedNanos;
    }

    ReadsInHand.Count reads() {
        return reads;
    }

    /** The file for writes that say where they go; opened when first asked for. */
    OpenFile positional(Vfs vfs) throws FsException {
        OpenFile known = positional.get();
        if (known != null) {
            return known;
        }
        OpenFile opened = vfs.open(file.ino(), OpenFlags.plain(file.flags().access()));
        OpenFile other = positional.compareAndExchange(null, opened);
        if (other == null) {
            return opened;
        }
        vfs.release(opened);
        return other;
    }

    /** Releases both; the kernel sends no more requests for this handle. */
    void release(Vfs vfs) {
        OpenFile known = positional.getAndSet(null);
        if (known != null) {
            vfs.release(known);
        }
        vfs.release(file);
        reads.close();
    }
}
