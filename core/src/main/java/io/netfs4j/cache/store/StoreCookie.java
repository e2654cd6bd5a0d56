// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import io.netfs4j.base.GuardedBy;
import io.netfs4j.cache.Cookie;
import io.netfs4j.cache.Journalled;
import io.netfs4j.request.Destination;

import org.jspecify.annotations.Nullable;

/**
 * The handle of one file. The file behind it is another one when all that it held was discarded:
 * nothing that is in flight of the first can reach the other.
 *
 * <p>While the map is being read a file that was held from its beginning without a gap is said to
 * be so still, and pieces wait for the map; else the first read of a file would come too early.
 */
final class StoreCookie implements Cookie {
    private final StoreParts parts;
    private final @Nullable Journalled journal;

    @GuardedBy("parts.lock")
    StoredFile file;

    @GuardedBy("parts.lock")
    private boolean closed;

    /**
     * @param journal has what is written to the file here; null when none has
     */
    StoreCookie(StoreParts parts, StoredFile file, @Nullable Journalled journal) {
        this.parts = parts;
        this.journal = journal;
        this.file = file;
    }

    @GuardedBy("parts.lock")
    boolean isClosed() {
        return closed;
    }

    @Override
    public int granuleBytes() {
        return ContentMap.BLOCK_BYTES;
    }

    /** The block that a position is in. */
    static long block(long position) {
        return position >> ContentMap.BLOCK_SHIFT;
    }

    /** The block at or behind a position. */
    static long blockEnd(long position) {
        int beyond = (int) position & (ContentMap.BLOCK_BYTES - 1);
        return block(position) + (beyond == 0 ? 0 : 1);
    }

    private static long position(long block, long from, long to) {
        long limit = Long.MAX_VALUE >> ContentMap.BLOCK_SHIFT;
        return block >= limit ? to : Math.clamp(block << ContentMap.BLOCK_SHIFT, from, to);
    }

    @Override
    public long nextHeld(long from, long to) {
        parts.lock.lock();
        try {
            ContentMap map = file.map;
            long end = blockEnd(to);
            long held = end;
            if (map != null) {
                held = map.nextHeld(block(from), end);
            } else if (mayHold(block(from))) {
                held = block(from);
            }
            if (held >= end) {
                parts.misses++;
                return to;
            }
            return position(held, from, to);
        } finally {
            parts.lock.unlock();
        }
    }

    /** What is known of a file before its map has been read. */
    @GuardedBy("parts.lock")
    private boolean mayHold(long block) {
        return file.loading
                && file.isUnbroken()
                && block < file.heldEnd
                && file.droppedWhileLoading.isEmpty();
    }

    @Override
    public long nextMissing(long from, long to) {
        parts.lock.lock();
        try {
            ContentMap map = file.map;
            if (map != null) {
                return position(map.nextMissing(block(from), blockEnd(to)), from, to);
            }
            return mayHold(block(from)) ? position(file.heldEnd, from, to) : from;
        } finally {
            parts.lock.unlock();
        }
    }

    @Override
    public Destination reads() {
        return new StoreTransfers(parts, this, false, null);
    }

    @Override
    public Destination writes() {
        return new StoreTransfers(parts, this, true, journal);
    }

    @Override
    public void discard(long from, long to) {
        if (from >= to) {
            return;
        }
        parts.lock.lock();
        try {
            if (closed) {
                return;
            }
            long first = block(from);
            long end = blockEnd(to);
            ContentMap map = file.map;
            if (first == 0 && to == Long.MAX_VALUE) {
                if (map == null || !file.isBare()) {
                    parts.replace(this, file);
                }
            } else if (map == null) {
                file.droppedWhileLoading.add(first, end);
            } else {
                for (StoredFile.Writing writing : file.writings) {
                    writing.dropped |= writing.from < end && first < writing.to;
                }
                if (map.drop(first, end) > 0) {
                    parts.index.update(file, map);
                    parts.changed(file);
                }
            }
        } finally {
            parts.lock.unlock();
        }
    }

    @Override
    public void setVersion(String version) {
        parts.lock.lock();
        try {
            if (closed || version.equals(file.version)) {
                return;
            }
            // One that no map has room for is as good as none.
            boolean fits = MapFormat.mayBeText(version);
            file.version = fits ? version : null;
            file.versionHash = fits ? MapFormat.hash(version) : 0;
            if (file.map != null) {
                parts.changed(file);
            }
        } finally {
            parts.lock.unlock();
        }
    }

    @Override
    public void close() {
        parts.lock.lock();
        try {
            if (!closed) {
                closed = true;
                file.cookie = null;
                parts.index.touch(file);
                parts.used(file);
            }
        } finally {
            parts.lock.unlock();
        }
    }
}
