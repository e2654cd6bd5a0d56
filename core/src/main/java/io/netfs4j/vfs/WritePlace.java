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

    WritePlace(long position, boolean hasPart) {
        next = position;
        this.hasPart = hasPart;
    }
}
