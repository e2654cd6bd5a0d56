// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.engine.InodeData;
import io.netfs4j.server.FileType;
import io.netfs4j.server.ServerAttributes;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Asks for the versions of files before they are opened, where those of a directory are opened one
 * after the other in the order of their names, to be read: a program that goes through a tree that
 * is cached (git, make, grep) would wait a round trip for each.
 *
 * <pre>
 *   opened:  a  b  c | d  e  f  g ...      each after a question of its own, until it is seen
 *   asked:           | e ......... z       that they come in order; then in one round trip
 * </pre>
 *
 * An answer counts for one open, if that comes no later after it than it took to come, and no later
 * than {@link #COUNTS_NANOS_MAX}: nobody who waits for an answer of anybody can tell it from one
 * that was asked for then. Only an answer that the version is the one that is known counts.
 *
 * <p><b>Limits</b>: {@link #FILES} questions at a time for a directory.
 *
 * <p><b>Threads</b>: any; each question waits on a thread of its own.
 */
final class LookAhead {
    /** So long an answer counts at most. */
    static final long COUNTS_NANOS_MAX = 100_000_000L;

    /** So many files are asked for at once. */
    static final int FILES = 32;

    /** So many are opened in order before others are asked for. */
    private static final int OPENS_IN_ORDER = 3;

    /** Who opens the next one later than this does not go through the directory. */
    private static final long IN_ORDER_NANOS = 1_000_000_000L;

    /** To look for the next ones in a larger directory would cost more than it saves. */
    private static final int NAMES_MAX = 20_000;

    /** What is known of a directory. */
    static final class Walk {
        private String last = "";
        private long lastNanos;
        private int opens;

        /** The last name that was asked for ahead; empty when none was. */
        private String aheadTo = "";

        /** How many of those are still to come. */
        private int left;

        /** Questions that are not answered. */
        private boolean asking;
    }

    /**
     * What the server has said of a file.
     *
     * @param untilNanos so long it counts
     * @param changes of the inode, when it was asked for
     */
    record Answer(long untilNanos, long changes) {}

    private final VfsParts parts;

    LookAhead(VfsParts parts) {
        this.parts = parts;
    }

    /** Whether the version that is known of a file has just been heard of; once. */
    @GuardedBy("inode lock")
    boolean isAnswered(Inode inode) {
        Answer answer = inode.ahead;
        inode.ahead = null;
        InodeData data = inode.data;
        return answer != null
                && data != null
                && answer.changes() == inode.changes
                && parts.nowNanos() <= answer.untilNanos()
                && isSettled(data);
    }

    @GuardedBy("inode lock")
    private static boolean isSettled(InodeData data) {
        return data.creation() == null && !data.isUnsaved() && data.token() != null;
    }

    /** A file was opened, to be read: asks for those that come next, where that seems to be so. */
    void opened(Inode inode) {
        if (parts.options().attributesValidNanos() == 0) {
            return; // Nothing is to be believed but what is asked for.
        }
        long now = parts.nowNanos();
        List<Inode> next;
        Walk walk;
        parts.table().lock().lock();
        try {
            if (inode.links.isEmpty()) {
                return;
            }
            Inode directory = inode.links.get(0).directory();
            walk = walk(directory);
            if (!goesOn(walk, inode.links.get(0).name(), now)) {
                return;
            }
            next = next(directory, walk);
            walk.left = next.size();
            walk.asking = !next.isEmpty();
        } finally {
            parts.table().lock().unlock();
        }
        AtomicInteger open = new AtomicInteger(next.size());
        for (Inode file : next) {
            parts.environment().scheduler().fork("netfs-ahead", () -> ask(file, walk, open));
        }
    }

    @GuardedBy("table lock")
    private static Walk walk(Inode directory) {
        Walk walk = directory.walk;
        if (walk == null) {
            walk = new Walk();
            directory.walk = walk;
        }
        return walk;
    }

    /** Takes note of an open; whether more are to be asked for. */
    @GuardedBy("table lock")
    private static boolean goesOn(Walk walk, String name, long now) {
        boolean inOrder = name.compareTo(walk.last) > 0 && now - walk.lastNanos <= IN_ORDER_NANOS;
        walk.opens = inOrder ? walk.opens + 1 : 0;
        walk.left = inOrder ? Math.max(0, walk.left - 1) : 0;
        if (!inOrder || name.compareTo(walk.aheadTo) >= 0) {
            walk.aheadTo = "";
            walk.left = 0;
        }
        walk.last = name;
        walk.lastNanos = now;
        return walk.opens >= OPENS_IN_ORDER && !walk.asking && walk.left <= FILES / 2;
    }

    /** The files that come next, of which anything is cached. */
    @GuardedBy("table lock")
    private static List<Inode> next(Inode directory, Walk walk) {
        String from = walk.aheadTo.isEmpty() ? walk.last : walk.aheadTo;
        if (directory.children().size() > NAMES_MAX) {
            return List.of();
        }
        PriorityQueue<String> names = new PriorityQueue<>(Comparator.reverseOrder());
        directory
                .children()
                .forEach((name, child) -> {
                    boolean counts =
                            child.type == FileType.REGULAR
                                    && !child.pending
                                    && !child.hidden
                                    && child.data != null;
                    if (counts && name.compareTo(from) > 0) {
                        names.add(name);
                        if (names.size() > FILES) {
                            names.remove();
                        }
                    }
                });
        String last = names.peek();
        walk.aheadTo = last == null ? walk.aheadTo : last;
        List<Inode> next = new ArrayList<>();
        names.forEach(name -> {
            Inode child = directory.children().get(name);
            if (child != null) {
                next.add(child);
            }
        });
        return next;
    }

    private void ask(Inode file, Walk walk, AtomicInteger open) {
        try {
            ask(file);
        } catch (FsException e) {
            // Whoever opens it asks again, and is told.
        } finally {
            if (open.decrementAndGet() == 0) {
                parts.table().lock().lock();
                try {
                    walk.asking = false;
                } finally {
                    parts.table().lock().unlock();
                }
            }
        }
    }

    private void ask(Inode file) throws FsException {
        long changes;
        file.lock.lock();
        try {
            InodeData data = file.data;
            if (data == null || !isSettled(data) || data.pages().isEmpty()) {
                return;
            }
            changes = file.changes;
        } finally {
            file.lock.unlock();
        }
        long asked = parts.nowNanos();
        ServerAttributes a =
                parts.gate().shared(() -> parts.server().stat(parts.table().path(file)));
        file.lock.lock();
        try {
            InodeData data = file.data;
            boolean same =
                    data != null
                            && isSettled(data)
                            && a.type() == file.type
                            && a.token().equals(data.token());
            if (same && file.changes == changes) {
                parts.coherency().apply(file, a, changes);
                long now = parts.nowNanos();
                long counts = Math.min(now - asked, COUNTS_NANOS_MAX);
                file.ahead = new Answer(now + counts, changes);
            }
        } finally {
            file.lock.unlock();
        }
    }
}
