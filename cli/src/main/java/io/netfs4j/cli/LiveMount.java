// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.base.FsException;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.util.List;

/**
 * A mount served by this process, as the commands see it.
 *
 * <p><b>Threads</b>: any, at once. {@link #drain} and {@link #awaitUnmounted} wait, interruptibly;
 * the others wait for nobody but the kernel.
 */
interface LiveMount {
    /** What whoever mounts it should know, a line each. */
    List<String> notes();

    MountCounts counters();

    /** False while the connection to the server is lost, and made again and again. */
    boolean isConnected();

    /** Why the journal has failed; null while it works, and where there is none. */
    @Nullable String journalFailure();

    /** Files whose upload was refused for good and whose bytes are kept. */
    List<Unsaved> refused();

    /**
     * Writes everything back that is dirty, also what was refused before, and waits until it is on
     * the server or refused.
     *
     * @return what was refused; empty when everything is on the server
     */
    List<Unsaved> drain() throws InterruptedException;

    /** Where the journals are that its own is among; null for a mount that began without one. */
    @Nullable Path state();

    /** Whether what is not on the server outlives this process. */
    boolean keepsState();

    /** Every file with anything that is not on the server, whatever the reason. */
    List<Unsaved> left();

    /** Gives up every byte that is not on the server, and names the files. */
    List<Unsaved> discard();

    /**
     * Takes the mount out of the name space.
     *
     * @param lazily also while it is in use; files that are open stay open
     * @throws FsException EBUSY when it is in use and {@code lazily} is false
     */
    void unmount(boolean lazily) throws FsException;

    /** Stops answering the kernel: whatever is still open fails from now on. */
    void abort();

    /** Returns when the kernel has let go of the mount, whoever told it to. */
    void awaitUnmounted() throws InterruptedException;

    /** Ends the connection to the server; what is not on it is kept, where a mount keeps state. */
    void close();
}
