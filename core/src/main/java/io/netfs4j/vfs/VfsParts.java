// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.cache.DiskCache;
import io.netfs4j.engine.BackEnd;
import io.netfs4j.engine.Engine;
import io.netfs4j.engine.InodeData;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.atomic.AtomicReference;

/** What the parts of a {@link CachedVfs} share. */
record VfsParts(
        Environment environment,
        Server server,
        VfsOptions options,
        PageCache cache,
        @Nullable DiskCache diskCache,
        Engine engine,
        InodeTable table,
        NamesGate gate,
        Coherency coherency,
        Journalling journalling,
        AtomicReference<VfsEvents> listener) {
    /** The name of a file in the disk cache, where the server does not number files. */
    static String cacheKey(RemotePath path) {
        return "/" + path;
    }

    /**
     * Another file, or none, is there from now on, or may be: whatever the server said. To be
     * called with the gate closed to others that use the name, so that nothing is stored there
     * between the change and this.
     */
    void uncacheName(RemotePath path) {
        DiskCache present = diskCache;
        if (present != null) {
            present.drop(cacheKey(path));
        }
    }

    /** As {@link #uncacheName}, of something that may be a directory. */
    void uncacheNames(RemotePath path) {
        DiskCache present = diskCache;
        if (present != null) {
            present.drop(cacheKey(path));
            present.dropBelow(cacheKey(path));
        }
    }

    VfsEvents events() {
        return listener.get();
    }

    long nowNanos() {
        return environment.clock().nanoTime();
    }

    /** A question to a server. */
    interface Question<T extends @Nullable Object> {
        T of(Server asked) throws FsException;
    }

    /** What is known without asking; null where that is nothing. */
    interface Known<T> {
        @Nullable T get();
    }

    /** The server as it does not wait for a connection, where it has one. */
    Server impatient() {
        Server found = server.impatient();
        return found == null ? server : found;
    }

    /**
     * Asks the server; where the connection is lost meanwhile, what is known counts. Waits for the
     * connection only where that is nothing.
     */
    <T> T orKnown(Known<T> known, Question<T> question) throws FsException {
        try {
            return question.of(impatient());
        } catch (FsException e) {
            T found = e.error() == FsError.ENOTCONN ? known.get() : null;
            if (found != null) {
                return found;
            }
            if (e.error() != FsError.ENOTCONN) {
                throw e;
            }
        }
        return question.of(server);
    }

    /** What the server has under a path; null when it says that there is nothing. Waits. */
    @Nullable ServerAttributes stat(RemotePath path) throws FsException {
        try {
            return server.stat(path);
        } catch (FsException e) {
            if (e.isAbsence()) {
                return null;
            }
            throw e;
        }
    }

    /**
     * Has the server set attributes: by the open handle where there is one that may, else by path.
     */
    ServerAttributes change(Inode inode, @Nullable InodeData data, AttributeChange change)
            throws FsException {
        ServerFile handle;
        inode.lock.lock();
        try {
            ServerFile present = data == null ? null : data.file();
            boolean may =
                    present != null && (BackEnd.isWritable(present) || change.sizeBytes() == null);
            handle = data == null || !may ? null : data.borrowFile();
        } finally {
            inode.lock.unlock();
        }
        if (data != null && handle != null) {
            return data.useBorrowed(handle, h -> BackEnd.set(() -> h.setAttributes(change)));
        }
        Server asked = server();
        return gate().shared(() -> {
            RemotePath path = table().path(inode);
            return BackEnd.set(() -> asked.setAttributes(path, change));
        });
    }
}
