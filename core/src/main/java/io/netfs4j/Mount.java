// SPDX-License-Identifier: Apache-2.0
package io.netfs4j;

import io.netfs4j.base.Completion;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.engine.InodeData;
import io.netfs4j.request.Origin;
import io.netfs4j.server.Remote;
import io.netfs4j.server.Server;
import io.netfs4j.trace.Counters;
import io.netfs4j.trace.Counters.Counter;
import io.netfs4j.vfs.CachedVfs;
import io.netfs4j.vfs.Recovered;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * A mounted remote, from {@link Netfs#open} to {@link #close}.
 *
 * <p><b>Threads</b>: any.
 */
public final class Mount implements AutoCloseable {
    /** A file whose data could not be saved. */
    public record Unsaved(String path, long bytes, FsException reason) {}

    /** What ends with it, after its server: what that still answers may go to the journal. */
    record Owned(
            @Nullable SystemRuntime runtime,
            @Nullable MountState state,
            @Nullable MountCache cache) {
        static final Owned NOTHING = new Owned(null, null, null);

        void close() {
            if (cache != null) {
                cache.close();
            }
            if (state != null) {
                state.close();
            }
            if (runtime != null) {
                runtime.close();
            }
        }
    }

    /**
     * Rounds over what is dirty before what still fails is reported: others may write meanwhile.
     */
    private static final int DRAIN_ROUNDS_MAX = 100;

    private final Remote remote;
    private final Server server;
    private final CachedVfs vfs;
    private final Environment environment;
    private final Owned owned;

    Mount(Remote remote, Server server, CachedVfs vfs, Environment environment, Owned owned) {
        this.remote = remote;
        this.server = server;
        this.vfs = vfs;
        this.environment = environment;
        this.owned = owned;
    }

    public Remote remote() {
        return remote;
    }

    public CachedVfs vfs() {
        return vfs;
    }

    public Environment environment() {
        return environment;
    }

    /** Whether what is not on the server survives this process, as far as this machine can. */
    public boolean keepsState() {
        return owned.state != null && journalFailure() == null;
    }

    /**
     * Why the journal takes nothing any more: every write waits for the server since then. Null
     * where it works, and where there is none.
     */
    public @Nullable FsException journalFailure() {
        MountState state = owned.state;
        return state == null ? null : state.journal().broken();
    }

    /** Why there is no disk cache, where one was asked for; null where it is in use. */
    public @Nullable FsException withoutCache() {
        MountCache cache = owned.cache;
        return cache == null ? null : cache.without();
    }

    /** What an earlier mount of the same remote had left here, and this one has taken up. */
    public Recovered recovered() {
        return vfs.recovered();
    }

    public MountStatus status() {
        Counters counters = vfs.engine().counters();
        long dirty = 0;
        List<InodeData> unsaved = vfs.engine().flusher().unsaved();
        for (InodeData data : unsaved) {
            data.lock().lock();
            try {
                dirty += data.pages().dirtyBytes() + data.pages().writebackBytes();
            } finally {
                data.lock().unlock();
            }
        }
        return new MountStatus(
                dirty,
                vfs.engine().inFlightBytes(),
                counters.get(Counter.UPLOADED_BYTES),
                counters.get(Counter.UPLOAD_REQUESTS),
                counters.get(Counter.DOWNLOADED_BYTES),
                counters.get(Counter.RETRIES),
                counters.get(Counter.ERRORS),
                counters.get(Counter.CONFLICTS),
                counters.get(Counter.CACHE_READ_BYTES),
                counters.get(Counter.CACHED_BYTES),
                counters.get(Counter.CACHE_ERRORS),
                vfs.cache().memoryBytes(),
                unsaved.size(),
                server.isConnected());
    }

    /**
     * Saves everything, and waits for it: as long as the server is away, for ever.
     *
     * @return what the server refused, file by file; empty when all is saved
     * @throws FsException EINTR; what is dirty stays so
     */
    public List<Unsaved> drain() throws FsException {
        for (int round = 0; round < DRAIN_ROUNDS_MAX; round++) {
            List<Unsaved> failed = saveOnce();
            if (!failed.isEmpty() || select(Mount::isToBeSaved).isEmpty()) {
                vfs.awaitNames();
                return failed;
            }
        }
        return unsaved();
    }

    /** What is not saved now, with why where an upload failed. */
    public List<Unsaved> unsaved() {
        return describe(select(Mount::isToBeSaved));
    }

    /** With the inode's lock held. Nothing is lost with a length that nobody knows. */
    private static boolean isToBeSaved(InodeData data) {
        return data.isUnsaved() && !data.isOnlyInDoubt();
    }

    private List<InodeData> select(Predicate<InodeData> wanted) {
        List<InodeData> files = vfs.engine().flusher().unsaved();
        files.removeIf(data -> {
            data.lock().lock();
            try {
                return !wanted.test(data);
            } finally {
                data.lock().unlock();
            }
        });
        return files;
    }

    private List<Unsaved> describe(List<InodeData> files) {
        List<Unsaved> list = new ArrayList<>();
        for (InodeData data : files) {
            data.lock().lock();
            try {
                list.add(describe(data, vfs.engine().flusher().failure(data)));
            } finally {
                data.lock().unlock();
            }
        }
        return list;
    }

    /** Gives up everything that is not saved; returns what that was. */
    public List<Unsaved> discard() {
        List<Unsaved> lost = describe(select(InodeData::isOwed));
        for (InodeData data : vfs.engine().flusher().unsaved()) {
            vfs.discard(data);
        }
        return lost;
    }

    private List<Unsaved> saveOnce() throws FsException {
        List<InodeData> files = select(Mount::isToBeSaved);
        List<Completion<@Nullable Void>> saves = new ArrayList<>();
        for (InodeData data : files) {
            data.lock().lock();
            try {
                saves.add(vfs.engine().writeback(data, Origin.SYNC));
            } finally {
                data.lock().unlock();
            }
        }
        List<Unsaved> failed = new ArrayList<>();
        for (int i = 0; i < saves.size(); i++) {
            try {
                environment.waits().await(saves.get(i));
                vfs.sync(files.get(i));
            } catch (FsException e) {
                if (!saves.get(i).isDone()) {
                    throw e;
                }
                InodeData data = files.get(i);
                data.lock().lock();
                try {
                    // Of a file that was removed meanwhile nothing is left to be saved; and one
                    // that goes to a file beside it is refused by nobody.
                    boolean moves = e.error() == FsError.ESTALE && isNew(data);
                    if (!moves && (saves.get(i).failure() == null || isToBeSaved(data))) {
                        failed.add(describe(data, e));
                    }
                } finally {
                    data.lock().unlock();
                }
            }
        }
        return failed;
    }

    /** With the inode's lock held: whether the server is about to be asked to make it. */
    private static boolean isNew(InodeData data) {
        return data.creation() != null && data.creationFailure() == null;
    }

    private static Unsaved describe(InodeData data, @Nullable FsException reason) {
        return new Unsaved(
                data.listener().name(),
                data.pages().dirtyBytes() + data.pages().writebackBytes(),
                reason == null ? new FsException(FsError.EAGAIN, "not sent yet") : reason);
    }

    /**
     * Ends the connection. What was not saved is left to the next mount of the same remote, or lost
     * without a state directory, so {@link #drain} comes first.
     */
    @Override
    public void close() {
        server.close();
        vfs.close();
        owned.close();
    }
}
