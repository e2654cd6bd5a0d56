// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.Mount;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.fuse.FuseMount;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** A mount of the library and the door in front of it. */
final class FuseLiveMount implements LiveMount {
    private static final Logger LOG = LoggerFactory.getLogger(FuseLiveMount.class);

    private final Mount mount;
    private final FuseMount door;
    private final List<String> notes;
    private final @Nullable Path state;
    private final CountDownLatch ended = new CountDownLatch(1);

    /**
     * @param state as {@link #state}
     */
    FuseLiveMount(Mount mount, FuseMount door, List<String> notes, @Nullable Path state) {
        this.mount = mount;
        this.door = door;
        this.notes = List.copyOf(notes);
        this.state = state;
        door.ended().whenDone((done, failure) -> ended.countDown());
    }

    @Override
    public List<String> notes() {
        return notes;
    }

    @Override
    public MountCounts counters() {
        var status = mount.status();
        return new MountCounts(
                status.dirtyBytes(),
                status.inFlightBytes(),
                status.uploadedBytes(),
                status.uploadRequests(),
                status.downloadedBytes(),
                status.retries(),
                status.errors(),
                status.conflicts(),
                status.cacheReadBytes(),
                status.cachedBytes(),
                status.cacheErrors());
    }

    @Override
    public boolean isConnected() {
        return mount.status().connected();
    }

    @Override
    public @Nullable String journalFailure() {
        FsException why = mount.journalFailure();
        return why == null ? null : String.valueOf(why.getMessage());
    }

    @Override
    public List<Unsaved> refused() {
        return refused(mount.unsaved());
    }

    @Override
    public List<Unsaved> drain() throws InterruptedException {
        while (true) {
            try {
                List<Mount.Unsaved> left = mount.drain();
                List<Unsaved> refused = refused(left);
                if (left.isEmpty() || !refused.isEmpty()) {
                    return refused;
                }
                // Somebody wrote meanwhile: once more.
            } catch (FsException e) {
                if (e.error() == FsError.EINTR) {
                    throw new InterruptedException();
                }
                LOG.warn("draining: {}", e.toString());
                List<Unsaved> refused = refused();
                if (!refused.isEmpty()) {
                    return refused;
                }
            }
        }
    }

    @Override
    public @Nullable Path state() {
        return state;
    }

    @Override
    public boolean keepsState() {
        return mount.keepsState();
    }

    @Override
    public List<Unsaved> left() {
        return mount.unsaved().stream().map(FuseLiveMount::told).toList();
    }

    @Override
    public List<Unsaved> discard() {
        return mount.discard().stream().map(FuseLiveMount::told).toList();
    }

    @Override
    public void unmount(boolean lazily) throws FsException {
        door.unmount(lazily);
    }

    @Override
    public void abort() {
        try {
            if (!door.ended().isDone()) {
                door.abort();
            }
        } catch (FsException e) {
            // Then the end of this process cuts the connection.
            LOG.warn("{}", e.getMessage());
        }
        ended.countDown();
    }

    @Override
    public void awaitUnmounted() throws InterruptedException {
        ended.await();
    }

    @Override
    public void close() {
        door.close();
        mount.close();
    }

    /** Those that the server answered about, without those that it has not been asked about yet. */
    private static List<Unsaved> refused(List<Mount.Unsaved> files) {
        return files.stream()
                .filter(file -> file.reason().error() != FsError.EAGAIN)
                .map(FuseLiveMount::told)
                .toList();
    }

    private static Unsaved told(Mount.Unsaved file) {
        String message = String.valueOf(file.reason().getMessage());
        if (file.reason().error() == FsError.EAGAIN) {
            // Nobody was refused anything: the reason is what the message says.
            return new Unsaved(file.path(), file.bytes(), message);
        }
        String words = file.reason().error().words();
        return new Unsaved(
                file.path(),
                file.bytes(),
                message.contains(words) ? message : words + " (" + message + ")");
    }
}
