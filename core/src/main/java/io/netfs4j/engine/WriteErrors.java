// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;

import org.jspecify.annotations.Nullable;

/**
 * The write errors of one file, so that each open file hears of each error once, at its next fsync
 * or close, and an error that nobody heard is kept for the next opener. (After Linux's errseq_t,
 * lib/errseq.c, with a long in place of packed bits.)
 *
 * <p><b>Threads</b>: with the inode's lock held.
 */
public final class WriteErrors {
    @GuardedBy("inode lock")
    private long sequence;

    @GuardedBy("inode lock")
    private boolean heard = true;

    @GuardedBy("inode lock")
    private @Nullable FsException last;

    public void record(FsException error) {
        sequence++;
        heard = false;
        last = error;
    }

    /** What a new open file remembers as heard. */
    public long sample() {
        return heard ? sequence : sequence - 1;
    }

    /** The error that an open file has not heard, or null. It then remembers {@link #sequence}. */
    public @Nullable FsException unheard(long remembered) {
        if (remembered == sequence) {
            return null;
        }
        heard = true;
        return last;
    }

    public long sequence() {
        return sequence;
    }
}
