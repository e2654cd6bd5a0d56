// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.request;

import io.netfs4j.base.FsException;

/**
 * How one attempt of a {@link Subrequest} ended. A back end states the fact; only the engine's
 * retryer decides what follows.
 */
public sealed interface Termination {
    /** Everything that was taken has been transferred. */
    Termination DONE = new Done();

    record Done() implements Termination {}

    /**
     * Only the first {@code bytes} were transferred. For a write, {@code 0 < bytes < length}. For a
     * read, fewer bytes than asked without {@link EndOfFile}: the rest is to be asked again.
     */
    record Short(long bytes) implements Termination {}

    /** A read met the end of the file after {@code bytes} bytes (0 or more); the rest is zeros. */
    record EndOfFile(long bytes) implements Termination {}

    /**
     * Not transferred, may work later: a lost connection, a server that asks for patience. Nothing
     * is known of what the server did with it; writes at offsets are simply sent again.
     *
     * @param disconnected the connection was lost or refused, which does not count as an attempt
     * @param afterNanos the least pause before the next attempt; 0 leaves it to the retryer
     */
    record RetryLater(boolean disconnected, long afterNanos, FsException cause)
            implements Termination {}

    /** The file on the server is not the version that this request builds on. */
    record Conflict(FsException cause) implements Termination {}

    /** Will not succeed. */
    record Failed(FsException cause) implements Termination {}
}
