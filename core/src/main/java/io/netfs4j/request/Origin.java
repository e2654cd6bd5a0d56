// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.request;

/** Why a request exists. */
public enum Origin {
    /** The flusher found it old, large, or memory short. */
    WRITEBACK,
    /** Somebody waits for it: fsync, a synchronous write, unmount. */
    SYNC,
    /** A reader waits for it. */
    DEMAND_READ,
    /** A reader may want it soon. */
    READAHEAD
}
