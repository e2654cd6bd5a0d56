// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.trace;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/**
 * What a mount has done so far, in numbers that only grow.
 *
 * <p><b>Threads</b>: any.
 */
public final class Counters {
    /** One number each. */
    public enum Counter {
        /** Bytes of write subrequests that the server acknowledged. */
        UPLOADED_BYTES,
        /** Write subrequests issued, retries among them. */
        UPLOAD_REQUESTS,
        /** Bytes of read subrequests that the server delivered. */
        DOWNLOADED_BYTES,
        /** Read subrequests issued, retries among them. */
        DOWNLOAD_REQUESTS,
        /** Bytes that the disk cache stored. */
        CACHED_BYTES,
        /** Bytes that the disk cache delivered. */
        CACHE_READ_BYTES,
        /** Pieces that the disk cache could not store or deliver; nobody else noticed. */
        CACHE_ERRORS,
        /** Subrequests that had to be sent again, in whole or in part. */
        RETRIES,
        /** Write requests that failed; their data stayed dirty. */
        ERRORS,
        /** Files that another client had changed when what was changed here was to be sent. */
        CONFLICTS,
        /** Folios copied because they were written to while in flight. */
        FORKS,
        /** Times that a writer waited for room. */
        THROTTLE_WAITS,
        /** Ends of a subrequest that had ended before: a back end's bug, ignored. */
        DUPLICATE_TERMINATIONS
    }

    private final Map<Counter, LongAdder> values = new EnumMap<>(Counter.class);

    public Counters() {
        for (Counter counter : Counter.values()) {
            values.put(counter, new LongAdder());
        }
    }

    public void add(Counter counter, long amount) {
        LongAdder adder = values.get(counter);
        if (adder != null) {
            adder.add(amount);
        }
    }

    public long get(Counter counter) {
        LongAdder adder = values.get(counter);
        return adder == null ? 0 : adder.sum();
    }
}
