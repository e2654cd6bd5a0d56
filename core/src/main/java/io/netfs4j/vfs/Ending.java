// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Completion;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The files that have something open when a mount ends.
 *
 * <p><b>Threads</b>: any.
 */
final class Ending {
    private final Set<Inode> left = ConcurrentHashMap.newKeySet();
    private final Completion<@Nullable Void> ended = new Completion<>();
    private volatile boolean underWay;

    void begin(List<Inode> files) {
        left.addAll(files);
        underWay = true;
    }

    boolean isUnderWay() {
        return underWay;
    }

    /** Nothing of it is open any more, or never will be given back. */
    void closed(Inode inode) {
        left.remove(inode);
        if (left.isEmpty()) {
            ended.complete(null);
        }
    }

    /** Ends when all are closed: the root is one of them, so there is at least one. */
    Completion<@Nullable Void> ended() {
        return ended;
    }
}
