// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

/**
 * Where a write goes on. An append goes to wherever the end is each time it has the lock: what
 * another appended meanwhile is never written over.
 */
final class WritePlace {
    long next;

    /** Something of the write was copied before this began. */
    final boolean hasPart;

    /** What lies past the end of the file when it is to be copied is not. */
    final boolean insideOnly;

    private WritePlace(long position, boolean hasPart, boolean insideOnly) {
        next = position;
        this.hasPart = hasPart;
        this.insideOnly = insideOnly;
    }

    static WritePlace at(long position, boolean hasPart) {
        return new WritePlace(position, hasPart, false);
    }

    static WritePlace insideFrom(long position) {
        return new WritePlace(position, false, true);
    }
}
