// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.request;

/** Why a request exists. */
public enum Origin {
    /** The flusher found it old, large, or memory short. */
    WRITEBACK,
    /** Somebody waits for it: fsync, unmount. */
    SYNC,
    /** A synchronous write: issued while the caller is still copying. */
    WRITE_THROUGH,
    /** From or into the caller's memory, past the page cache. */
    UNBUFFERED,
    /** What was fetched from the server goes to the disk cache. */
    COPY_TO_CACHE,
    /** A reader waits for it. */
    DEMAND_READ,
    /** A reader may want it soon. */
    READAHEAD,
    /** Bytes around what is written, to fill a granule. */
    READ_FOR_WRITE
}
